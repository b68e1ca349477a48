/* A failing execve leaves the process as it was; a successful one replaces
 * what its arguments were in. */
#include "prog.h"

int main(int argc, char **argv)
{
	if (argc > 1) {
		CHECK(!strcmp(argv[1], "first") && !strcmp(argv[2], "second argument"));
		return ok();
	}
	char *path = strdup("/no-such-dir/program");
	char *args[] = {path, "first", "second argument", NULL};
	CHECK(execv(path, args) == -1 && errno == ENOENT);
	CHECK(execv("/etc", args) == -1 && errno == EACCES);
	args[0] = "renamed";
	execv("/proc/self/exe", args);
	fail("execv");
}
