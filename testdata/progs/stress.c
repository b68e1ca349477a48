/* Everything at once: processes with threads that fork, vfork, execute
 * programs, also from threads that are not the leader, get signals, are
 * stopped, exit while their threads are busy, and are killed, all at random
 * and several at a time. Each counts in shared memory what it does; the counts
 * are printed at the end, a line a process.
 *
 *     stress ROUNDS [SEED]
 *     stress ROUNDS SEED attach   prints its PID, goes on until SIGUSR2 comes,
 *                                 then does ROUNDS; what began with them is
 *                                 told by a line of its own at the end
 *
 * A process has a serial number, which is the path of its marked calls. */
#include "prog.h"
#include <sys/resource.h>

enum { SLOTS = 400000, WORKERS = 6 };

/* What is known of a process. */
struct slot {
	int parent, pid, how, depth;
	int status, reaped;
	int exact;             /* no thread is ended in the middle of what it does */
	atomic_int begun, done; /* marked calls */
	atomic_int threads, execs, failed;
	atomic_int queued, plain; /* signals that a handler has seen */
	atomic_int stops, quit, ready;
};

struct shared {
	atomic_int next;
	struct slot slot[SLOTS];
};

static struct shared *sh;
static struct slot *self;
static int memfd;
static char exe[PATH_MAX];

static int serial(struct slot *s) { return s - sh->slot; }

static void call(struct slot *s)
{
	char path[40];
	snprintf(path, sizeof path, "/mark/%d", serial(s));
	atomic_fetch_add(&s->begun, 1);
	access(path, F_OK);
	atomic_fetch_add(&s->done, 1);
}

static void calls(struct slot *s, int n)
{
	while (n-- > 0)
		call(s);
}

static unsigned rnd(unsigned *seed, unsigned n) { return rand_r(seed) % n; }

static void on(int sig, siginfo_t *si, void *ctx)
{
	int e = errno;
	if (sig == SIGUSR1 && si->si_code == SI_USER)
		atomic_fetch_add(&self->plain, 1);
	else if (si->si_code == SI_QUEUE)
		atomic_fetch_add(&self->queued, 1);
	errno = e;
	(void)ctx;
}

static void handlers(void)
{
	struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGRTMIN + 2, &a, NULL);
}

static void mask(int how)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(how, &all, NULL);
}

/* The orderly end: what is pending stays so. */
static void end(int status)
{
	mask(SIG_BLOCK);
	_exit(status);
}

static struct slot *new_slot(struct slot *parent, int how, int depth)
{
	int n = atomic_fetch_add(&sh->next, 1);
	CHECK(n < SLOTS);
	struct slot *s = &sh->slot[n];
	s->parent = serial(parent);
	s->how = how;
	s->depth = depth;
	s->exact = 1;
	return s;
}

static void reap(struct slot *s, pid_t pid)
{
	int st;
	pid_t p;
	while ((p = waitpid(pid, &st, 0)) < 0 && errno == EINTR)
		;
	CHECK(p == pid);
	s->status = st;
	s->reaped = 1;
}

static void thread(pthread_t *t, void *(*f)(void *), void *arg)
{
	atomic_fetch_add(&self->threads, 1);
	CHECK(pthread_create(t, NULL, f, arg) == 0);
}

static void *few(void *unused)
{
	calls(self, 5);
	return unused;
}

static void *loop(void *unused)
{
	while (!atomic_load(&self->quit)) {
		calls(self, 10);
		usleep(300);
	}
	return unused;
}

static void *block(void *fd)
{
	char c;
	read((int)(long)fd, &c, 1);
	return fd;
}

static void leaf(struct slot *s, const char *path)
{
	char fd[20], n[20];
	sprintf(fd, "%d", memfd);
	sprintf(n, "%d", serial(s));
	char *argv[] = {"stress", "leaf", fd, n, NULL}, *envp[] = {NULL};
	execve(path, argv, envp);
	atomic_fetch_add(&s->failed, 1);
}

static void *exec_thread(void *unused)
{
	leaf(self, "/no-such-dir/stress");
	leaf(self, exe);
	fail("execve");
	return unused;
}

static void child(struct slot *s, unsigned seed);

/* A random child of a thread, and its end. */
static void *family(void *arg)
{
	unsigned seed = (unsigned)(long)arg;
	calls(self, 3);
	struct slot *s = new_slot(self, rnd(&seed, 11), self->depth + 1);
	struct slot *me = self;
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	if (rnd(&seed, 3) == 0) {
		s->how = 100; /* vfork and execve */
		pid_t p = vfork();
		if (p == 0) {
			s->pid = getpid();
			call(s);
			leaf(s, exe);
			_exit(99);
		}
		CHECK(p > 0);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		reap(s, p);
	} else {
		pid_t p = fork();
		if (p == 0) {
			self = s;
			pthread_sigmask(SIG_SETMASK, &old, NULL);
			child(s, seed);
		}
		CHECK(p > 0);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		reap(s, p);
	}
	calls(me, 2);
	return arg;
}

