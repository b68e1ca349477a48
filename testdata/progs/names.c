/* Writes into descriptors of all kinds what they are, as readlink of
 * /proc/self/fd/N shows it, behind a "=". Descriptors are made, copied, closed
 * and made again in every way; what is there is in the directory of the first
 * argument. */
#include "prog.h"
#include <sys/socket.h>

static const char *dir;

static void say(int fd)
{
	char name[64], link[1 + PATH_MAX] = "=";
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, link + 1, sizeof link - 1);
	CHECK(n > 0);
	CHECK(write(fd, link, n + 1) == n + 1);
}

static int at(int d, const char *name)
{
	int fd = openat(d, name, O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0);
	return fd;
}

static void fresh(const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = at(AT_FDCWD, path);
	say(fd);
	close(fd);
}

static int shared(void *arg)
{
	CHECK(dup2(*(int *)arg, 90) == 90); /* the parent's too */
	say(90);
	return 0;
}

static void *one(void *arg)
{
	char name[40];
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "thread-%d-%d", (int)(long)arg, i % 3);
		fresh(name);
	}
	return NULL;
}

static void files(void)
{
	fresh("a");
	fresh("b"); /* the same number */
	fresh("link"); /* to another directory */
	int d = open(dir, O_DIRECTORY), a = at(d, "a"), b = at(d, "b");
	say(a);
	CHECK(dup2(b, a) == a);
	say(a);
	say(dup(b));
	say(fcntl(a, F_DUPFD, 50));
	close_range(a, b, 0);
	CHECK(chdir(dir) == 0);
	CHECK((a = at(AT_FDCWD, "c")) >= 0);
	say(a);
	unlink("c");
	say(a);
	CHECK(chdir("sub") == 0);
	say(at(AT_FDCWD, "a"));
	CHECK(fchdir(d) == 0);
	say(a);
	close(a);
	close(d);
}

static void pairs(void)
{
	int p[2], s[2];
	for (int i = 0; i < 3; i++) {
		CHECK(pipe(p) == 0);
		say(p[1]);
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
		say(s[0]);
		say(s[1]);
		CHECK(dup2(p[1], s[0]) == s[0]);
		say(s[0]);
		close(p[1]);
		if (i != 1) {
			close(p[0]);
			close(s[0]);
			close(s[1]);
		}
	}
}

static void processes(void)
{
	static char stack[64 << 10];
	int a = open(dir, O_DIRECTORY), b = at(a, "b"), c = at(a, "c"), status;
	say(b);
	if (fork() == 0) {
		say(b);
		close(b);
		CHECK(dup2(c, b) == b);
		say(b);
		_exit(0);
	}
	CHECK(wait(&status) > 0 && status == 0);
	say(b);
	CHECK(clone(shared, stack + sizeof stack, CLONE_FILES | CLONE_VM | SIGCHLD, &c) > 0);
	CHECK(wait(&status) > 0 && status == 0);
	say(90);
	close(90);
	CHECK(fcntl(b, F_SETFD, FD_CLOEXEC) == 0);
	if (vfork() == 0) {
		char number[12];
		snprintf(number, sizeof number, "%d", c);
		execl("/proc/self/exe", "names", dir, number, NULL);
		_exit(1);
	}
	CHECK(wait(&status) > 0 && status == 0);
	say(b);
	close(a);
	close(b);
	close(c);
}

int main(int argc, char **argv)
{
	char go;
	dir = argv[1];
	if (argc > 2 && argv[2][0] != '-') { /* executed by processes() */
		say(atoi(argv[2]));
		fresh("executed");
		return 0;
	}
	if (argc > 2) /* to be attached to */
		CHECK(read(0, &go, 1) == 1);
	files();
	pairs();
	processes();
	pthread_t t[4];
	for (long i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, one, (void *)i) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return ok();
}
