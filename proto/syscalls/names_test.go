package syscalls

import (
	"strings"
	"testing"
)

func TestErrnos(t *testing.T) {
	for n, want := range map[int][2]string{
		2:   {"ENOENT", "No such file or directory"},
		11:  {"EAGAIN", "Resource temporarily unavailable"},
		35:  {"EDEADLK", "Resource deadlock avoided"},
		38:  {"ENOSYS", "Function not implemented"},
		95:  {"EOPNOTSUPP", "Operation not supported"},
		133: {"EHWPOISON", "Memory page has hardware error"},
		512: {"ERESTARTSYS", "To be restarted if SA_RESTART is set"},
		516: {"ERESTART_RESTARTBLOCK", "Interrupted by signal"},
		41:  {"41", "Unknown error 41"}, // EWOULDBLOCK has no number of its own
	} {
		if ErrnoName(n) != want[0] || ErrnoText(n) != want[1] {
			t.Errorf("%d is %s %q, want %s %q", n, ErrnoName(n), ErrnoText(n), want[0], want[1])
		}
	}
	count := 0
	for n := 1; n <= 133; n++ {
		name := ErrnoName(n)
		if !strings.HasPrefix(name, "E") {
			continue
		}
		count++
		if v, ok := ErrnoByName(name); !ok || v != n {
			t.Errorf("%s is %d, want %d", name, v, n)
		}
	}
	if count != 131 { // asm-generic/errno.h leaves out 41 and 58
		t.Errorf("%d error numbers have names, want 131", count)
	}
	for name, want := range map[string]int{"EWOULDBLOCK": 11, "EDEADLOCK": 35, "ENOTSUP": 95} {
		if v, ok := ErrnoByName(name); !ok || v != want {
			t.Errorf("%s is %d, want %d", name, v, want)
		}
	}
	if _, ok := ErrnoByName("EFOO"); ok {
		t.Error("EFOO has a number")
	}
}

func TestSignals(t *testing.T) {
	for n, want := range map[int]string{1: "SIGHUP", 6: "SIGABRT", 17: "SIGCHLD", 29: "SIGIO", 31: "SIGSYS",
		32: "SIGRTMIN", 33: "SIGRT_1", 34: "SIGRT_2", 64: "SIGRT_32", 65: "65", 0: "0", -1: "-1"} {
		if SignalName(n) != want {
			t.Errorf("signal %d is %s, want %s", n, SignalName(n), want)
		}
		if n < 1 || n > 64 {
			continue
		}
		if v, ok := SignalByName(want); !ok || v != n {
			t.Errorf("%s is %d, want %d", want, v, n)
		}
	}
	for name, want := range map[string]int{"INT": 2, "SIGPOLL": 29, "SIGIOT": 6, "RTMIN": 32, "SIGRTMAX": 64} {
		if v, ok := SignalByName(name); !ok || v != want {
			t.Errorf("%s is %d, want %d", name, v, want)
		}
	}
	for _, name := range []string{"SIGRT_33", "SIGRT_0", "SIGRT_x", "SIG", "FOO"} {
		if _, ok := SignalByName(name); ok {
			t.Errorf("%s has a number", name)
		}
	}
}

