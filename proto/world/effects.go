package world

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"sysreel/proto/tracefile"
)

// Values of include/uapi/asm-generic/fcntl.h, linux/fcntl.h, linux/close_range.h,
// linux/prctl.h and asm-generic/ioctls.h; alike on every architecture known.
const (
	oCloexec          = 0o2000000
	fDupFD            = 0
	fSetFD            = 2
	fDupFDCloexec     = 1030
	fdCloexec         = 1
	closeRangeUnshare = 1 << 1
	closeRangeCloexec = 1 << 2
	prSetName         = 15
	fioNClex          = 0x5450
	fioClex           = 0x5451
	ebadf             = 9
	einprogress       = 115
	sockCloexec       = oCloexec
	perfFlagCloexec   = 1 << 3
	inotifyCloexec    = oCloexec
	bpfMapCreate      = 0
	bpfProgLoad       = 5
	bpfBTFLoad        = 18
	bpfLinkCreate     = 28
	mfdCloexec        = 1
)

// effects lists the calls whose effect their description does not tell. A call
// that returns a descriptor of a path it names needs no entry.
var effects map[string]effect

func init() { // a variable initialiser would refer to itself through plan
	effects = map[string]effect{
		"close":       closeFD,
		"close_range": closeRange,
		"dup":         func(w *World, t *Thread, e *tracefile.Event) { w.dup(t, e, false) },
		"dup2":        func(w *World, t *Thread, e *tracefile.Event) { w.dup(t, e, false) },
		"dup3":        func(w *World, t *Thread, e *tracefile.Event) { w.dup(t, e, e.Args[2]&oCloexec != 0) },
		"fcntl":       fcntl,
		"fcntl64":     fcntl,
		"ioctl":       ioctl,
		"chdir":       chdir,
		"fchdir":      fchdir,
		"chroot":      chroot,
		"prctl":       prctl,
		"unshare":     unshare,
		"clone":       clone,
		"clone3":      clone3,
		"execve":      func(w *World, t *Thread, e *tracefile.Event) { w.execReturned(t, e) },
		"execveat":    func(w *World, t *Thread, e *tracefile.Event) { w.execReturned(t, e) },

		"socket":      socket,
		"socketpair":  socketpair,
		"bind":        bind,
		"connect":     connect,
		"accept":      func(w *World, t *Thread, e *tracefile.Event) { w.accept(t, e, false) },
		"accept4":     func(w *World, t *Thread, e *tracefile.Event) { w.accept(t, e, e.Args[3]&sockCloexec != 0) },
		"getsockname": getsockname,
		"getpeername": getpeername,
		"sendmsg":     sendmsg,
		"sendmmsg":    sendmsg,
		"recvmsg":     recvmsg,
		"recvmmsg":    recvmsg,

		"recvmmsg_time64": recvmsg,

		"socketcall": func(*World, *Thread, *tracefile.Event) {}, // that of the call which it means: see meant

		"pipe":  func(w *World, t *Thread, e *tracefile.Event) { w.pipe(t, e, 0) },
		"pipe2": func(w *World, t *Thread, e *tracefile.Event) { w.pipe(t, e, e.Args[1]) },

		"eventfd":                 anon("anon_inode:[eventfd]", -1, 0),
		"eventfd2":                anon("anon_inode:[eventfd]", 1, oCloexec),
		"epoll_create":            anon("anon_inode:[eventpoll]", -1, 0),
		"epoll_create1":           anon("anon_inode:[eventpoll]", 0, oCloexec),
		"timerfd_create":          anon("anon_inode:[timerfd]", 1, oCloexec),
		"signalfd":                signalfd,
		"signalfd4":               signalfd,
		"inotify_init":            anon("anon_inode:inotify", -1, 0),
		"inotify_init1":           anon("anon_inode:inotify", 0, inotifyCloexec),
		"fanotify_init":           anon("anon_inode:[fanotify]", 0, 1),
		"userfaultfd":             anon("anon_inode:[userfaultfd]", 0, oCloexec),
		"perf_event_open":         anon("anon_inode:[perf_event]", 4, perfFlagCloexec),
		"io_uring_setup":          anon("anon_inode:[io_uring]", -1, 1),
		"landlock_create_ruleset": anon("anon_inode:[landlock-ruleset]", -1, 1),
		"fsopen":                  anon("anon_inode:[fscontext]", 1, 1),
		"fspick":                  anon("anon_inode:[fscontext]", 2, 1),
		"memfd_secret":            anon("/secretmem", 0, oCloexec),
		"bpf":                     bpf,
		"memfd_create":            memfd,
		"pidfd_open":              pidfdOpen,
		"pidfd_getfd":             pidfdGetfd,
	}
}

