/* Newer calls on files and memory, and what they really answer. */
#include "prog.h"
#include <linux/openat2.h>
#include <sys/xattr.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <utime.h>

static void xattrs(void)
{
	char list[200], value[100];
	struct { uint64_t value; uint32_t size, flags; } args = {(uint64_t)"value\0of it", 11, 1};
	setxattr("file", "user.one", "a value that is rather long, longer than shown", 46, XATTR_CREATE);
	setxattr("file", "user.one", "\1\2\3", 3, XATTR_REPLACE);
	setxattr("file", "user.none", "", 0, XATTR_REPLACE);
	lsetxattr("link", "trusted.two", "two", 3, 0);
	getxattr("file", "user.one", value, sizeof value);
	getxattr("file", "user.one", NULL, 0);
	getxattr("file", "user.one", value, 1);
	getxattr("file", "user.nosuch", value, sizeof value);
	listxattr("file", list, sizeof list);
	listxattr("file", NULL, 0);
	llistxattr("link", list, sizeof list);
	int fd = open("file", O_RDWR);
	fsetxattr(fd, "user.three", "x", 1, 0);
	fgetxattr(fd, "user.three", value, sizeof value);
	flistxattr(fd, list, sizeof list);
	syscall(463, AT_FDCWD, "file", 0L, "user.four", &args, sizeof args); /* setxattrat */
	args.value = (uint64_t)value;
	args.size = sizeof value;
	args.flags = 0;
	memset(value, 0, sizeof value);
	syscall(464, AT_FDCWD, "file", 0L, "user.four", &args, sizeof args); /* getxattrat */
	syscall(464, fd, "", AT_EMPTY_PATH, "user.four", &args, sizeof args);
	args.size = 0;
	syscall(464, fd, "", AT_EMPTY_PATH, "user.four", &args, sizeof args);
	args.size = 2;
	syscall(464, fd, "", AT_EMPTY_PATH, "user.four", &args, sizeof args);
	syscall(465, AT_FDCWD, "file", 0L, list, sizeof list); /* listxattrat */
	syscall(465, fd, "", AT_EMPTY_PATH, NULL, 0L);
	syscall(466, AT_FDCWD, "file", 0L, "user.four"); /* removexattrat */
	removexattr("file", "user.one");
	fremovexattr(fd, "user.three");
	fremovexattr(fd, "user.three");
	close(fd);
}

