//go:build linux

#include "textflag.h"

// The launch stub: see stub.go. It is never called: its bytes are copied into
// a program of their own, loaded at 0x10000000 with the parameters at +0x80.

#define STUB_FD      0x10000080 // int32: read end of the pipe to wait at
#define STUB_SAMPLES 0x10000084 // int32: calls to make for the calibration
#define STUB_FILTER  0x10000088 // struct sock_fprog, length 0: none
#define STUB_PRIVS   0x10000098 // int32: 1 to set no_new_privs first
#define STUB_STATUS  0x1000009c // int32: to exit with where there is nothing to execute
#define STUB_IGNORE  0x100000a0 // uint64: signals to ignore, bit N-1 for signal N
#define STUB_SIGIGN  0x100000a8 // struct sigaction of SIG_IGN

TEXT ·stub(SB), NOSPLIT|NOFRAME, $0
	MOVQ STUB_IGNORE, R12
	MOVL $64, BX
ignore:
	LEAL -1(BX), CX
	BTQ  CX, R12
	JCC  next
	MOVL $13, AX                    // rt_sigaction(signo, SIG_IGN, NULL, 8)
	MOVL BX, DI
	MOVL $STUB_SIGIGN, SI
	MOVL $0, DX
	MOVL $8, R10
	SYSCALL
next:
	SUBL $1, BX
	JGT  ignore

wait:
	MOVL $0, AX                     // read(fd, sp-8, 1)
	MOVL STUB_FD, DI
	LEAQ -8(SP), SI
	MOVL $1, DX
	SYSCALL
	CMPQ AX, $-4                    // EINTR
	JEQ  wait
	CMPQ AX, $1                     // end of file: the recorder is gone
	JNE  die

	MOVL $3, AX                     // close(fd)
	MOVL STUB_FD, DI
	SYSCALL

	MOVL STUB_SAMPLES, BX
sample:
	MOVL $102, AX                   // getuid()
	SYSCALL
	SUBL $1, BX
	JGT  sample

	MOVWLZX STUB_FILTER, AX
	CMPL AX, $0
	JEQ  exec
	MOVL STUB_PRIVS, AX
	CMPL AX, $0
	JEQ  filter
	MOVL $157, AX                   // prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	MOVL $38, DI
	MOVL $1, SI
	MOVL $0, DX
	MOVL $0, R10
	MOVL $0, R8
	SYSCALL
filter:                                 // the engine sees whether the kernel takes it
	MOVL $317, AX                   // seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, fprog)
	MOVL $1, DI
	MOVL $4, SI
	MOVL $STUB_FILTER, DX
	SYSCALL

exec:
	MOVQ 0(SP), CX                  // argc
	MOVL $59, AX                    // execve(argv[0], argv+1, envp)
	MOVQ 8(SP), DI
	LEAQ 16(SP), SI
	LEAQ 16(SP)(CX*8), DX
	SYSCALL
die:
	MOVL $231, AX                   // exit_group(status)
	MOVL STUB_STATUS, DI
	SYSCALL
	INT  $3

TEXT ·stubAddr(SB), NOSPLIT, $0-8
	LEAQ ·stub(SB), AX
	MOVQ AX, ret+0(FP)
	RET