// anon is the effect of a call that makes a nameless object. The close-on-exec
// flag is bit cloexec of the register flags; without a register (−1) any
// cloexec says it is always set.
func anon(link string, flags int, cloexec uint64) effect {
	return func(w *World, t *Thread, e *tracefile.Event) {
		set := cloexec != 0
		if flags >= 0 {
			set = e.Args[flags]&cloexec != 0
		}
		w.open(t.Process, int32(e.Ret), &File{Kind: Anon, Link: link, Opened: w.num}, set)
	}
}

// openOther is the effect of a call that returns a descriptor of which nothing
// else is known.
func openOther(name string) effect {
	return func(w *World, t *Thread, e *tracefile.Event) {
		w.open(t.Process, int32(e.Ret), &File{Link: numbered(name, w.num), Opened: w.num}, false)
	}
}

// openPath is the effect of a call that returns a descriptor of the path it
// names: open, openat, openat2, creat, open_tree, mq_open, …
func openPath(w *World, t *Thread, e *tracefile.Event) {
	pl := w.plan(e.Arch, e.NR)
	var buf [2]string
	names := w.resolve(buf[:0], pl, t.Process, e)
	f := new(File)
	if len(names) == 0 { // the path could not be read
		f.Link = numbered("path", w.num)
	} else if same := t.Process.reopened(names[0]); same != nil {
		f = same
	} else {
		f.Kind, f.Path, f.Link = Named, names[0], names[0]
	}
	flags := uint64(0)
	last := pl.paths[0].arg + 1
	if how, ok := arg(e, last, tracefile.AtEnter); ok && len(how) >= 8 { // openat2: struct open_how
		flags = binary.LittleEndian.Uint64(how)
	} else if int(last) < len(e.Args) {
		flags = e.Args[last]
	}
	f.Opened, f.Flags = w.num, uint32(flags)
	w.open(t.Process, int32(e.Ret), f, flags&oCloexec != 0)
}

// reopened returns the file that opening the path of a descriptor gives again:
// /dev/fd/N, /proc/self/fd/N or /dev/stdin. It is a new description with the
// same name.
func (p *Process) reopened(name string) *File {
	num, ok := strings.CutPrefix(name, "/dev/fd/")
	if !ok {
		num, ok = strings.CutPrefix(name, "/proc/self/fd/")
	}
	if i := slices.Index([]string{"/dev/stdin", "/dev/stdout", "/dev/stderr"}, name); i >= 0 {
		num, ok = strconv.Itoa(i), true
	}
	if !ok {
		return nil
	}
	fd, err := strconv.ParseInt(num, 10, 32)
	if err != nil {
		return nil
	}
	f := p.File(int32(fd))
	if f == nil {
		return nil
	}
	again := *f
	return &again
}

func closeFD(w *World, t *Thread, e *tracefile.Event) {
	if e.Errno() != ebadf { // the descriptor is gone whatever else close(2) says
		w.close(t.Process, int32(e.Args[0]), e.Start)
	}
}

func closeRange(w *World, t *Thread, e *tracefile.Event) {
	p := t.Process
	if e.Args[2]&closeRangeUnshare != 0 {
		w.unshareFiles(p)
	}
	first, last := uint32(e.Args[0]), uint32(e.Args[1])
	p.files.each(func(fd int32, s *slot) {
		if uint32(fd) < first || uint32(fd) > last {
			return
		}
		if e.Args[2]&closeRangeCloexec != 0 {
			s.cloexec = true
			return
		}
		w.touch(p.files, fd)
		w.close(p, fd, e.Start)
	})
}