/* Forks without end; its children outlive it. */
static void *litter(void *unused)
{
	while (!atomic_load(&self->quit)) {
		struct slot *s = new_slot(self, 101, self->depth + 1);
		pid_t p = fork();
		if (p == 0) {
			self = s;
			s->pid = getpid();
			calls(s, 2);
			end(17);
		}
		s->pid = p;
		call(self);
	}
	return unused;
}

/* Signals s from outside: what it is to count. */
static void storm(struct slot *s, pid_t p, unsigned *seed)
{
	int sent = 0;
	for (int i = 0; i < 10; i++) {
		if (sigqueue(p, SIGRTMIN + 2, (union sigval){0}) == 0)
			sent++;
		if (rnd(seed, 2))
			kill(p, SIGUSR1);
	}
	for (int i = 0; atomic_load(&s->queued) < sent; i++) {
		CHECK(i < 60000);
		sleep_ms(1);
	}
	CHECK(atomic_load(&s->queued) == sent);
}

static void stops(struct slot *s, pid_t p, unsigned *seed)
{
	int st;
	for (int i = 1 + rnd(seed, 3); i > 0; i--) {
		CHECK(kill(p, SIGSTOP) == 0);
		CHECK(waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
		int before = atomic_load(&s->begun);
		usleep(rnd(seed, 1000));
		CHECK(atomic_load(&s->begun) == before);
		CHECK(kill(p, SIGCONT) == 0);
		CHECK(waitpid(p, &st, WCONTINUED) == p && WIFCONTINUED(st));
		atomic_fetch_add(&s->stops, 1);
	}
}

/* A child that its parent does something to. */
static void victim(struct slot *me, int how, unsigned seed)
{
	struct slot *s = new_slot(me, 200 + how, me->depth + 1);
	mask(SIG_BLOCK);
	pid_t p = fork();
	if (p == 0) {
		pthread_t t[3];
		int pipefd[2];
		alarm(300);
		self = s;
		s->pid = getpid();
		call(s);
		handlers();
		mask(SIG_UNBLOCK);
		CHECK(pipe(pipefd) == 0);
		if (how == 4)
			thread(&t[0], litter, NULL);
		else
			thread(&t[0], loop, NULL);
		thread(&t[1], how == 3 ? block : loop, (void *)(long)pipefd[0]);
		atomic_store(&s->ready, 1);
		loop(NULL);
		pthread_join(t[0], NULL);
		pthread_join(t[1], NULL);
		end(40 + how);
	}
	CHECK(p > 0);
	mask(SIG_UNBLOCK);
	s->pid = p;
	if (how == 3 || how == 4) { /* killed, at any moment */
		s->exact = 0;
		usleep(rnd(&seed, 4000));
		CHECK(kill(p, SIGKILL) == 0);
		reap(s, p);
		CHECK(WIFSIGNALED(s->status) && WTERMSIG(s->status) == SIGKILL);
		return;
	}
	while (!atomic_load(&s->ready))
		sleep_ms(1);
	if (how == 1)
		storm(s, p, &seed);
	if (how == 2)
		stops(s, p, &seed);
	atomic_store(&s->quit, 1);
	reap(s, p);
	CHECK(WIFEXITED(s->status) && WEXITSTATUS(s->status) == 40 + how);
}

/* What a child does. */
static void child(struct slot *s, unsigned seed)
{
	pthread_t t[4];
	int n = 0, pipefd[2];
	struct rlimit none = {0};
	s->pid = getpid();
	call(s);
	switch (s->how) {
	case 0: /* threads */
		for (n = 0; n < 4; n++)
			thread(&t[n], few, NULL);
		while (n-- > 0)
			pthread_join(t[n], NULL);
		break;
	case 1: /* families of threads */
	case 2:
		if (s->depth > 2)
			break;
		for (n = 0; n < 2; n++)
			thread(&t[n], family, (void *)(long)rand_r(&seed));
		while (n-- > 0)
			pthread_join(t[n], NULL);
		break;
	case 3: /* execve */
		leaf(s, "/no-such-dir/stress");
		leaf(s, exe);
		fail("execve");
	case 4: /* execve by a thread while the others are busy */
		mask(SIG_BLOCK);
		s->exact = 0;
		CHECK(pipe(pipefd) == 0);
		thread(&t[0], loop, NULL);
		thread(&t[1], block, (void *)(long)pipefd[0]);
		thread(&t[2], exec_thread, NULL);
		if (rnd(&seed, 2))
			loop(NULL);
		block((void *)(long)pipefd[0]);
	case 5: /* exit while the threads are busy */
		s->exact = 0;
		CHECK(pipe(pipefd) == 0);
		thread(&t[0], loop, NULL);
		thread(&t[1], block, (void *)(long)pipefd[0]);
		usleep(rnd(&seed, 1000));
		end(15);
	case 6: /* the leader ends first */
		thread(&t[0], few, NULL);
		pthread_exit(NULL);
	case 7: /* a fatal signal */
		setrlimit(RLIMIT_CORE, &none);
		s->exact = 0;
		thread(&t[0], loop, NULL);
		*(volatile int *)0x1230 = 1;
	case 8: /* signals, stops, kills */
	case 9:
	case 10:
		for (int how = 1; how <= 4; how++)
			if (rnd(&seed, 2))
				victim(s, how, rand_r(&seed));
		break;
	}
	calls(s, 3);
	end(10 + s->how);
}

static int expected(struct slot *s)
{
	switch (s->how) {
	case 3:
	case 4:
	case 100:
		return 23 << 8; /* leaf */
	case 6:
		return 0;
	case 7:
		return SIGSEGV;
	case 101:
		return 17 << 8;
	}
	return (10 + s->how) << 8;
}

/* A number of children at once, and all that they have left behind. */
static void do_round(unsigned *seed)
{
	struct slot *s[WORKERS];
	int first = atomic_load(&sh->next), st;
	pid_t p;
	for (int i = 0; i < WORKERS; i++) {
		unsigned own = rand_r(seed);
		s[i] = new_slot(self, rnd(seed, 11), 1);
		call(self);
		p = fork();
		CHECK(p >= 0);
		if (p == 0) {
			self = s[i];
			child(self, own);
		}
		s[i]->pid = p;
	}
	while ((p = wait(&st)) > 0 || errno == EINTR) {
		int n = atomic_load(&sh->next);
		for (int i = first; p > 0 && i < n; i++) {
			struct slot *o = &sh->slot[i];
			if (o->pid != p || o->reaped)
				continue;
			o->status = st;
			o->reaped = 1;
			if (st != expected(o)) {
				printf("process %d, which does %d, ended with %#x\n", p, o->how, st);
				_exit(1);
			}
			break;
		}
	}
	CHECK(errno == ECHILD);
	call(self);
}

static void print(void)
{
	for (int i = 0; i < atomic_load(&sh->next); i++) {
		struct slot *s = &sh->slot[i];
		if (s->pid && !s->reaped && i > 0) {
			printf("process %d (%d, which does %d) has not ended\n", i, s->pid, s->how);
			_exit(1);
		}
		printf("%d %d %d %d %d %d %d %d %d %d %d %d %d %d\n", i, s->parent, s->pid, s->how, s->status, s->exact,
			s->begun, s->done, s->threads, s->execs, s->failed, s->queued, s->plain, s->stops);
	}
}

static volatile sig_atomic_t counted;
static void on_usr2(int sig) { counted = 1; (void)sig; }

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	if (argc > 3 && !strcmp(argv[1], "leaf")) {
		memfd = atoi(argv[2]);
		sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
		CHECK(sh != MAP_FAILED);
		struct slot *s = &sh->slot[atoi(argv[3])];
		atomic_fetch_add(&s->execs, 1);
		calls(s, 2);
		end(23);
	}
	CHECK(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	CHECK((memfd = memfd_create("stress", 0)) >= 0);
	CHECK(ftruncate(memfd, sizeof *sh) == 0);
	sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	CHECK(sh != MAP_FAILED);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	self = &sh->slot[0];
	atomic_store(&sh->next, 1);
	self->exact = 1;
	self->pid = getpid();
	int rounds = atoi(argv[1]), from = 0;
	unsigned seed = argc > 2 ? atoi(argv[2]) : 1;
	if (argc > 3) {
		struct sigaction a = {.sa_handler = on_usr2, .sa_flags = SA_RESTART};
		sigaction(SIGUSR2, &a, NULL);
		printf("%d\n", getpid());
		fflush(stdout);
		while (!counted)
			do_round(&seed);
		from = atomic_load(&sh->next);
	}
	while (rounds-- > 0)
		do_round(&seed);
	print();
	if (from)
		printf("%d\n", from);
	return ok();
}
