/* Two rings of io_uring(7), and one operation submitted and completed. */
#include "prog.h"
#include <linux/io_uring.h>

int main(void)
{
	struct io_uring_params p = {0}, polled = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 10};
	int fd = syscall(SYS_io_uring_setup, 4, &p);
	if (fd < 0) {
		puts("no io_uring here");
		return 77;
	}
	char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, p.sq_entries * sizeof *sqe, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
	CHECK(sq != MAP_FAILED && sqe != MAP_FAILED);
	sqe->opcode = IORING_OP_NOP;
	((unsigned *)(sq + p.sq_off.array))[0] = 0;
	atomic_store((atomic_uint *)(sq + p.sq_off.tail), 1);
	CHECK(syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	CHECK(syscall(SYS_io_uring_setup, 4, &polled) >= 0);
	return ok();
}
