package format

import "sysreel/proto/syscalls"

// bpfNextID writes the question for the next ID of bpf: the answer stands
// behind what was there.
func bpfNextID(p *printer, t *syscalls.Type, in, out view) bool {
	f := fieldOf(t, "next_id")
	if f == nil || !in.has(f.Off+4) {
		return false
	}
	first := true
	p.c('{')
	p.member(t, in, "start_id", &first)
	p.member(t, in, f.Name, &first)
	p.pause()
	if was := load(in.data, f.Off, 4); out.has(f.Off+4) && p.done() && load(out.data, f.Off, 4) != was {
		p.s(" => ")
		p.udec(load(out.data, f.Off, 4))
	}
	p.member(t, in, "open_flags", &first)
	p.c('}')
	return true
}
