package syscalls

import "testing"

func TestSelect(t *testing.T) {
	const anyBits = 0xdead00000000 // above an int, where programs may leave anything
	for _, c := range []struct {
		arch    Arch
		name    string
		args    [6]uint64
		variant string
	}{
		{AMD64, "fcntl", [6]uint64{3, 3}, "GETFL"},
		{AMD64, "fcntl", [6]uint64{3, anyBits | 3}, "GETFL"},
		{AMD64, "fcntl", [6]uint64{3, 1030}, "DUPFD"},
		{AMD64, "fcntl", [6]uint64{3, 36}, "OFD_GETLK"},
		{AMD64, "fcntl", [6]uint64{3, 12}, ""},
		{I386, "fcntl64", [6]uint64{3, 12}, "GETLK64"},
		{I386, "fcntl", [6]uint64{3, 6}, "SETLK"},
		{AMD64, "ioctl", [6]uint64{0, 0x5401}, "TERMIOS"},
		{ARM64, "ioctl", [6]uint64{0, 0x5413}, "WINSIZE"},
		{AMD64, "ioctl", [6]uint64{0, 0x12345678}, "BOTH"},
		{AMD64, "ioctl", [6]uint64{0, 0x81004506}, "EV_NAME"}, // EVIOCGNAME(256)
		{AMD64, "ioctl", [6]uint64{0, 0x80604520 + 3}, "EV_BITS"},
		{AMD64, "ioctl", [6]uint64{0, 0x40086602}, "SETFLAGS"}, // FS_IOC_SETFLAGS carries sizeof(long)
		{I386, "ioctl", [6]uint64{0, 0x40046602}, "SETFLAGS"},
		{AMD64, "futex", [6]uint64{0, 128}, "WAIT"},
		{AMD64, "futex", [6]uint64{0, 129}, "WAKE"},
		{AMD64, "futex", [6]uint64{0, 393}, "WAIT_BITSET"},
		{AMD64, "futex", [6]uint64{0, 127}, ""},
		{AMD64, "prctl", [6]uint64{15}, "SET_NAME"},
		{AMD64, "prctl", [6]uint64{22, 2}, "SECCOMP_FILTER"},
		{AMD64, "prctl", [6]uint64{22, 1}, "SECCOMP_STRICT"},
		{AMD64, "setsockopt", [6]uint64{3, 1, 13}, "SOCKET_LINGER"},
		{AMD64, "setsockopt", [6]uint64{3, 1, 2}, "SOCKET_INT"},
		{AMD64, "setsockopt", [6]uint64{3, 6, 1}, "TCP_INT"},
		{AMD64, "getsockopt", [6]uint64{3, 1, 4}, "SOCKET_ERROR"},
		{AMD64, "getsockopt", [6]uint64{3, 9999, 4}, ""},
		{AMD64, "ptrace", [6]uint64{0x4200, 1}, "SETOPTIONS"},
		{AMD64, "ioctl", [6]uint64{0, 0x80345678}, "READ"},
		{AMD64, "ioctl", [6]uint64{0, 0x40345678}, "WRITTEN"},
		{AMD64, "socket", [6]uint64{16, 3, 0}, "NETLINK"},
		{AMD64, "socket", [6]uint64{1, 1, 0}, ""},
		{AMD64, "sendto", [6]uint64{1, 1, 0, 0, 0x1000}, ""},
		{AMD64, "sendto", [6]uint64{1, 1, 0, 0, 0}, "SEND"},
		{AMD64, "read", [6]uint64{}, ""},
	} {
		d := ByName(c.arch, c.name)
		v := d.Select(&c.args)
		if v.Variant != c.variant || v.Name != c.name || v.NR != d.NR || v.Arch != c.arch {
			t.Errorf("%v %s(%#x): variant %q, want %q", c.arch, c.name, c.args, v.Variant, c.variant)
		}
		if (c.variant == "") != (v == d) {
			t.Errorf("%v %s: without a variant the call itself is wanted", c.arch, c.name)
		}
	}
}

// TestVariantsUseTheCallsRegisters: readers keep only the registers that the
// call itself has, and world and recorder read fd and path by the base row.
func TestVariantsUseTheCallsRegisters(t *testing.T) {
	for a := AMD64; a <= I386; a++ {
		for _, d := range All(a) {
			most := 0
			for _, g := range d.Args {
				most = max(most, g.Reg, g.Hi)
			}
			for _, v := range d.Variants() {
				if len(v.Match) == 0 {
					t.Errorf("%v %s$%s has no condition", a, d.Name, v.Variant)
				}
				for _, g := range v.Args {
					if g.Reg > most || g.Hi > most {
						t.Errorf("%v %s$%s: %s is in register %d, the call has %d", a, d.Name, v.Variant, g.Name, g.Reg, most+1)
					}
				}
			}
		}
	}
}

func TestConditions(t *testing.T) {
	d := ByName(AMD64, "openat")
	mode := d.Args[3]
	for flags, want := range map[uint64]bool{0: false, 0x80000: false, 0x40: true, 0x410000: true, 0x10000: false, 0x241: true} {
		if mode.If.Holds(&[6]uint64{0, 0, flags}) != want {
			t.Errorf("openat flags %#x: mode is there: %v", flags, !want)
		}
	}
	reboot := ByName(AMD64, "reboot").Args[3]
	for op, want := range map[uint64]bool{0xa1b2c3d4: true, 0x01234567: false, 0: false} {
		if reboot.If.Holds(&[6]uint64{0, 0, op}) != want {
			t.Errorf("reboot %#x: arg is there: %v", op, !want)
		}
	}
	if read := ByName(AMD64, "read").Args[0]; !read.If.Holds(&[6]uint64{}) {
		t.Error("read has no fd")
	}
}

func TestRegisters(t *testing.T) {
	regs := func(a Arch, name string) (r []int) {
		for _, g := range ByName(a, name).Args {
			r = append(r, g.Reg)
			if g.Wide {
				r = append(r, g.Hi)
			}
		}
		return r
	}
	for _, c := range []struct {
		arch Arch
		name string
		want []int
	}{
		{AMD64, "clone", []int{1, 0, 2, 4, 3}},
		{ARM64, "clone", []int{1, 0, 2, 3, 4}},
		{I386, "pread64", []int{0, 1, 2, 3, 4}},
		{I386, "_llseek", []int{0, 2, 1, 3, 4}},
		{I386, "fallocate", []int{0, 1, 2, 3, 4, 5}},
		{AMD64, "preadv2", []int{0, 1, 2, 3, 5}},
		{I386, "preadv2", []int{0, 1, 2, 3, 4, 5}},
		{I386, "fanotify_mark", []int{0, 1, 2, 3, 4, 5}},
	} {
		got := regs(c.arch, c.name)
		if len(got) != len(c.want) {
			t.Errorf("%v %s: registers %v, want %v", c.arch, c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%v %s: registers %v, want %v", c.arch, c.name, got, c.want)
				break
			}
		}
	}
}
