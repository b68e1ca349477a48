/* One thread calls execve again and again, in vain, while another passes
 * strings to the kernel. */
#include "prog.h"

static atomic_int stop;

static void *exec_loop(void *unused)
{
	char *args[] = {"x", NULL};
	while (!atomic_load(&stop))
		execv("/no-such-file", args);
	return unused;
}

int main(void)
{
	pthread_t t;
	pthread_create(&t, NULL, exec_loop, NULL);
	for (int i = 0; i < 300; i++)
		mark("race");
	atomic_store(&stop, 1);
	pthread_join(t, NULL);
	return ok();
}
