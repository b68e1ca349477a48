/* Calls that are tampered with: each mode checks from the inside what came of
 * the expressions that TestTamper gives for it, in an empty directory. */
#include "prog.h"
#if defined __x86_64__
#define HAS_INT80 1
#endif

static volatile sig_atomic_t signals;

static void count(int signo) { signals += signo == SIGUSR1; }

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int make(int i)
{
	char name[20];
	snprintf(name, sizeof name, "d%d", i);
	return syscall(SYS_mkdirat, AT_FDCWD, name, 0700);
}

static int made(int i)
{
	char name[20];
	snprintf(name, sizeof name, "d%d", i);
	return access(name, F_OK) == 0;
}

/* mkdirat:error=EIO:when=2..5+2 */
static void error(void)
{
	for (int i = 1; i <= 6; i++) {
		int fails = i == 2 || i == 4, r = make(i), e = errno;
		CHECK(r == (fails ? -1 : 0));
		CHECK(!fails || e == EIO);
		CHECK(made(i) == !fails);
	}
}

/* mkdirat:error=EIO, mkdirat:error=ENOSPC:when=2+2: the last one holds */
static void last(void)
{
	for (int i = 1; i <= 5; i++) {
		int r = make(i), e = errno;
		CHECK(i % 2 ? r == 0 : r == -1 && e == ENOSPC);
	}
}

/* unlinkat:retval=0 dup:retval=42 ftruncate:retval=0 fchdir:retval=0 getppid:retval=12345 */
static void retval(void)
{
	char before[PATH_MAX], after[PATH_MAX];
	int fd = open("file", O_CREAT | O_RDWR, 0600), dir = open("/", O_RDONLY);
	CHECK(fd >= 0 && dir >= 0);
	CHECK(syscall(SYS_unlinkat, AT_FDCWD, "file", 0) == 0);
	CHECK(access("file", F_OK) == 0);
	CHECK(syscall(SYS_dup, fd) == 42);
	CHECK(fcntl(42, F_GETFD) == -1 && errno == EBADF);
	CHECK(getcwd(before, sizeof before));
	CHECK(fchdir(dir) == 0);
	CHECK(getcwd(after, sizeof after) && !strcmp(before, after));
	CHECK(syscall(SYS_ftruncate, fd, 100L) == 0);
	CHECK(lseek(fd, 0, SEEK_END) == 0);
	CHECK(syscall(SYS_getppid) == 12345);
}

/* mkdirat:signal=USR1:when=1 getppid:signal=10:error=ESRCH ppoll:signal=SIGUSR1 */
static void signalled(void)
{
	struct sigaction a = {.sa_handler = count};
	sigaction(SIGUSR1, &a, NULL);
	CHECK(make(1) == 0 && made(1) && signals == 1);
	CHECK(make(2) == 0 && signals == 1);
	CHECK(syscall(SYS_getppid) == -1 && errno == ESRCH && signals == 2);
	/* It would wait for ever. */
	CHECK(syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0) == -1 && errno == EINTR && signals == 3);
}

/* getppid:delay_enter=30ms getpgid:delay_exit=0.03s
 * getsid:delay_enter=20000:delay_exit=20000us:error=EPERM */
static void delay(void)
{
	int64_t t = now();
	CHECK(syscall(SYS_getppid) == getppid());
	CHECK(now() - t >= 60000000);
	t = now();
	CHECK(syscall(SYS_getpgid, 0) > 0);
	CHECK(now() - t >= 30000000);
	t = now();
	CHECK(syscall(SYS_getsid, 0) == -1 && errno == EPERM);
	CHECK(now() - t >= 40000000);
}

static void *rests(void *p)
{
	syscall(SYS_getppid);
	fail("it has come back");
	return p;
}

/* getppid:delay_enter=9000s: other threads go on, and so does the end of all */
static void rest(void)
{
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, rests, NULL) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(make(i) == 0);
	pid_t child = fork();
	if (child == 0) {
		syscall(SYS_getppid);
		_exit(1);
	}
	int status;
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

/* mkdirat:poke_enter=@arg2=64393900 readlinkat:poke_exit=@arg3=4243
 * symlinkat:poke_enter=@arg1=58,@arg3=6c00:poke_exit=@arg1=59:error=EROFS:when=2
 * The first name is a literal, in memory that cannot be written to. */
static void poke(void)
{
	const char *volatile literal = "another";
	char b[8] = "", target[] = "abcdef", link[] = "no";
	CHECK(syscall(SYS_symlinkat, "abcdef", AT_FDCWD, "link") == 0);
	CHECK(syscall(SYS_mkdirat, AT_FDCWD, literal, 0700) == 0);
	CHECK(made(99) && !strcmp(literal, "d99"));
	CHECK(syscall(SYS_readlinkat, AT_FDCWD, "link", b, 6) == 6 && !memcmp(b, "BCcdef", 6));
	CHECK(syscall(SYS_symlinkat, target, AT_FDCWD, link) == -1 && errno == EROFS);
	CHECK(!strcmp(target, "Ybcdef") && !strcmp(link, "l"));
}

