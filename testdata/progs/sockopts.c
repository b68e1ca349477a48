/* Socket options by level and number, with values of several lengths. */
#include "pretend.h"

enum { SIZE = 4096 };

static char *m;
static unsigned len;

#define SET(p, n) syscall(SYS_setsockopt, -1, level, opt, p, n, FINE)
#define GET(p, n, how) (len = n, syscall(SYS_getsockopt, -1, level, opt, p, &len, how))

/* The calls with an option that tell how its value is read. */
static void option(int level, int opt)
{
	memset(m, opt % 2 ? 0x11 : 0, SIZE);
	SET(m, 4);
	SET(m, 0);
	SET(m, 16);
	SET(16L, 4);
	GET(m, 4, FINE);
	GET(m, 0, FINE);
	GET(m, 16, FINE);
	GET(m, 4, FAIL);
}

/* Values longer than one that is read whole, shorter, negative, and at the end
 * of what can be read. */
static void lengths(int level, int opt)
{
	static const int all[] = {-1, 1, 3, 8, 12, 20, 136, 200};

	for (int i = 0; i < SIZE; i++)
		m[i] = 1 + i % 251;
	for (int l = 0; l < sizeof all / sizeof *all; l++) {
		SET(m, all[l]);
		GET(m, all[l], FINE);
	}
	SET(m + SIZE - 2, 4);
	GET(m + SIZE - 2, 4, FINE);
	GET(m + SIZE, 4, FINE);
	GET(NULL, 4, FINE);
	syscall(SYS_getsockopt, -1, level, opt, m, NULL, FINE);
	syscall(SYS_getsockopt, -1, level, opt, m, 16L, FINE);
}

int main(void)
{
	/* SOL_IP, SOL_SOCKET, SOL_TCP, SOL_UDP, SOL_IPV6, SOL_ICMPV6, SOL_RAW, SOL_PACKET, SOL_NETLINK, SOL_TIPC,
	 * SOL_TLS, SOL_XDP, SOL_MPTCP */
	static const int levels[] = {0, 1, 6, 17, 41, 58, 255, 263, 270, 271, 282, 283, 284};
	/* what of the others has names */
	static const int more[] = {21, 29, 33, 40, 65, 101, 132, 136, 256, 257, 262, 264, 266, 268, 269, 272, 273, 274,
		275, 276, 277, 278, 279, 280, 281, 285, 286, 287};

	m = room(SIZE);
	pretend();
	for (int l = 0; l < sizeof levels / sizeof *levels; l++) {
		for (int opt = 0; opt < (levels[l] == 1 ? 92 : l < 5 ? 72 : 30); opt++)
			option(levels[l], opt);
		for (int opt = 0; opt < 60; opt += levels[l] == 1 ? 1 : 3)
			lengths(levels[l], opt);
	}
	for (int l = 0; l < sizeof more / sizeof *more; l++)
		for (int opt = 0; opt < 16; opt++)
			option(more[l], opt);
	return 0;
}