func (w *World) dup(t *Thread, e *tracefile.Event, cloexec bool) {
	from, to := int32(e.Args[0]), int32(e.Ret)
	if from != to {
		w.copyFD(t.Process, from, to, cloexec)
	}
}

func (w *World) copyFD(p *Process, from, to int32, cloexec bool) {
	f := p.File(from)
	if f == nil {
		w.touch(p.files, to)
		w.close(p, to, w.time) // now something else, not known what
		return
	}
	w.open(p, to, f, cloexec)
}

func fcntl(w *World, t *Thread, e *tracefile.Event) {
	switch uint32(e.Args[1]) {
	case fDupFD:
		w.copyFD(t.Process, int32(e.Args[0]), int32(e.Ret), false)
	case fDupFDCloexec:
		w.copyFD(t.Process, int32(e.Args[0]), int32(e.Ret), true)
	case fSetFD:
		if s := t.Process.files.slot(int32(e.Args[0])); s != nil {
			s.cloexec = e.Args[2]&fdCloexec != 0
		}
	}
}

func ioctl(w *World, t *Thread, e *tracefile.Event) {
	if req := uint32(e.Args[1]); req == fioClex || req == fioNClex {
		if s := t.Process.files.slot(int32(e.Args[0])); s != nil {
			s.cloexec = req == fioClex
		}
	}
}

func chdir(w *World, t *Thread, e *tracefile.Event) {
	if data, ok := arg(e, 0, tracefile.AtEnter); ok {
		t.Process.fs.cwd = t.Process.Resolve(atFDCWD, cString(data))
	}
}

func fchdir(w *World, t *Thread, e *tracefile.Event) {
	cwd := ""
	if f := t.Process.File(int32(e.Args[0])); f != nil {
		cwd = f.Path
	}
	t.Process.fs.cwd = cwd
}

func chroot(w *World, t *Thread, e *tracefile.Event) {
	if data, ok := arg(e, 0, tracefile.AtEnter); ok {
		t.Process.fs.root = t.Process.Resolve(atFDCWD, cString(data))
	}
}

func prctl(w *World, t *Thread, e *tracefile.Event) {
	if e.Args[0] == prSetName {
		if data, ok := arg(e, 1, tracefile.AtEnter); ok {
			t.setComm(cString(data[:min(len(data), 15)]))
		}
	}
}

func unshare(w *World, t *Thread, e *tracefile.Event) {
	if e.Args[0]&cloneFiles != 0 {
		w.unshareFiles(t.Process)
	}
	if e.Args[0]&cloneFS != 0 {
		own := *t.Process.fs
		t.Process.fs = &own
	}
}

func (w *World) unshareFiles(p *Process) {
	if p.files.refs > 1 {
		shared := p.files
		p.files = shared.fork(p.ID, w.block)
		shared.release()
	}
}

func clone(w *World, t *Thread, e *tracefile.Event) {
	w.cloned(t, e.Args[0])
	if fd, f := ClonedPIDFD("clone", e); f != nil {
		w.pidfd(t.Process, fd, f.PID)
	}
}

func clone3(w *World, t *Thread, e *tracefile.Event) {
	args, ok := arg(e, 0, tracefile.AtEnter) // struct clone_args
	if !ok || len(args) < 8 {
		w.cloned(t, 0)
		return
	}
	w.cloned(t, binary.LittleEndian.Uint64(args))
	if fd, f := ClonedPIDFD("clone3", e); f != nil {
		w.pidfd(t.Process, fd, f.PID)
	}
}

