/* Control messages of many types and lengths, some too short for what they are
 * to hold. None is sent. */
#include "pretend.h"
#include <sys/socket.h>

int main(void)
{
	static const int kinds[][2] = {
		{SOL_SOCKET, 1}, {SOL_SOCKET, 2}, {SOL_SOCKET, 3}, {SOL_SOCKET, 29}, {SOL_SOCKET, 35}, {SOL_SOCKET, 37},
		{SOL_SOCKET, 40}, {SOL_SOCKET, 63}, {SOL_SOCKET, 64}, {SOL_SOCKET, 65}, {SOL_SOCKET, 99},
		{0, 1}, {0, 2}, {0, 6}, {0, 7}, {0, 8}, {0, 11}, {0, 20}, {0, 23}, {0, 25}, {0, 99},
		{41, 50}, {41, 52}, {17, 103}, {17, 104}, {282, 1}, {6, 1},
	};
	static const int lengths[] = {0, 1, 2, 4, 8, 11, 12, 15, 16, 17, 24, 31, 32, 36, 48, 60};
	char *end = room(512) + 512;

	pretend();
	for (int k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		for (int l = 0; l < sizeof lengths / sizeof *lengths; l++) {
			int n = lengths[l];
			char *c = end - 16 - n;
			struct msghdr m = {.msg_control = c, .msg_controllen = 16 + n};

			memcpy(c, &(size_t){16 + n}, 8);
			memcpy(c + 8, kinds[k], 8);
			for (int i = 0; i < n; i++)
				c[16 + i] = i + 1;
			syscall(SYS_sendmsg, -1, &m, 0, 0, 0, FINE);
		}
	}
	return 0;
}
