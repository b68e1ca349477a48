/* quotactl and quotactl_fd by command. */
#include "pretend.h"

int main(void)
{
	static const long commands[] = {0x800000, 0x5800}; /* Q_, Q_X */
	char *m = room(4096);

	pretend();
	for (int form = 0; form < 2; form++) {
		for (int i = 0; i < 4096; i++)
			m[i] = form ? 1 + i % 251 : 0;
		for (int c = 0; c < 2; c++) {
			for (int n = 1; n < 10; n++) {
				long cmd = (commands[c] + n) << 8 | n % 3;
				syscall(SYS_quotactl, cmd, "/dev/x", 1L, m, 0, FINE);
				syscall(SYS_quotactl, cmd, "/dev/x", 1L, m, 0, FAIL);
				syscall(SYS_quotactl, cmd, "/dev/x", 1L, 0L, 0, FINE);
				syscall(443, 3L, cmd, 1L, m, 0, FINE); /* quotactl_fd */
			}
		}
	}
	return 0;
}
