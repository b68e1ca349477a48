package format

import "sysreel/proto/syscalls"

// pidfdMembers are the members of struct pidfd_info that a bit of its mask says
// are there, in the order of printing (include/uapi/linux/pidfd.h).
var pidfdMembers = []struct {
	bit   uint64
	names []string
}{
	{1 << 2, []string{"cgroupid"}},
	{1 << 0, []string{"pid", "tgid", "ppid"}},
	{1 << 1, []string{"ruid", "rgid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid"}},
	{1 << 3, []string{"exit_code"}},
	{1 << 4, []string{"coredump_mask"}},
	{1 << 6, []string{"coredump_signal"}},
	{1 << 7, []string{"coredump_code"}},
	{1 << 5, []string{"supported_mask"}},
}

// pidfdInfo writes struct pidfd_info: what was asked for, what of it there is,
// and that. The request says how much of the structure the caller knows.
func pidfdInfo(p *printer, t *syscalls.Type, in, out view) bool {
	const first = 64 // PIDFD_INFO_SIZE_VER0
	size := int(p.e.Args[1] >> 16 & 0x3fff)
	mask := fieldOf(t, "mask")
	if size < first || mask == nil || !in.has(8) {
		p.lost(in)
		return true
	}
	none := true
	p.c('{')
	p.member(t, in, "mask", &none)
	p.pause()
	if out.has(min(size, t.Size)) && p.done() {
		got := load(out.data, 0, 8)
		if got != load(in.data, 0, 8) {
			p.s(" => ")
			p.value(mask.Type, out.at(0, 8))
		}
		out.data = out.data[:min(size, len(out.data))]
		for _, m := range pidfdMembers {
			if got&m.bit != 0 {
				for _, name := range m.names {
					p.member(t, out, name, &none)
				}
			}
		}
	}
	p.c('}')
	return true
}
