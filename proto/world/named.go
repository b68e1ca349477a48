package world

import (
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// Named takes over what the call e carries of names that the calls before it do
// not tell: the directory and descriptors, as they stood before it. Call it
// before using the event; Apply does it too, and twice is as once.
func (w *World) Named(e *tracefile.Event) {
	if e.Facts == nil || e.Kind != tracefile.Syscall && e.Kind != tracefile.Unfinished && e.Kind != tracefile.InFlight {
		return
	}
	p := w.See(e.Thread).Process
	p.thaw()
	if len(e.Facts.Cwd) > 0 {
		p.fs.cwd = string(e.Facts.Cwd)
	}
	another := false // than the one that was known
	for i, o := range e.Facts.Files {
		if len(o.Link) == 0 {
			if i+1 < len(e.Facts.Files) && e.Facts.Files[i+1].Fd == o.Fd {
				another = true
			} else {
				w.touch(p.files, o.Fd)
				w.close(p, o.Fd, maxTime)
			}
			continue
		}
		f := FileOf(o)
		cloexec := false
		if s := p.files.slot(o.Fd); s != nil && s.file != nil {
			if s.file.Link == f.Link {
				if f.Device != "" && f.Device != s.file.Device {
					w.touch(p.files, o.Fd)
					s.file.Device, s.file.PID = f.Device, f.PID // an eventfd's count
				}
				if f.Proto != "" {
					w.touch(p.files, o.Fd)
					s.file.connected(f)
				}
				another = false
				continue
			}
			if f.Kind == s.file.Kind && !another {
				f.keep(s.file)
			}
			cloexec = s.cloexec && !another
		}
		another = false
		w.touch(p.files, o.Fd)
		if s := p.files.grow(o.Fd); s != nil {
			*s = slot{file: f, set: e.Start, block: w.block, cloexec: cloexec}
		}
	}
}

// made takes over what the call e, which has been applied, carries of the
// descriptors that it made.
func (w *World) made(t *Thread, e *tracefile.Event, pl *plan) {
	for _, o := range e.Facts.GetMade() {
		f := FileOf(o)
		w.touch(t.Process.files, o.Fd)
		s := t.Process.files.grow(o.Fd)
		switch {
		case s == nil:
		case pl != nil && pl.receives: // the file that was sent may be another
			if s.file == nil || s.file.Link != f.Link {
				f.Opened = w.num
				*s = slot{file: f, set: w.time, block: w.block, cloexec: s.cloexec}
			}
			s.file.Device = f.Device
			s.file.connected(f)
		case s.file != nil && s.set == w.time && s.file.Kind == f.Kind:
			s.file.Link, s.file.Path, s.file.Device = f.Link, f.Path, f.Device
			s.file.connected(f)
		default:
			f.Opened = w.num
			*s = slot{file: f, set: w.time, block: w.block}
		}
	}
}

// PIDFD begins what a snapshot tells of a pidfd: the process follows.
const PIDFD = "pid:"

// Reaped is what it tells of one whose process has been waited for.
const Reaped = PIDFD + "-1"

// FileOf returns the File that a snapshot describes.
func FileOf(o *tracepb.OpenFile) *File {
	f := fileFromLink(string(o.Link), o.Flags, string(o.Socket))
	f.Device = string(o.Device)
	if pid, ok := strings.CutPrefix(f.Device, PIDFD); ok {
		n, _ := strconv.ParseInt(pid, 10, 32)
		f.PID = int32(n)
	}
	return f
}

const maxTime = 1<<63 - 1

// Aside calls fn with the world as [World.Named] makes it, and then leaves it as
// it was: for calls in flight, whose names count for them only.
func (w *World) Aside(e *tracefile.Event, fn func() error) error {
	if e.Facts == nil {
		return fn()
	}
	p := w.See(e.Thread).Process
	cwd := p.fs.cwd
	was := make([]struct {
		slot slot
		file File
	}, len(e.Facts.Files))
	for i, o := range e.Facts.Files {
		if s := p.files.slot(o.Fd); s != nil {
			was[i].slot = *s
			if s.file != nil {
				was[i].file = *s.file
			}
		}
	}
	w.Named(e)
	err := fn()
	for i, o := range e.Facts.Files {
		if s := p.files.slot(o.Fd); s != nil {
			*s = was[i].slot
			if s.file != nil {
				*s.file = was[i].file
			}
		}
	}
	p.fs.cwd = cwd
	return err
}

// Cwd stands for the working directory where a descriptor is asked for.
const Cwd = atFDCWD

// Knows reports whether the world has it that a descriptor of the process, or
// Cwd, is what readlink of /proc/PID/fd/N shows: nothing, if link is empty.
func (w *World) Knows(id tracefile.Thread, fd int32, link []byte) bool {
	p := w.See(id).Process
	if fd == Cwd {
		return p.fs.cwd == string(link)
	}
	f := p.File(fd)
	if f == nil || len(link) == 0 {
		return f == nil && len(link) == 0
	}
	return f.Link == string(link) || f.seen != "" && f.seen == string(link) ||
		f.Kind == Named && strings.TrimSuffix(string(link), " (deleted)") == f.Link
}

// Shows reports whether the name that the world has for a descriptor of the
// process is what readlink of /proc/PID/fd/N shows, to the letter.
func (w *World) Shows(id tracefile.Thread, fd int32, link []byte) bool {
	f := w.See(id).Process.File(fd)
	return fd == Cwd || f != nil && f.Name() == string(link)
}

// Connected reports whether the world has it that a descriptor is what text says, as
// [File.Detail] tells it. So it is of an empty text.
func (w *World) Connected(id tracefile.Thread, fd int32, text string) bool {
	f := w.See(id).Process.File(fd)
	return text == "" || f != nil && f.Detail() == text
}

// Seen notes what readlink shows of a descriptor that the call applied last has
// made, if that has given it a number of its own.
func (w *World) Seen(id tracefile.Thread, fd int32, link []byte) {
	f := w.See(id).Process.File(fd)
	if f == nil || f.Opened != w.num || !strings.Contains(f.Link, "[#") {
		return
	}
	if like := fileFromLink(string(link), 0, ""); like.Kind == f.Kind {
		f.seen = like.Link
	}
}

// Refs are a call's references to what names can be given to, by register.
type Refs struct {
	FDs   []int8 // descriptors
	Polls int8   // array of struct pollfd, −1: none
	Sets  []int8 // sets of descriptors, as select(2) takes them
	// Rights: a message may have descriptors with it, see [Rights].
	Rights bool
	Paths  []int8    // paths that are relative to the working directory if they are
	Files  []PathRef // all paths
}

// PathRef is a path argument and the register of the directory that it is relative to,
// −1: the working directory.
type PathRef struct{ Arg, Dir int8 }

// RefsOf returns the references of a call; d is not nil.
func RefsOf(d *syscalls.Desc) Refs {
	pl := newPlan(d)
	r := Refs{FDs: pl.fds, Polls: pl.polls, Rights: isMessage(d.Name)}
	if pl == idle {
		r.Polls = -1
	}
	for i := range d.Args {
		if a := &d.Args[i]; a.Type != nil && a.Type.Kind == syscalls.Pointer && elemName(a.Type) == "fdset" {
			r.Sets = append(r.Sets, int8(a.Reg))
		}
	}
	for _, a := range pl.paths {
		r.Files = append(r.Files, PathRef{Arg: a.arg, Dir: a.dir})
		if a.dir < 0 {
			r.Paths = append(r.Paths, a.arg)
		}
	}
	return r
}

// Alters tells what of a process a call can change when it returns: which files
// its descriptors stand for, and its working directory. Of execve and clone the
// events tell.
func Alters(d *syscalls.Desc) (files, cwd bool) {
	switch d.Name {
	case "chdir", "fchdir":
		return false, true
	case "ioctl", "chroot", "prctl", "unshare", "clone", "clone3", "execve", "execveat",
		"bind", "connect", "getsockname", "getpeername", "sendmsg", "sendmmsg":
		return false, false
	}
	return newPlan(d).effect != nil, false
}