// TestConstsAsStracePrints: the wanted texts were printed by strace 6.1.
func TestConstsAsStracePrints(t *testing.T) {
	for _, c := range []struct {
		arch Arch
		set  string
		v    uint64
		want string
	}{
		{AMD64, "open_flags", 0, "O_RDONLY"},
		{AMD64, "open_flags", 0x80000, "O_RDONLY|O_CLOEXEC"},
		{AMD64, "open_flags", 0x241, "O_WRONLY|O_CREAT|O_TRUNC"},
		{AMD64, "open_flags", 0x98800, "O_RDONLY|O_NONBLOCK|O_LARGEFILE|O_CLOEXEC|O_DIRECTORY"},
		{ARM64, "open_flags", 0x4000, "O_RDONLY|O_DIRECTORY"},
		{AMD64, "open_flags", 0x4000, "O_RDONLY|O_DIRECT"},
		{AMD64, "mmap_prot", 0, "PROT_NONE"},
		{AMD64, "mmap_prot", 5, "PROT_READ|PROT_EXEC"},
		{AMD64, "mmap_prot", 0x83, "PROT_READ|PROT_WRITE|0x80"},
		{AMD64, "mmap_flags", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"},
		{AMD64, "mmap_flags", 0x812, "MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE"},
		{AMD64, "access_mode", 0, "F_OK"},
		{AMD64, "access_mode", 4, "R_OK"},
		{AMD64, "seek_whence", 2, "SEEK_END"},
		{AMD64, "seek_whence", 77, "0x4d /* SEEK_??? */"},
		{AMD64, "clock_id", 1, "CLOCK_MONOTONIC"},
		{AMD64, "socket_type", 0x80001, "SOCK_STREAM|SOCK_CLOEXEC"},
		{AMD64, "address_family", 1, "AF_UNIX"},
		{AMD64, "fcntl_cmd", 3, "F_GETFL"},
		{AMD64, "futex_op", 128, "FUTEX_WAIT_PRIVATE"},
		{AMD64, "madvise_advice", 4, "MADV_DONTNEED"},
		{AMD64, "poll_events", 1, "POLLIN"},
	} {
		s := ConstSet(c.arch, c.set)
		if s == nil {
			t.Errorf("no set %s", c.set)
			continue
		}
		if got := s.Format(c.v); got != c.want {
			t.Errorf("%v %s %#x prints as %q, want %q", c.arch, c.set, c.v, got, c.want)
		}
	}
}

func TestArchFromAudit(t *testing.T) {
	for v, want := range map[uint32]Arch{0xc000003e: AMD64, 0xc00000b7: ARM64, 0x40000003: I386} {
		if a, ok := ArchFromAudit(v); !ok || a != want {
			t.Errorf("%#x is %v, want %v", v, a, want)
		}
	}
	if _, ok := ArchFromAudit(0x40000028); ok {
		t.Error("AUDIT_ARCH_ARM is known")
	}
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name string
		size [I386 + 1]int
	}{
		{"stat", [...]int{AMD64: 144, ARM64: 128, I386: 64}},
		{"statx", [...]int{AMD64: 256, ARM64: 256, I386: 256}},
		{"timespec", [...]int{AMD64: 16, ARM64: 16, I386: 8}},
		{"epoll_event", [...]int{AMD64: 12, ARM64: 16, I386: 12}},
		{"msghdr", [...]int{AMD64: 56, ARM64: 56, I386: 28}},
		{"mmsghdr", [...]int{AMD64: 64, ARM64: 64, I386: 32}},
		{"sigaction", [...]int{AMD64: 32, ARM64: 32, I386: 20}},
		{"flock", [...]int{AMD64: 32, ARM64: 32, I386: 16}},
		{"flock64", [...]int{AMD64: 32, ARM64: 32, I386: 24}},
		{"rusage", [...]int{AMD64: 144, ARM64: 144, I386: 72}},
		{"siginfo", [...]int{AMD64: 128, ARM64: 128, I386: 128}},
		{"sock_fprog", [...]int{AMD64: 16, ARM64: 16, I386: 8}},
	} {
		for a := AMD64; a <= I386; a++ {
			typ := TypeByName(a, c.name)
			if typ == nil {
				t.Errorf("no type %s", c.name)
			} else if typ.Size != c.size[a] {
				t.Errorf("%v: sizeof %s is %d, want %d", a, c.name, typ.Size, c.size[a])
			}
		}
	}
}

func TestBitFields(t *testing.T) {
	f := TypeByName(AMD64, "tcp_info").Fields
	at := map[string]Field{}
	for _, g := range f {
		at[g.Name] = g
	}
	snd, rcv, app, rto := at["tcpi_snd_wscale"], at["tcpi_rcv_wscale"], at["tcpi_delivery_rate_app_limited"], at["tcpi_rto"]
	if snd.Off != 6 || snd.Shift != 0 || snd.Bits != 4 || rcv.Off != 6 || rcv.Shift != 4 || app.Off != 7 || rto.Off != 8 {
		t.Errorf("bit-fields of tcp_info: %+v %+v %+v, then rto at %d", snd, rcv, app, rto.Off)
	}
}
