//go:build linux && (amd64 || arm64)

package ptrace

import (
	"testing"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
)

// eval runs a filter for one call as the kernel does when it fills its cache
// (seccomp_is_const_allow in kernel/seccomp.c): architecture and number are all
// it may look at.
func eval(t *testing.T, p []unix.SockFilter, arch, nr uint32) (ret uint32, steps int) {
	var a uint32
	for pc := 0; pc < len(p); pc++ {
		steps++
		f := p[pc]
		switch f.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			switch f.K {
			case dataNR:
				a = nr
			case dataArch:
				a = arch
			default:
				t.Fatalf("instruction %d loads offset %d", pc, f.K)
			}
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(f.K)
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			yes := a == f.K
			if f.Code&unix.BPF_JGE != 0 {
				yes = a >= f.K
			}
			if yes {
				pc += int(f.Jt)
			} else {
				pc += int(f.Jf)
			}
		case unix.BPF_RET | unix.BPF_K:
			return f.K, steps
		default:
			t.Fatalf("instruction %d has code %#x, which the kernel's cache does not know", pc, f.Code)
		}
	}
	t.Fatal("the filter runs off its end")
	return 0, 0
}

// A filter says the right thing of every number of every architecture, in few
// steps.
func TestFilterProgram(t *testing.T) {
	const maxInsns = 4096 // BPF_MAXINSNS
	for _, expr := range []string{"accept", "%file", "!read", "/^[a-m]", "/[aeiou]$", "all", "none", "read,write,?clone3"} {
		set, err := syscalls.ParseSet(expr)
		if err != nil {
			t.Fatal(err)
		}
		e := &Engine{cfg: Config{Selected: set}}
		p := buildFilter(filterArchs, e.filterNumbers)
		if len(p) > maxInsns {
			t.Errorf("%s: %d instructions", expr, len(p))
		}
		traced, most := 0, 0
		check := func(audit uint32, arch syscalls.Arch, nr uint32) {
			ret, steps := eval(t, p, audit, nr)
			most = max(most, steps)
			d := syscalls.Lookup(arch, nr)
			want := d != nil && (set.Has(d) || needed[roles[d.Name]])
			if got := ret == unix.SECCOMP_RET_TRACE|filterMark; got != want || !got && ret != unix.SECCOMP_RET_ALLOW {
				t.Errorf("%s: architecture %d, number %#x: %#x, to be traced: %v", expr, arch, nr, ret, want)
			}
			if want {
				traced++
			}
		}
		for _, a := range filterArchs {
			for _, arch := range a.archs {
				for nr := range uint32(2 * maxNR) {
					if arch == syscalls.X32 {
						nr |= x32Bit
					}
					check(a.audit, arch, nr)
				}
			}
			for _, nr := range []uint32{0xffffffff, x32Bit - 1, 0x80000000} {
				check(a.audit, a.archs[0], nr)
			}
		}
		if ret, _ := eval(t, p, 0x12345, 0); ret != unix.SECCOMP_RET_ALLOW {
			t.Errorf("%s: of another architecture: %#x", expr, ret)
		}
		if traced < len(needed) || most > 25 {
			t.Errorf("%s: %d numbers are traced, it takes up to %d steps", expr, traced, most)
		}
	}
}

// A filter that leaves out nothing that is called often is not worth it.
func TestFilterPays(t *testing.T) {
	for expr, want := range map[string]bool{"accept": true, "%file": true, "!read": true, "!futex,write": true, "all": false, "!close": false, "none": true} {
		set, err := syscalls.ParseSet(expr)
		if err != nil {
			t.Fatal(err)
		}
		if pays(set) != want {
			t.Errorf("%s: %v", expr, !want)
		}
	}
}