static void files(void)
{
	struct open_how how = {.flags = O_CREAT | O_RDWR | O_CLOEXEC, .mode = 0640, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	struct { uint64_t xflags; uint32_t extsize, nextents, projid, cowextsize; } attr;
	struct { uint64_t off, len; } range = {0, 8192};
	struct { uint64_t cached, dirty, back, evicted, recent; } stat_;
	struct statx x;
	struct statfs sf;
	int d = open(".", O_PATH | O_DIRECTORY);
	int f = syscall(437, d, "new", &how, sizeof how);
	syscall(437, d, "../new", &how, sizeof how);
	how.flags = O_RDONLY;
	syscall(437, d, "new", &how, sizeof how);
	how.mode = 0;
	close(syscall(437, d, "new", &how, sizeof how));
	how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	how.flags = O_DIRECTORY | O_PATH;
	close(syscall(437, AT_FDCWD, ".", &how, sizeof how));
	CHECK(f < 0 || write(f, "what is in the file, that is new", 32) == 32);
	syscall(468, AT_FDCWD, "new", &attr, sizeof attr, 0L); /* file_getattr */
	attr.xflags = 0x80; /* FS_XFLAG_NODUMP */
	syscall(469, AT_FDCWD, "new", &attr, sizeof attr, 0L); /* file_setattr */
	syscall(468, f, "", &attr, sizeof attr, AT_EMPTY_PATH);
	syscall(451, f, &range, &stat_, 0L); /* cachestat */
	CHECK(statx(f, "", AT_EMPTY_PATH, STATX_ALL, &x) == 0);
	CHECK(statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS | STATX_BTIME | 0x1000 | 0x2000, &x) == 0);
	statx(f, NULL, AT_EMPTY_PATH, STATX_SIZE, &x);
	CHECK(statfs(".", &sf) == 0 && fstatfs(d, &sf) == 0);
	CHECK(syscall(452, AT_FDCWD, "file", 0600, 0L) == 0 || 1); /* fchmodat2 */
	syscall(452, f, "", 0600, AT_EMPTY_PATH);
	struct timespec ts[2] = {{1, UTIME_OMIT}, {1500000000, 5}};
	CHECK(utimensat(AT_FDCWD, "file", ts, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(futimens(f, NULL) == 0);
	CHECK(fallocate(f, FALLOC_FL_KEEP_SIZE, 0, 8192) == 0 || 1);
	fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096);
	int g = open("other", O_CREAT | O_RDWR, 0600);
	off_t from = 1, to = 0;
	syscall(SYS_copy_file_range, f, &from, g, &to, 5L, 0L);
	syscall(SYS_copy_file_range, f, NULL, g, NULL, 5L, 0L);
	from = 0;
	syscall(SYS_sendfile, g, f, &from, 4L);
	syscall(SYS_sendfile, g, f, NULL, 4L);
	int fds[2];
	CHECK(pipe(fds) == 0);
	from = 2;
	syscall(SYS_splice, f, &from, fds[1], NULL, 10L, 0x1L);
	syscall(SYS_tee, fds[0], fds[1], 10L, 0x2L);
	struct iovec iov[2] = {{"one", 3}, {"second", 6}};
	char room[2][20];
	struct iovec in[2] = {{room[0], 5}, {room[1], 20}};
	syscall(SYS_vmsplice, fds[1], iov, 2L, 0x8L);
	CHECK(pwritev(g, iov, 2, 3) == 9);
	CHECK(preadv(g, in, 2, 1) == 11);
	syscall(SYS_preadv2, g, in, 2L, 0L, 0L, 0x10L /* RWF_NOAPPEND? */);
	syscall(SYS_pwritev2, g, iov, 2L, -1L, -1L, 0x10L);
	CHECK(pwrite(g, "at", 2, 100) == 2 && pread(g, room, 10, 96) == 6);
	CHECK(ftruncate(g, 10) == 0 && lseek(g, 0, SEEK_HOLE) == 10);
	CHECK(posix_fadvise(g, 0, 100, POSIX_FADV_DONTNEED) == 0);
	sync_file_range(g, 0, 10, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	struct flock lk = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 5}, had = {.l_type = F_RDLCK, .l_whence = SEEK_CUR};
	CHECK(fcntl(g, F_SETLK, &lk) == 0 && fcntl(g, F_GETLK, &had) == 0);
	lk.l_pid = 0;
	CHECK(fcntl(g, F_OFD_SETLK, &lk) == -1 || 1);
	CHECK(fcntl(g, F_GETFL) >= 0 && fcntl(g, F_GETFD) == 0 && fcntl(g, F_DUPFD_CLOEXEC, 30) == 30);
	struct { int type, pid; } owner = {1, getpid()};
	fcntl(g, F_SETOWN_EX, &owner);
	fcntl(g, F_GETOWN_EX, &owner);
	fcntl(g, F_SETSIG, SIGUSR1);
	fcntl(g, F_GETSIG);
	fcntl(g, F_SETSIG, 40);
	fcntl(g, F_GETSIG);
	fcntl(g, F_SETLEASE, F_RDLCK);
	fcntl(g, F_GETLEASE);
	uint64_t hint = 2;
	fcntl(g, 1036, &hint); /* F_SET_RW_HINT */
	fcntl(g, 1035, &hint);
	fcntl(g, 1027, g); /* F_DUPFD_QUERY */
	fcntl(fds[0], F_GETPIPE_SZ);
	fcntl(fds[0], F_SETPIPE_SZ, 8192);
	int m = memfd_create("a name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	fcntl(m, F_GET_SEALS);
	syscall(436, 40, 50, 0); /* close_range */
	syscall(436, 40, -1, 2);
	close(m), close(g), close(f), close(d), close(fds[0]), close(fds[1]), close(30);
}

static void memory(void)
{
	char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char in_core[4];
	CHECK(p != MAP_FAILED);
	p[0] = 1;
	mincore(p, 16384, in_core);
	madvise(p, 4096, MADV_WILLNEED);
	mlock2(p, 4096, MLOCK_ONFAULT);
	munlock(p, 4096);
	CHECK(mremap(p, 16384, 20480, MREMAP_MAYMOVE) != MAP_FAILED || 1);
	char *q = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
	syscall(462, q, 4096L, 0L); /* mseal */
	munmap(q, 4096);
	syscall(453, 0L, 0x4000L, 1L); /* map_shadow_stack */
	syscall(SYS_pkey_alloc, 0L, 0L);
	int key = syscall(SYS_pkey_alloc, 0L, 1L);
	syscall(SYS_pkey_mprotect, p, 4096L, PROT_READ, key);
	syscall(SYS_pkey_free, key);
	int mode;
	unsigned long nodes[2] = {1};
	syscall(SYS_get_mempolicy, &mode, nodes, 64L, NULL, 0L);
	syscall(SYS_set_mempolicy, 1, nodes, 64L);
	syscall(SYS_mbind, p, 4096L, 2, nodes, 64L, 0L);
	syscall(SYS_get_mempolicy, &mode, nodes, 64L, p, 2L);
	void *pages[1] = {p};
	int node[1] = {0}, status[1];
	syscall(SYS_move_pages, 0, 1L, pages, node, status, 2L);
	syscall(SYS_set_mempolicy, 0, NULL, 0L);
}

int main(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10 && close(fd) == 0 && symlink("file", "link") == 0);
	xattrs();
	files();
	memory();
	unlink("file"), unlink("link"), unlink("new"), unlink("other");
	return ok();
}
