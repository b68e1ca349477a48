/* Values of several parts, of which strace's -X raw and -X verbose write each by
 * itself or all as one. TestCallsLikeStrace holds their text against strace's.
 * All calls fail, or change nothing that lasts. */
#include "prog.h"
#include <linux/aio_abi.h>
#include <sys/socket.h>

#define S syscall

static void sockets(void)
{
	static const int types[] = {1, 0x801, 0x800, 0x80f, 0x1800, 0x1801, 0, 0x80801};
	char control[32] = {20};
	struct msghdr m = {.msg_control = control, .msg_controllen = sizeof control};
	int kind[] = {0x7777, 0x77};

	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		close(S(SYS_socket, AF_INET, types[i], 0));
		S(SYS_socketpair, AF_INET, types[i], 0, NULL);
	}
	S(SYS_socket, 33, 1, 10);  /* AF_RXRPC: the protocol is a family */
	S(SYS_socket, 23, 1, 99);  /* AF_IRDA */
	S(SYS_socket, 3, 1, -1L);  /* AF_AX25 */
	memcpy(control + sizeof(long), kind, sizeof kind);
	S(SYS_sendmsg, -1, &m, 0);
	kind[0] = SOL_SOCKET;
	memcpy(control + sizeof(long), kind, sizeof kind);
	S(SYS_sendmsg, -1, &m, 0);
}

static void priorities(void)
{
	struct iocb c = {.aio_data = 5, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = 3, .aio_nbytes = 5, .aio_reqprio = 0x4003};
	struct iocb *list[] = {&c};

	S(SYS_io_submit, 0, 1, list);
	c.aio_flags = 2; /* IOCB_FLAG_IOPRIO */
	S(SYS_io_submit, 0, 1, list);
	c.aio_reqprio = 0x7fff;
	S(SYS_io_submit, 0, 1, list);
	S(SYS_ioprio_set, 1, 999999, 0x4003);
	S(SYS_ioprio_set, 1, 999999, -1);
}

int main(void)
{
	S(SYS_mmap, 0, 0, 0, 0x105, -1, 0);
	S(SYS_mmap, 0, 0, 0x10000001, 0x40000105, -1, 0);
	S(SYS_mmap, 0, 0, 0, 0x4, -1, 0);
	S(SYS_msgctl, -1, 0x102, 0);
	S(SYS_msgctl, -1, 0x163, 0);
	S(SYS_semctl, -1, 1, 0x10d, 0);
	S(SYS_shmctl, -1, 0x10d, 0);
	S(SYS_prctl, 50, 0x40000); /* PR_SVE_SET_VL */
	S(SYS_prctl, 50, 0x40010);
	S(SYS_prctl, 50, 0x10);
	S(SYS_swapon, "/missing", 0xffffffff);
	S(SYS_swapon, "/missing", 0x8000);
	S(SYS_swapon, "/missing", 5);
	S(SYS_swapon, "/missing", 0x100001);
	S(SYS_fanotify_mark, -1, 1, 1, -1, "f");
	S(SYS_io_uring_register, -1, 0x80000002, 0, 5);
	S(SYS_io_uring_register, -1, 0x800000ff, 0, 5);
	sockets();
	priorities();
	return 0;
}