// ClonedPIDFD returns the pidfd of the child that a call, "clone" or "clone3", has
// made, and what it stands for; nil: it has made none.
func ClonedPIDFD(call string, e *tracefile.Event) (fd int32, f *File) {
	if e.Kind != tracefile.Syscall || e.Ret <= 0 {
		return 0, nil
	}
	var flags uint64
	var data []byte
	switch call {
	case "clone":
		flags = e.Args[0]
		data, _ = arg(e, 2, tracefile.AtExit)
	case "clone3":
		if args, ok := arg(e, 0, tracefile.AtEnter); ok && len(args) >= 8 {
			flags = binary.LittleEndian.Uint64(args)
		}
		for i := range e.Bufs { // the word behind clone_args.pidfd, at offset 8
			if b := &e.Bufs[i]; b.Parent >= 0 && b.Off == 8 && b.Phase == tracefile.AtExit {
				data = b.Data
			}
		}
	}
	if flags&clonePidfd == 0 || len(data) < 4 {
		return 0, nil
	}
	return int32(binary.LittleEndian.Uint32(data)), pidfdOf(int32(e.Ret))
}

func pidfdOf(pid int32) *File { return &File{Kind: Anon, Link: "anon_inode:[pidfd]", PID: pid} }

func (w *World) pidfd(p *Process, fd, pid int32) {
	f := pidfdOf(pid)
	f.Opened = w.num
	w.open(p, fd, f, true)
}

func pidfdOpen(w *World, t *Thread, e *tracefile.Event) {
	w.pidfd(t.Process, int32(e.Ret), int32(e.Args[0]))
}

func pidfdGetfd(w *World, t *Thread, e *tracefile.Event) {
	f := &File{Link: numbered("pidfd_getfd", w.num), Opened: w.num}
	if pidfd := t.Process.File(int32(e.Args[0])); pidfd != nil {
		if from := w.byTGID[pidfd.PID]; from != nil && pidfd.PID != 0 {
			if theirs := from.File(int32(e.Args[1])); theirs != nil {
				f = theirs
			}
		}
	}
	w.open(t.Process, int32(e.Ret), f, true)
}

func (w *World) pipe(t *Thread, e *tracefile.Event, flags uint64) {
	r, wr, ok := twoFDs(e, 0)
	if !ok {
		return
	}
	// One File serves both ends: their names are the same.
	f := &File{Kind: Pipe, Link: numbered("pipe", w.num), Opened: w.num, object: w.num}
	w.open(t.Process, r, f, flags&oCloexec != 0)
	w.open(t.Process, wr, f, flags&oCloexec != 0)
}

func twoFDs(e *tracefile.Event, reg int8) (int32, int32, bool) {
	data, ok := arg(e, reg, tracefile.AtExit)
	if !ok || len(data) < 8 {
		return 0, 0, false
	}
	return int32(binary.LittleEndian.Uint32(data)), int32(binary.LittleEndian.Uint32(data[4:])), true
}

func signalfd(w *World, t *Thread, e *tracefile.Event) {
	if int32(e.Args[0]) >= 0 { // changes the mask of one that exists
		return
	}
	w.open(t.Process, int32(e.Ret), &File{Kind: Anon, Link: "anon_inode:[signalfd]", Opened: w.num}, e.Args[3]&oCloexec != 0)
}

func memfd(w *World, t *Thread, e *tracefile.Event) {
	name := ""
	if data, ok := arg(e, 0, tracefile.AtEnter); ok {
		name = cString(data)
	}
	w.open(t.Process, int32(e.Ret), &File{Kind: Memfd, Link: "/memfd:" + name + " (deleted)", Opened: w.num}, e.Args[1]&mfdCloexec != 0)
}

func bpf(w *World, t *Thread, e *tracefile.Event) {
	link := ""
	switch e.Args[0] {
	case bpfMapCreate:
		link = "anon_inode:bpf-map"
	case bpfProgLoad:
		link = "anon_inode:bpf-prog"
	case bpfBTFLoad:
		link = "anon_inode:btf"
	case bpfLinkCreate:
		link = "anon_inode:bpf_link"
	default:
		return // most other commands return no descriptor
	}
	w.open(t.Process, int32(e.Ret), &File{Kind: Anon, Link: link, Opened: w.num}, true)
}
