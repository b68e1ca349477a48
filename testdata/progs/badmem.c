/* Memory that cannot be read, or only in part. */
#include "prog.h"

int main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *m = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	memset(m, 'a', 4 * page);
	CHECK(munmap(m + 2 * page, page) == 0);
	int null = open("/dev/null", O_WRONLY);

	CHECK(access((char *)1, F_OK) == -1 && errno == EFAULT);
	CHECK(access(NULL, F_OK) == -1 && errno == EFAULT);
	/* a path that runs into the hole */
	CHECK(access(m + 2 * page - 10, F_OK) == -1 && errno == EFAULT);
	/* one that ends just before it */
	m[2 * page - 1] = 0;
	memcpy(m + 2 * page - 6, "/path", 5);
	CHECK(access(m + 2 * page - 6, F_OK) == -1 && errno == ENOENT);
	/* one across pages */
	memset(m, '/', 2 * page);
	m[page + 5] = 0;
	memcpy(m + page - 9, "/usr/across", 12);
	CHECK(access(m + page - 9, F_OK) == -1 && errno == ENOENT);
	/* data, half of it there: /dev/null does not look */
	CHECK(write(null, m + 2 * page - 8, 100) == 100);
	/* several pieces, the second unreadable */
	struct iovec v[3] = {{"first", 5}, {m + 2 * page, 6}, {"third", 5}};
	CHECK(writev(null, v, 3) == 16);
	/* an empty buffer is not an unreadable one */
	CHECK(write(null, m, 0) == 0);
	CHECK(write(null, (char *)1, 0) == 0);
	mark("end");
	return ok();
}
