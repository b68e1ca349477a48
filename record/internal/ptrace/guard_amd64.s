//go:build linux

#include "textflag.h"

// The guard: see guard.go. Like the stub it is never called, but copied into a
// program of its own.

#define GUARD_BYTES  0x10000080 // int64: size of the table
#define GUARD_WORDS  0x10000088 // int64: 64-bit words of a CPU mask
#define GUARD_STRIDE 0x10000090 // int64: bytes of an entry: thread, mask
#define GUARD_COUNT  0x10000098 // int64: entries, behind the common mask
#define GUARD_PIPE   3          // descriptor: read end of a pipe that the recorder holds open
#define GUARD_TABLE  4          // descriptor of the shared table

TEXT ·guardProgram(SB), NOSPLIT|NOFRAME, $0
	MOVL $436, AX                   // close_range(5, ~0, 0)
	MOVL $5, DI
	MOVL $-1, SI
	MOVL $0, DX
	SYSCALL
	CMPQ AX, $0
	JEQ  map
	MOVL $1023, BX                  // before Linux 5.9: one by one
close:
	MOVL $3, AX
	MOVL BX, DI
	SYSCALL
	SUBL $1, BX
	CMPL BX, $5
	JGE  close
map:
	MOVL $9, AX                     // mmap(0, bytes, PROT_READ, MAP_SHARED, table, 0)
	MOVL $0, DI
	MOVQ GUARD_BYTES, SI
	MOVL $1, DX
	MOVL $1, R10
	MOVL $GUARD_TABLE, R8
	MOVL $0, R9
	SYSCALL
	CMPQ AX, $-4095
	JCC  done
	MOVQ AX, R12                    // the table: first the common mask
wait:
	MOVL $0, AX                     // read(pipe, sp-8, 1) until its end
	MOVL $GUARD_PIPE, DI
	LEAQ -8(SP), SI
	MOVL $1, DX
	SYSCALL
	CMPQ AX, $-4                    // EINTR
	JEQ  wait
	CMPQ AX, $0
	JNE  done

	MOVQ GUARD_WORDS, R15
	SHLQ $3, R15                    // bytes of a mask
	LEAQ (R12)(R15*1), R13          // the entries
	MOVQ GUARD_COUNT, R14
	SUBQ $2048, SP
next:
	MOVLQSX (R13), DI
	CMPQ DI, $0
	JEQ  skip
	MOVL $204, AX                   // sched_getaffinity(tid, bytes, sp)
	MOVQ R15, SI
	MOVQ SP, DX
	SYSCALL
	CMPQ AX, R15
	JNE  skip
	MOVQ GUARD_WORDS, CX
compare:                                // only if it is where the recorder put it
	MOVQ -8(SP)(CX*8), AX
	CMPQ AX, -8(R12)(CX*8)
	JNE  skip
	SUBQ $1, CX
	JNE  compare
	MOVLQSX (R13), DI               // sched_setaffinity(tid, bytes, mask)
	MOVL $203, AX
	MOVQ R15, SI
	LEAQ 8(R13), DX
	SYSCALL
skip:
	ADDQ GUARD_STRIDE, R13
	SUBQ $1, R14
	JNE  next
done:
	MOVL $231, AX                   // exit_group(0)
	MOVL $0, DI
	SYSCALL
	INT  $3

TEXT ·guardAddr(SB), NOSPLIT, $0-8
	LEAQ ·guardProgram(SB), AX
	MOVQ AX, ret+0(FP)
	RET
