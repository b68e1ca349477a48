package format

// waitStatus writes a status as wait(2) gives it, in terms of the macros of
// <sys/wait.h>.
func (p *printer) waitStatus(s uint32) {
	switch {
	case s == 0xffff:
		p.s("{WIFCONTINUED(s)}")
	case s&0xff == 0x7f: // WIFSTOPPED
		sig := s >> 8 & 0xff
		p.s("{WIFSTOPPED(s) && WSTOPSIG(s) == ")
		p.signalName(uint64(sig &^ 0x80))
		if sig&0x80 != 0 {
			p.s(" | 0x80")
		}
		p.c('}')
		if event := s >> 16; event != 0 {
			p.c('|')
			p.named("ptrace_events", int64(event))
			p.s("<<16")
		}
	case s&0x7f == 0: // WIFEXITED
		p.s("{WIFEXITED(s) && WEXITSTATUS(s) == ")
		p.udec(uint64(s >> 8 & 0xff))
		p.c('}')
	case s&0x7f == 0x7f: // nothing that wait(2) knows
		p.hex(uint64(s))
	default: // WIFSIGNALED
		p.s("{WIFSIGNALED(s) && WTERMSIG(s) == ")
		p.signalName(uint64(s & 0x7f))
		if s&0x80 != 0 {
			p.s(" && WCOREDUMP(s)")
		}
		p.c('}')
	}
}
