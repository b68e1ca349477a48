//go:build linux

#include "textflag.h"

// The guard: see guard.go. Like the stub it is never called, but copied into a
// program of its own.

#define PARAMS 0x10000080
// offsets from it
#define GUARD_BYTES  0  // int64: size of the table
#define GUARD_WORDS  8  // int64: 64-bit words of a CPU mask
#define GUARD_STRIDE 16 // int64: bytes of an entry: thread, mask
#define GUARD_COUNT  24 // int64: entries, behind the common mask
#define GUARD_PIPE   3  // descriptor: read end of a pipe that the recorder holds open
#define GUARD_TABLE  4  // descriptor of the shared table

TEXT ·guardProgram(SB), NOSPLIT|NOFRAME, $0
	MOVZ $(PARAMS>>16), R20
	LSL  $16, R20, R20
	ORR  $(PARAMS&0xffff), R20, R20

	MOVD $436, R8                   // close_range(5, ~0, 0)
	MOVD $5, R0
	MOVD $0xffffffff, R1
	MOVD ZR, R2
	SVC
	CBZ  R0, map
	MOVD $1023, R19                 // before Linux 5.9: one by one
close:
	MOVD $57, R8
	MOVD R19, R0
	SVC
	SUBS $1, R19, R19
	CMP  $5, R19
	BGE  close
map:
	MOVD $222, R8                   // mmap(0, bytes, PROT_READ, MAP_SHARED, table, 0)
	MOVD ZR, R0
	MOVD GUARD_BYTES(R20), R1
	MOVD $1, R2
	MOVD $1, R3
	MOVD $GUARD_TABLE, R4
	MOVD ZR, R5
	SVC
	CMN  $4095, R0
	BCS  done
	MOVD R0, R21                    // the table: first the common mask
wait:
	MOVD $63, R8                    // read(pipe, sp-16, 1) until its end
	MOVD $GUARD_PIPE, R0
	SUB  $16, RSP, R1
	MOVD $1, R2
	SVC
	CMN  $4, R0                     // EINTR
	BEQ  wait
	CBNZ R0, done

	MOVD GUARD_WORDS(R20), R22
	LSL  $3, R22, R23               // bytes of a mask
	ADD  R23, R21, R24              // the entries
	MOVD GUARD_COUNT(R20), R25
	SUB  $2048, RSP, R26            // space for a mask
	MOVD R26, RSP
next:
	MOVW (R24), R0
	CBZ  R0, skip
	MOVD $123, R8                   // sched_getaffinity(tid, bytes, sp)
	MOVD R23, R1
	MOVD R26, R2
	SVC
	CMP  R23, R0
	BNE  skip
	MOVD R26, R4
	MOVD R21, R5
	MOVD R22, R6
compare:                                // only if it is where the recorder put it
	MOVD.P 8(R4), R9
	MOVD.P 8(R5), R10
	CMP  R9, R10
	BNE  skip
	SUBS $1, R6, R6
	BNE  compare
	MOVW (R24), R0                  // sched_setaffinity(tid, bytes, mask)
	MOVD $122, R8
	MOVD R23, R1
	ADD  $8, R24, R2
	SVC
skip:
	MOVD GUARD_STRIDE(R20), R9
	ADD  R9, R24, R24
	SUBS $1, R25, R25
	BNE  next
done:
	MOVD $94, R8                    // exit_group(0)
	MOVD ZR, R0
	SVC
	BRK

TEXT ·guardAddr(SB), NOSPLIT, $0-8
	MOVD $·guardProgram(SB), R0
	MOVD R0, ret+0(FP)
	RET
