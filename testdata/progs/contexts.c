// Calls on files that have security contexts: in the working directory "file", the
// symbolic link "link" to it, "dir" and "dir/entry", labelled by the caller. Raw calls,
// for what they are and in which order is the C library's affair.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
	static char buf[4096];
	int pair[2];

	for (int i = 3; i < 300; i++) // so that numbers are certain
		close(i);
	int file = syscall(SYS_openat, AT_FDCWD, "file", O_RDONLY, 0);
	int dir = syscall(SYS_openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY, 0);

	syscall(SYS_read, file, buf, sizeof buf);
	syscall(SYS_faccessat, dir, "entry", F_OK);
	syscall(SYS_faccessat, dir, "absent", F_OK);
	syscall(SYS_faccessat, dir, "", F_OK); // the directory, for its label
	syscall(SYS_faccessat, -7, "entry", F_OK);
	syscall(SYS_faccessat, AT_FDCWD, "link", F_OK);
	syscall(SYS_faccessat, AT_FDCWD, "/proc/self/cwd/file", F_OK);
	syscall(SYS_faccessat, AT_FDCWD, "dir/proc/self", F_OK);
	syscall(SYS_faccessat, AT_FDCWD, NULL, F_OK);
	syscall(SYS_dup3, file, 9, 0); // 9 is nothing yet
	syscall(SYS_dup3, dir, 9, 0);
	syscall(SYS_close, 9);
	syscall(SYS_pipe2, pair, 0); // of no label
	syscall(SYS_ppoll, &(struct pollfd){file, POLLIN, 0}, 1, NULL, NULL, 0);
	syscall(SYS_linkat, dir, "entry", AT_FDCWD, "file", 0);

	int s = syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un un = {AF_UNIX, "file"};
	struct msghdr msg = {&un, sizeof un.sun_family + 5};
	syscall(SYS_connect, s, &un, sizeof un.sun_family + 5);
	syscall(SYS_sendmsg, s, &msg, 0);

	syscall(SYS_getdents64, dir, buf, sizeof buf);
	syscall(SYS_chdir, "dir");
	syscall(SYS_getcwd, buf, sizeof buf);
	// What the label is now counts.
	syscall(SYS_fsetxattr, file, "security.selinux", "u:r:two\nlines[!]2\"\1:", 20, 0);
	syscall(SYS_close, file);
	return 0;
}
