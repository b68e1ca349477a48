/* execve and execveat: what they are given, and how they fail. */
#include "prog.h"
#include <linux/memfd.h>

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

static char self[4096];

/* In a child, that ends well if the call fails or what it runs does. */
#define TRY(call)                                                                      \
	do {                                                                           \
		pid_t p = fork();                                                      \
		if (p == 0) {                                                          \
			call;                                                          \
			_exit(errno);                                                  \
		}                                                                      \
		CHECK(p > 0 && waitpid(p, NULL, 0) == p);                              \
	} while (0)

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0700);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == strlen(text));
	close(fd);
	CHECK(chmod(name, mode) == 0);
}

int main(int argc, char **argv)
{
	if (argc > 0 && !strcmp(argv[argc - 1], "end"))
		return 0;
	hold_sigchld();
	CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);

	char *many[101], *env[] = {"A=1", "PATH=/bin", "LONG=0123456789012345678901234567890123456789", "", "NOEQUALS", NULL};
	for (int i = 0; i < 100; i++)
		many[i] = "argument";
	many[100] = NULL;
	many[98] = "0123456789012345678901234567890123456789 and more that does not fit";
	many[99] = "end";
	char *few[] = {"few", "with \"quotes\" and \\ \t\n\001\377", "", "end", NULL}, *none[] = {NULL};
	TRY(execve(self, many, env));
	TRY(execve(self, many + 68, env + 4));
	TRY(execve(self, many + 67, env + 5));
	TRY(execve(self, few, NULL));
	TRY(execve(self, few, none));
	TRY(execve("/nonexistent/0123456789012345678901234567890123456789", few, env));
	TRY(execve("/etc", few, env));
	TRY(execve("", few, env));
	TRY(execve(NULL, few, env));
	TRY(execve("/nonexistent", NULL, NULL));
	TRY(execve("/nonexistent", (char **)1, (char **)8));
	char *odd[] = {"a", (char *)1, "b", NULL};
	TRY(execve("/nonexistent", odd, odd));
	TRY(execve(self, odd, odd));

	put("script", "#!/bin/true  an argument \n", 0700);
	put("noexec", "#!/bin/true\n", 0600);
	put("nobody", "#!/nonexistent\n", 0700);
	put("text", "not a program\n", 0700);
	put("empty", "", 0700);
	put("again", "#!./script\n", 0700);
	static char *files[] = {"./script", "./noexec", "./nobody", "./text", "./empty", "./again"};
	for (int i = 0; i < 6; i++)
		TRY(execve(files[i], few, env));

	int fd = open(".", O_PATH | O_CLOEXEC);
	TRY(syscall(SYS_execveat, fd, "script", few, env, 0));
	TRY(syscall(SYS_execveat, AT_FDCWD, "./script", few, env, AT_SYMLINK_NOFOLLOW));
	CHECK(symlink(self, "link") == 0);
	TRY(syscall(SYS_execveat, fd, "link", few, env, AT_SYMLINK_NOFOLLOW));
	TRY(syscall(SYS_execveat, fd, "link", few, env, 0));
	TRY(syscall(SYS_execveat, -1, "link", few, env, 0));
	TRY(syscall(SYS_execveat, fd, "link", few, env, 0x2345));
	TRY(syscall(SYS_execveat, AT_FDCWD, self, few, NULL, AT_EXECVE_CHECK));
	TRY(syscall(SYS_execveat, fd, "text", few, NULL, AT_EXECVE_CHECK));
	int mem = syscall(SYS_memfd_create, "program", MFD_CLOEXEC), from = open(self, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	for (ssize_t n; (n = read(from, buf, sizeof buf)) > 0;)
		CHECK(write(mem, buf, n) == n);
	TRY(syscall(SYS_execveat, mem, "", few, env, AT_EMPTY_PATH));
	TRY(syscall(SYS_execveat, mem, "", few, env, 0));
	int prog = open(self, O_PATH);
	TRY(syscall(SYS_execveat, prog, "", few, env, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
	close(prog);
	for (int i = 0; i < 6; i++)
		unlink(files[i]);
	unlink("link");
	return ok();
}
