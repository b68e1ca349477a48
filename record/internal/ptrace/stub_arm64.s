//go:build linux

#include "textflag.h"

// The launch stub: see stub.go. It is never called: its bytes are copied into
// a program of their own, loaded at 0x10000000 with the parameters at +0x80.

#define STUB 0x10000080
// offsets from it
#define STUB_FD      0  // int32: read end of the pipe to wait at
#define STUB_SAMPLES 4  // int32: calls to make for the calibration
#define STUB_FILTER  8  // struct sock_fprog, length 0: none
#define STUB_PRIVS   24 // int32: 1 to set no_new_privs first
#define STUB_STATUS  28 // int32: to exit with where there is nothing to execute
#define STUB_IGNORE  32 // uint64: signals to ignore, bit N-1 for signal N
#define STUB_SIGIGN  40 // struct sigaction of SIG_IGN

TEXT ·stub(SB), NOSPLIT|NOFRAME, $0
	MOVZ $(STUB>>16), R20
	LSL  $16, R20, R20
	ORR  $(STUB&0xffff), R20, R20

	MOVD STUB_IGNORE(R20), R21
	MOVD $64, R19
ignore:
	SUB  $1, R19, R0
	LSR  R0, R21, R1
	TBZ  $0, R1, next
	MOVD $134, R8                   // rt_sigaction(signo, SIG_IGN, NULL, 8)
	MOVD R19, R0
	ADD  $STUB_SIGIGN, R20, R1
	MOVD ZR, R2
	MOVD $8, R3
	SVC
next:
	SUBS $1, R19, R19
	BGT  ignore

wait:
	MOVD  $63, R8                   // read(fd, sp-16, 1)
	MOVW  STUB_FD(R20), R0
	SUB   $16, RSP, R1
	MOVD  $1, R2
	SVC
	CMN   $4, R0                    // EINTR
	BEQ   wait
	CMP   $1, R0                    // end of file: the recorder is gone
	BNE   die

	MOVD  $57, R8                   // close(fd)
	MOVW  STUB_FD(R20), R0
	SVC

	MOVW  STUB_SAMPLES(R20), R19
sample:
	MOVD  $174, R8                  // getuid()
	SVC
	SUBS  $1, R19, R19
	BGT   sample

	MOVHU STUB_FILTER(R20), R0
	CBZ   R0, exec
	MOVW  STUB_PRIVS(R20), R0
	CBZ   R0, filter
	MOVD  $167, R8                  // prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	MOVD  $38, R0
	MOVD  $1, R1
	MOVD  ZR, R2
	MOVD  ZR, R3
	MOVD  ZR, R4
	SVC
filter:                                 // the engine sees whether the kernel takes it
	MOVD  $277, R8                  // seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, fprog)
	MOVD  $1, R0
	MOVD  $4, R1
	ADD   $STUB_FILTER, R20, R2
	SVC

exec:
	MOVD  0(RSP), R3                // argc
	MOVD  $221, R8                  // execve(argv[0], argv+1, envp)
	MOVD  8(RSP), R0
	ADD   $16, RSP, R1
	ADD   R3<<3, R1, R2
	SVC
die:
	MOVD  $94, R8                   // exit_group(status)
	MOVW  STUB_STATUS(R20), R0
	SVC
	BRK

TEXT ·stubAddr(SB), NOSPLIT, $0-8
	MOVD $·stub(SB), R0
	MOVD R0, ret+0(FP)
	RET
