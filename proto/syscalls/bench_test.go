package syscalls

import (
	"testing"
)

// BenchmarkFirstUse is what a program pays that prints a trace of ordinary
// programs: the outline of the table and the rows of the calls that appear.
func BenchmarkFirstUse(b *testing.B) {
	names := []string{"read", "write", "openat", "close", "mmap", "mprotect", "munmap", "brk", "newfstatat", "execve", "access",
		"rt_sigaction", "rt_sigprocmask", "ioctl", "pread64", "fcntl", "getdents64", "clone", "clone3", "wait4", "exit_group",
		"futex", "set_robust_list", "rseq", "prlimit64", "getrandom", "socket", "connect", "sendto", "recvfrom", "recvmsg", "poll",
		"epoll_ctl", "epoll_pwait", "statx", "lseek", "pipe2", "dup2", "prctl", "setsockopt", "getsockopt", "accept4", "bind", "listen"}
	for b.Loop() {
		forget()
		for _, name := range names {
			if ByName(AMD64, name) == nil {
				b.Fatal(name)
			}
		}
	}
}

// forget makes the package as it is when a program starts.
func forget() {
	for a := range tables {
		t := &tables[a]
		for i := range t.descs {
			t.descs[i].Store(nil)
		}
		t.types, t.consts, t.problems = nil, nil, nil
	}
	loadRows = onceRows()
	loadFlags = onceSections("flags.txt", &flagsText, "flags", "enum")
	loadTypes = onceSections("types.txt", &typesText, "struct", "union", "type")
}

func BenchmarkSelectIoctl(b *testing.B) {
	d := ByName(AMD64, "ioctl")
	args := [6]uint64{1, 0x5413}
	if d.Select(&args).Variant != "WINSIZE" {
		b.Fatal("TIOCGWINSZ is not found")
	}
	for b.Loop() {
		d.Select(&args)
	}
}

func BenchmarkAppendFlags(b *testing.B) {
	c := ConstSet(AMD64, "open_flags")
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = c.Append(buf[:0], 0x80241)
	}
}

func BenchmarkParseSet(b *testing.B) {
	for b.Loop() {
		if _, err := ParseSet("%file,%network"); err != nil {
			b.Fatal(err)
		}
	}
}