static void *fails2nd(void *p)
{
	for (int i = 0; i < 4; i++) {
		int r = syscall(SYS_getpgid, 0), e = errno;
		CHECK(i == 1 ? r == -1 && e == ENOMEM : r > 0);
		r = syscall(SYS_getsid, 0), e = errno;
		CHECK(i == 1 ? r == -1 && e == ENOMEM : r >= 0);
	}
	return p;
}

/* getpgid,getsid:error=ENOMEM:when=2: counted for each thread and call */
static void counts(void)
{
	pthread_t t;
	fails2nd(NULL);
	CHECK(pthread_create(&t, NULL, fails2nd, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
	pid_t child = fork();
	if (child == 0) {
		fails2nd(NULL);
		_exit(0);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* fork,vfork,clone,clone3:error=EAGAIN %process of others as they are */
static void nofork(void)
{
	pthread_t t;
	CHECK(fork() == -1 && errno == EAGAIN);
	CHECK(vfork() == -1 && errno == EAGAIN);
	CHECK(pthread_create(&t, NULL, rests, NULL) == EAGAIN);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

/* execve:error=ENOENT:when=1, vfork:delay_enter=1ms:delay_exit=1ms, clone:delay_exit=1ms */
static void noexec(void)
{
	char *argv[] = {"true", NULL};
	for (int i = 0; i < 2; i++) {
		pid_t child = i ? fork() : vfork();
		if (child == 0) {
			execve("/bin/true", argv, environ);
			if (errno != ENOENT)
				_exit(3);
			execve("/bin/true", argv, environ);
			_exit(4);
		}
		int status;
		CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
	}
}

/* exit_group:error=EIO:when=1, rt_sigprocmask:retval=0:when=1 */
static void noexit(void)
{
	errno = 0;
	CHECK(syscall(SYS_exit_group, 5) == -1 && errno == EIO);
}

/* getppid:syscall=getpid:error=EIO getpgid:syscall=getuid:retval=77 */
static void instead(void)
{
	for (int i = 0; i < 100; i++) {
		CHECK(syscall(SYS_getppid) == -1 && errno == EIO);
		CHECK(syscall(SYS_getpgid, 0) == 77);
	}
}

/* seccomp(2) of its own, and then as instead */
static void sandboxed(void)
{
	struct { unsigned short code; unsigned char jt, jf; unsigned k; } filter[] = {
		{0x20, 0, 0, 0},                      /* load the number */
		{0x15, 0, 1, 0xffffffff},             /* −1? */
		{6, 0, 0, 0x80000000},                /* SECCOMP_RET_KILL_PROCESS */
		{6, 0, 0, 0x7fff0000},                /* SECCOMP_RET_ALLOW */
	};
	struct { unsigned short len; void *filter; } prog = {4, filter};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, 2, &prog) == 0);
	instead();
	CHECK(make(1) == -1 && errno == ENOTTY);
}

#ifdef HAS_INT80
static long int80(long nr, long a, long b)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(a), "c"(b) : "memory", "r8", "r9", "r10", "r11");
	return r;
}
#endif

/* getppid:error=EIO:when=2 getpgid:retval=0xfffffffe getsid:syscall=getpid:retval=7, by int 0x80 */
static void i386(void)
{
#ifdef HAS_INT80
	CHECK(syscall(SYS_getppid) > 0);
	CHECK(int80(64, 0, 0) == getpid() || 1); /* counted apart */
	CHECK((int)int80(64, 0, 0) == -EIO);
	CHECK(syscall(SYS_getppid) == -1 && errno == EIO);
	CHECK((int)int80(132, 0, 0) == -2);
	CHECK((int)int80(147, 0, 0) == 7);
#else
	puts("no int 0x80 here");
	exit(77);
#endif
}

/* attached to while it waits: read:error=EIO:when=1 (the read that it is in) */
static void attached(void)
{
	char b;
	int fd[2];
	CHECK(pipe(fd) == 0);
	puts("ready");
	fflush(stdout);
	CHECK(syscall(SYS_read, fd[0], &b, 1) == -1 && errno == EIO);
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK(syscall(SYS_read, fd[0], &b, 1) == 1 && b == 'x');
}

/* Until a signal ends it: every getppid fails by injection, or none does any more. */
static void endless(void)
{
	pid_t parent = getppid();
	int injected = 0, real = 0;
	puts("ready");
	fflush(stdout);
	struct sigaction a = {.sa_handler = count};
	sigaction(SIGUSR1, &a, NULL);
	while (!signals) {
		long r = syscall(SYS_getppid);
		int e = errno;
		CHECK(r == -1 && e == EIO || r == parent);
		if (r == -1)
			injected++;
		else if (injected)
			real++;
	}
	printf("%d injected, then %d not\n", injected > 0, real > 0);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } modes[] = {
		{"error", error}, {"last", last}, {"retval", retval}, {"signal", signalled}, {"delay", delay}, {"rest", rest},
		{"poke", poke}, {"counts", counts}, {"nofork", nofork}, {"noexec", noexec}, {"noexit", noexit},
		{"instead", instead}, {"sandboxed", sandboxed}, {"i386", i386}, {"attached", attached}, {"endless", endless},
	};
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (argc > 1 && !strcmp(argv[1], modes[i].name)) {
			modes[i].run();
			return ok();
		}
	return 2;
}
