// Calls made at the ends of known chains of functions. Each writes its name to a
// descriptor that is not open; the functions below are what its stack must have.
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define function __attribute__((noinline, noclone)) static
// behind a call keeps it from becoming a jump.
#define behind __asm__ volatile("" ::: "memory")

function void mark(const char *name) { if (write(-1, name, strlen(name))) behind; }

function void inner(const char *name) { mark(name); behind; }
function void middle(const char *name) { inner(name); behind; }
function void outer(const char *name) { middle(name); behind; }

function void growing(int n)
{
	char *room = alloca(n);
	memset(room, 1, n);
	mark("growing");
	__asm__ volatile("" :: "r"(room) : "memory");
}

function void large(void)
{
	char room[200000];
	memset(room, 1, sizeof room);
	mark("large");
	__asm__ volatile("" :: "r"(room) : "memory");
}

function void deep(int n)
{
	if (n > 0)
		deep(n - 1);
	else
		mark("deep");
	behind;
}

function int compare(const void *a, const void *b)
{
	static int once;
	if (!once++)
		mark("compare");
	return *(const int *)a - *(const int *)b;
}

function void sorting(void)
{
	int numbers[] = {3, 1, 2};
	qsort(numbers, 3, sizeof *numbers, compare);
	behind;
}

function void handler(int sig) { mark(sig == SIGUSR1 ? "handler" : "altstack"); behind; }
function void raising(int sig) { raise(sig); behind; }

static jmp_buf back;

function void faulted(int sig) { (void)sig; mark("faulted"); siglongjmp(back, 1); }
function void faulting(int *where) { *where = 1; behind; }

// A call that does not return, the last thing in its function.
__attribute__((noreturn)) function void never(void) { mark("never"); longjmp(back, 1); }
__attribute__((noreturn)) function void last(void) { never(); }

function void *thread(void *name) { outer(name); return 0; }

function void child(void) { mark("vforked"); _exit(0); }
function void vforking(void)
{
	pid_t pid = vfork();
	if (pid == 0)
		child();
	waitpid(pid, 0, 0);
}

int main(void)
{
	outer("plain");
	growing(12345 + getpid() % 2);
	large();
	deep(20);
	sorting();

	struct sigaction act = {.sa_handler = handler};
	sigaction(SIGUSR1, &act, 0);
	raising(SIGUSR1);

	stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536};
	sigaltstack(&alt, 0);
	act.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &act, 0);
	raising(SIGUSR2);

	act.sa_handler = faulted;
	act.sa_flags = 0;
	sigaction(SIGSEGV, &act, 0);
	if (!sigsetjmp(back, 1))
		faulting(0);
	if (!setjmp(back))
		last();

	pthread_t t;
	pthread_create(&t, 0, thread, "thread");
	pthread_join(t, 0);
	vforking();

	outer("end");
	return 0;
}
