/* Threads that do nothing but calls, and an older one among them, which must
 * get to make its own. */
#include "prog.h"

enum { YOUNG = 16, OWN = 300, UNFAIR = 50 };

static atomic_int done;
static atomic_long calls;
static pthread_barrier_t barrier;

static void *young(void *unused)
{
	pthread_barrier_wait(&barrier);
	while (!atomic_load(&done)) {
		syscall(SYS_getppid);
		if (atomic_fetch_add(&calls, 1) > (long)YOUNG * OWN * UNFAIR)
			fail("the others have made %d calls each, and the oldest not yet %d", OWN * UNFAIR, OWN);
	}
	return unused;
}

int main(void)
{
	pthread_t t[YOUNG];
	pthread_barrier_init(&barrier, NULL, YOUNG + 1);
	for (int i = 0; i < YOUNG; i++)
		CHECK(pthread_create(&t[i], NULL, young, NULL) == 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < OWN; i++)
		syscall(SYS_getppid);
	atomic_store(&done, 1);
	for (int i = 0; i < YOUNG; i++)
		pthread_join(t[i], NULL);
	return ok();
}
