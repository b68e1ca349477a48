/* Control messages of many types and lengths, some too short for what they are
 * to hold, alone and in rows. None is sent. */
#include "pretend.h"
#include <sys/socket.h>

static char *end;

static size_t put(char *c, size_t len, int level, int type, size_t have)
{
	memcpy(c, &len, 8);
	memcpy(c + 8, &level, 4);
	memcpy(c + 12, &type, 4);
	for (int i = 16; i < have; i++)
		c[i] = i - 15;
	return have;
}

static void message(int level, int type, size_t n)
{
	char *c = end - 16 - n;
	struct msghdr m = {.msg_control = c, .msg_controllen = 16 + n};

	put(c, 16 + n, level, type, 16 + n);
	syscall(SYS_sendmsg, -1, &m, 0, 0, 0, FINE);
}

/* Messages one after the other, the last of which says that it is longer or
 * shorter than it is. */
static void rows(void)
{
	static const size_t lies[] = {0, 1, 15, 16, 17, 20, 24, 25, 100, 1ul << 31, 1ul << 32, -8ul}; // of -1 strace does not find the end;

	for (int i = 0; i < sizeof lies / sizeof *lies; i++) {
		for (int rest = 0; rest < 40; rest += 3) {
			char *c = end - 24 - 24 - rest;
			struct msghdr m = {.msg_control = c, .msg_controllen = 48 + rest, .msg_flags = 1 << i};

			put(c, 20, SOL_SOCKET, 1, 24);
			put(c + 24, lies[i], i % 2 ? SOL_SOCKET : 0, 1 + i % 3, 24);
			memset(c + 48, 0, rest);
			syscall(SYS_sendmsg, -1, &m, 0, 0, 0, FINE);
		}
	}
}

int main(void)
{
	static const int levels[] = {0, 1, 6, 17, 41, 132, 255, 263, 264, 270, 273, 275, 276, 277, 279, 280, 282, 283, 284, 285, 286, 999};
	static const int lengths[] = {0, 1, 2, 4, 8, 11, 12, 15, 16, 17, 24, 31, 32, 33, 36, 48, 60, 100};

	end = room(4096) + 4096;
	pretend();
	for (int type = 0; type < 104; type++) {
		message(0, type, 4);
		message(1, type, 4);
	}
	for (int level = 0; level < sizeof levels / sizeof *levels; level++)
		for (int type = 0; type < 4; type++)
			message(levels[level], type, 4);
	for (int l = 0; l < sizeof lengths / sizeof *lengths; l++) {
		static const int kinds[][2] = {
			{SOL_SOCKET, 1}, {SOL_SOCKET, 2}, {SOL_SOCKET, 3}, {SOL_SOCKET, 4}, {SOL_SOCKET, 29}, {SOL_SOCKET, 35},
			{SOL_SOCKET, 37}, {SOL_SOCKET, 40}, {SOL_SOCKET, 61}, {SOL_SOCKET, 63}, {SOL_SOCKET, 64},
			{SOL_SOCKET, 65}, {SOL_SOCKET, 78}, {SOL_SOCKET, 79}, {SOL_SOCKET, 80}, {SOL_SOCKET, 81}, {SOL_SOCKET, 99},
			{0, 1}, {0, 2}, {0, 3}, {0, 6}, {0, 7}, {0, 8}, {0, 11}, {0, 20}, {0, 23}, {0, 25}, {0, 99},
			{41, 11}, {41, 50}, {41, 52}, {17, 103}, {17, 104}, {282, 1}, {6, 1},
		};
		for (int k = 0; k < sizeof kinds / sizeof *kinds; k++)
			message(kinds[k][0], kinds[k][1], lengths[l]);
	}
	rows();
	return 0;
}
