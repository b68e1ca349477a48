/* Socket addresses of every family and of many lengths. No call gets further
 * than to its descriptor, which is none. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	static const int lengths[] = {2, 3, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 27, 28, 32, 48, 64, 88, 110, 128};
	unsigned char b[256];

	for (int family = 0; family < 50; family++) {
		for (int form = 0; form < 3; form++) {
			for (int i = 0; i < sizeof b; i++)
				b[i] = form == 0 ? 0 : form == 1 ? 1 + i : 0xff;
			b[0] = family;
			b[1] = 0;
			for (int i = 0; i < sizeof lengths / sizeof *lengths; i++)
				syscall(SYS_bind, -1, b, lengths[i]);
		}
	}
	return 0;
}
