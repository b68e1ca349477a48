// Reads a file, its argument, in several ways; then what is not a file.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char buf[1 << 20], more[1 << 20];

int main(int argc, char **argv)
{
	int fd = open(argv[1], O_RDONLY);
	read(fd, buf, sizeof buf);
	pread(fd, buf, 5000, 100);
	struct iovec v[3] = {{buf, 10}, {more, 4000}, {buf + 4096, 3000}};
	lseek(fd, 0, SEEK_SET);
	readv(fd, v, 3);
	preadv(fd, v, 3, 7);
	pread(fd, buf, 32, 0); // kept whole
	int copy = dup2(fd, 9);
	lseek(copy, 0, SEEK_SET);
	read(copy, buf, 8192);

	int p[2];
	pipe(p);
	write(p[1], more, 6000);
	dup2(p[0], copy); // the number stands for something else now
	read(copy, buf, 6000);
	int zero = open("/dev/zero", O_RDONLY);
	read(zero, buf, 6000);
	read(zero, buf, 600);
	int proc = open("/proc/self/smaps", O_RDONLY);
	read(proc, buf, 6000);
	puts("ok");
	return 0;
}
