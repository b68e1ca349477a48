/* Signals: siginfo_t by signal and code, actions, sets, stacks, statuses. */
#include "pretend.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { FRONT = 16 }; /* si_signo, si_errno, si_code */

static void fill(char *info, int signo, int errnum, int code, int form)
{
	static const uint32_t pieces[] = {0, 1, 7, 1000, 0xffffffff, 0x7fff, 0xc000003e, 11, 0x40000003, 0x80};
	uint32_t *u = (uint32_t *)info;

	for (int i = 4; i < 32; i++)
		u[i] = form == 0 ? 0 : form == 1 ? pieces[(i * 3 + code) & 7] : form == 2 ? (i % 3 ? 0 : pieces[(i + signo) % 10]) : 0x1000 * i + signo;
	u[0] = signo;
	u[1] = errnum;
	u[2] = code;
}

int main(void)
{
	static const int codes[] = {-0x80000000, -70, -61, -60, -59, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
		17, 0x7f, 0x80, 0x81, 0x1000};
	static const uint64_t sets[] = {0, 1, 0xffffffffffffffff, 0xfffffffffffffffe, 0x7fffffff, 0x80000000, 0xffffffff00000000, 0x3ffffffffff,
		0x7ffffffffff, 0xfffffffffff, 0x8000000000000000, 0x5555555555555555, 0xfffffffe7ffbfeff};
	char *info = room(128);
	uint64_t *set = (uint64_t *)room(16), *act = (uint64_t *)room(160), *stack = (uint64_t *)room(24);
	struct timespec *t = (struct timespec *)room(sizeof *t);

	*t = (struct timespec){1, 5};
	pretend();
	for (int signo = -1; signo < 67; signo++) {
		for (int c = 0; c < 35; c++) {
			for (int form = (signo + c) % 4 ? signo & 1 : 0; form < 4; form += (signo + c) % 4 ? 2 : 1) {
				fill(info, signo, (int[]){0, 22, 4095, -1}[(c + form) % 4], codes[c], form);
				syscall(SYS_rt_sigqueueinfo, 1L, (long)signo, info, 0, 0, form % 2 ? FINE : FAIL);
			}
		}
		fill(info, signo, 0, 1, 3);
		syscall(SYS_rt_tgsigqueueinfo, 1L, 2L, (long)signo, info, 0, FINE);
		syscall(424, 5L, (long)signo, info, signo < 0 ? 0x5L : signo % 8, 0, FAIL); /* pidfd_send_signal */
		syscall(424, -1L, (long)signo, 0L, -1L, 0, FAIL);
		syscall(SYS_rt_sigqueueinfo, -1L, (long)signo, info + 4, 0, 0, FINE);
		syscall(SYS_kill, -5L, (long)signo, 0, 0, 0, FINE);
		syscall(SYS_tgkill, 1L, 2L, signo | 0x100000000L, 0, 0, FINE);
		syscall(SYS_tkill, 1L, (long)signo, 0, 0, 0, FAIL);
		syscall(SYS_waitid, signo - 1L, 7L, info, signo * 0x1111111L, 0L, FINE);
		syscall(SYS_waitid, 1L, 7L, info, 4L, info, FAIL);
		fill(info, 17, 0, signo & 7, signo & 3);
		syscall(SYS_waitid, 1L, (long)signo, info, 4L, info, FINE);
		syscall(SYS_rt_sigaction, (long)signo, act, act, 8L, 0, FINE);
	}
	for (int i = 0; i < 13; i++) {
		set[0] = sets[i];
		set[1] = sets[12 - i];
		for (int size = 0; size < 24; size = size < 9 ? size + 1 : size + 6) {
			for (int end = FINE; end <= FAIL; end++) {
				syscall(SYS_rt_sigprocmask, (long)size % 5 - 1, set, set, (long)size, 0, end);
				syscall(SYS_rt_sigprocmask, 0L, 0L, set + 1, (long)size, 0, end);
				syscall(SYS_rt_sigprocmask, (long)i, (char *)set + 12, set, (long)size, 0, end);
				syscall(SYS_rt_sigpending, set, (long)size, 0, 0, 0, end);
				syscall(SYS_rt_sigtimedwait, set, info, t, (long)size, 0, end);
				syscall(SYS_rt_sigtimedwait, set + 1, 0L, (char *)t + 8, (long)size, 0, end);
				syscall(SYS_signalfd4, -1L, set, (long)size, 0x80800L * (i % 3), 0, end);
				syscall(SYS_signalfd, 3L, set + 1, (long)size, 0, 0, end);
			}
			syscall(SYS_rt_sigsuspend, set, (long)size, 0, 0, 0, FAIL);
		}
		for (int f = i < 2 ? 0 : i % 3; f < 40; f += i < 2 ? 1 : 3) {
			act[0] = (uint64_t[]){0, 1, -1, 0x401000, 2}[f % 5];
			act[1] = f < 32 ? 1u << f : (uint64_t[]){0, 0x14000000, 0xffffffff, 0x100000000, -1, 0xdc000007, 0x80000c00, 0x4000000}[f - 32];
			act[2] = f % 3 ? 0x7ffff7e01000 : 0;
			act[3] = sets[i];
			syscall(SYS_rt_sigaction, f + 1L, act, 0L, 8L, 0, FINE);
			syscall(SYS_rt_sigaction, f + 31L, act, act, 8L, 0, FAIL);
			syscall(SYS_rt_sigaction, 17L, 0L, act, 8L, 0, FINE);
			syscall(SYS_rt_sigaction, 2L, (char *)act + 8, act, f, 0, FINE);
			stack[0] = f % 2 ? 0x10000 : 0;
			stack[1] = act[1];
			stack[2] = 4096 * i;
			syscall(SYS_sigaltstack, stack, f % 3 ? 0 : stack, 0, 0, 0, FINE);
			syscall(SYS_sigaltstack, stack + 1, stack, 0, 0, 0, FAIL);
		}
	}
	return 0;
}
