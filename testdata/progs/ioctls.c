/* Each ioctl request whose number stands in the file given, with arguments of
 * many forms: ioctls NUMBERS. */
#include "pretend.h"

enum { SIZE = 32768 };

int main(int argc, char **argv)
{
	char *m = room(SIZE);
	FILE *f = fopen(argv[1], "r");
	unsigned r;

	if (!f)
		return 1;
	pretend();
	while (fscanf(f, "%u", &r) == 1) {
#define IOCTL(arg, how) syscall(SYS_ioctl, -1, r, arg, 0, 0, how)
		IOCTL(0L, FAIL);
		IOCTL(16L, FINE);
		memset(m, 0, SIZE);
		IOCTL(m, FAIL);
		IOCTL(m, FINE);
		for (int i = 0; i < SIZE; i++)
			m[i] = 1 + i % 251;
		IOCTL(m, FAIL);
		IOCTL(m, FINE);
		memset(m, 0xff, SIZE);
		IOCTL(m, FINE);
	}
	return 0;
}
