package world

import "sysreel/proto/tracefile"

// Named takes over what the text that the call e was made from names, and the
// calls before did not tell: directories and descriptors, as they stood before
// it. Call it before using the event; Apply does it too, and twice is as once.
func (w *World) Named(e *tracefile.Event) {
	if e.Facts == nil || e.Kind != tracefile.Syscall && e.Kind != tracefile.Unfinished && e.Kind != tracefile.InFlight {
		return
	}
	p := w.See(e.Thread).Process
	if len(e.Facts.Cwd) > 0 {
		p.fs.cwd = string(e.Facts.Cwd)
	}
	for _, o := range e.Facts.Files {
		f := fileFromLink(string(o.Link), o.Flags, string(o.Socket))
		cloexec := false
		if s := p.files.slot(o.Fd); s != nil && s.file != nil {
			if s.file.Link == f.Link {
				continue
			}
			if f.Kind == s.file.Kind {
				f.keep(s.file)
			}
			cloexec = s.cloexec
		}
		w.touch(p.files, o.Fd)
		if s := p.files.grow(o.Fd); s != nil {
			*s = slot{file: f, set: e.Start, block: w.block, cloexec: cloexec}
		}
	}
}
