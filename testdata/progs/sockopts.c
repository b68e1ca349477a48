/* Socket options by level and number, with values of several lengths. */
#include "pretend.h"

int main(void)
{
	/* SOL_IP, SOL_SOCKET, SOL_TCP, SOL_IPV6, SOL_PACKET, SOL_NETLINK, SOL_TIPC, SOL_TLS */
	static const int levels[] = {0, 1, 6, 41, 263, 270, 271, 282};
	char *m = room(4096);
	unsigned len;

	pretend();
	for (int l = 0; l < sizeof levels / sizeof *levels; l++) {
		for (int opt = 0; opt < 50; opt++) {
#define SET(p, n) syscall(SYS_setsockopt, -1, levels[l], opt, p, n, FINE)
#define GET(p, n, how) (len = n, syscall(SYS_getsockopt, -1, levels[l], opt, p, &len, how))
			memset(m, opt % 2 ? 0x11 : 0, 4096);
			SET(m, 4);
			SET(m, 0);
			SET(m, 16);
			SET(16L, 4);
			GET(m, 4, FINE);
			GET(m, 0, FINE);
			GET(m, 16, FINE);
			GET(m, 4, FAIL);
		}
	}
	return 0;
}
