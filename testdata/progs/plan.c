/* Makes the calls that a plan lists, so that the text of each can be held
 * against strace's (TestEveryCall writes the plan from the table of calls).
 * Arguments are odd on purpose, so it first gives up every privilege and enters
 * namespaces of its own; it makes no call if it cannot.
 *
 * The plan is mapped where its pointers expect it: the calls, then the memory
 * they point to, behind which there is none. A call that begins a group runs in
 * a new child, in the directory of that group, with the descriptors of
 * descriptors(). */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE ((char *)0x20000000)
#define NOBODY 54321 /* nobody's processes: signals and priorities reach none */

/* A list ends with a call of a group only: nr END. */
struct call {
	uint64_t nr, group, args[6];
};
#define END ((uint64_t)-1)

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(77);
	}
}

static void give_up_privileges(void)
{
	if (geteuid() == 0) {
		must(unshare(CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWNS) == 0, "unshare");
		must(setgroups(0, NULL) == 0, "setgroups");
		must(setresgid(NOBODY, NOBODY, NOBODY) == 0, "setresgid");
		must(setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
	} else {
		must(unshare(CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS) == 0, "unshare");
	}
	must(geteuid() != 0 && getuid() != 0, "privileges");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
}

static void limits(void)
{
	static const struct { int resource; rlim_t max; } limit[] = {
		{RLIMIT_NOFILE, 64}, {RLIMIT_FSIZE, 1 << 20}, {RLIMIT_CORE, 0}, {RLIMIT_MEMLOCK, 1 << 20},
		{RLIMIT_NPROC, 64}, {RLIMIT_AS, 1 << 30},
	};
	for (unsigned i = 0; i < sizeof limit / sizeof *limit; i++) {
		struct rlimit r = {limit[i].max, limit[i].max};
		setrlimit(limit[i].resource, &r);
	}
	for (int s = 1; s < 65; s++)
		if (s != SIGSEGV && s != SIGBUS && s != SIGILL && s != SIGCHLD && s != SIGSYS && s != SIGTRAP && s != SIGTERM && s != SIGINT)
			signal(s, SIG_IGN);
}

/* descriptors opens 0 to 13, none of which blocks. */
static void descriptors(void)
{
	int s[2], null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	closefrom(3);
	open("f", O_RDWR);                                              /* 3 */
	open("d", O_RDONLY | O_DIRECTORY);                              /* 4 */
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s);          /* 5 6 */
	pipe2(s, O_NONBLOCK);                                           /* 7 8 */
	epoll_create1(0);                                               /* 9 */
	eventfd(3, EFD_NONBLOCK);                                       /* 10 */
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);                  /* 11 */
	socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);                /* 12 */
	inotify_init1(IN_NONBLOCK);                                     /* 13 */
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	must(fd >= 0 && fstat(fd, &st) == 0, "plan");
	struct call *call = mmap(BASE, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
	must(call == (void *)BASE, "mmap");
	must(chdir(argv[2]) == 0, argv[2]);
	give_up_privileges();
	limits();
	umask(022);
	while (call->nr != END) {
		pid_t child = fork();
		must(child >= 0, "fork");
		if (child == 0) {
			char dir[32];
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			snprintf(dir, sizeof dir, "%u", (unsigned)call->group);
			must(chdir(dir) == 0, dir);
			descriptors();
			do {
				const uint64_t *a = call->args;
				syscall((long)call->nr, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
				call++;
			} while (!call->group);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		do
			call++;
		while (!call->group);
	}
	return 0;
}
