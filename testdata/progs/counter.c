/* counter LOG N PAUSE: asks for access to /count/1/X, /count/2/X, … up to N, or
 * until the first word of LOG is not 0, with PAUSE microseconds between. X is noise:
 * it fills a trace. LOG is mapped:
 * its second word tells how far it is, its third is 1 at the end, and behind that
 * is the CLOCK_MONOTONIC of each of the last 2^17 calls, taken before it. */
#include "prog.h"

#define LAST (1 << 17)

int main(int argc, char **argv)
{
	CHECK(argc == 4);
	int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	size_t size = 4096 + 8 * LAST;
	CHECK(fd >= 0 && ftruncate(fd, size) == 0);
	volatile uint64_t *log = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(log != MAP_FAILED);
	uint64_t n = strtoull(argv[2], NULL, 10);
	long pause = atol(argv[3]);
	uint64_t noise = 1;
	char name[64];
	for (uint64_t i = 1; i <= n && !log[0]; i++) {
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t); /* in the vDSO: no system call */
		log[512 + i % LAST] = t.tv_sec * 1000000000ull + t.tv_nsec;
		__atomic_store_n(&log[1], i, __ATOMIC_SEQ_CST);
		noise = noise * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
		snprintf(name, sizeof name, "/count/%llu/%08x", (unsigned long long)i, (unsigned)(noise >> 32));
		access(name, F_OK);
		if (pause) {
			struct timespec p = {0, pause * 1000};
			nanosleep(&p, NULL);
		}
	}
	log[2] = 1;
	return 0;
}
