package cross

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// source is where a register of a rewritten call comes from: one of the
// original's, or a constant.
type source struct {
	reg int // −1: val
	val uint64
}

func reg(i int) source      { return source{reg: i} }
func value(v uint64) source { return source{reg: -1, val: v} }
func negative(v int) source { return value(uint64(int64(v))) }

// Values of include/uapi/linux/fcntl.h and sched.h.
var (
	cwd      = negative(-100) // AT_FDCWD
	none     = value(0)
	noFollow = value(0x100)               // AT_SYMLINK_NOFOLLOW
	dir      = value(0x200)               // AT_REMOVEDIR
	create   = value(0x241)               // O_WRONLY|O_CREAT|O_TRUNC
	child    = value(17)                  // SIGCHLD
	vfork    = value(0x4000 | 0x100 | 17) // CLONE_VFORK|CLONE_VM|SIGCHLD
)

// generic are the calls that only older architectures have, and what they are
// elsewhere (include/uapi/asm-generic/unistd.h).
var generic = map[string]struct {
	name string
	regs []source
}{
	"open":         {"openat", []source{cwd, reg(0), reg(1), reg(2)}},
	"creat":        {"openat", []source{cwd, reg(0), create, reg(1)}},
	"stat":         {"newfstatat", []source{cwd, reg(0), reg(1), none}},
	"lstat":        {"newfstatat", []source{cwd, reg(0), reg(1), noFollow}},
	"access":       {"faccessat", []source{cwd, reg(0), reg(1)}},
	"mkdir":        {"mkdirat", []source{cwd, reg(0), reg(1)}},
	"mknod":        {"mknodat", []source{cwd, reg(0), reg(1), reg(2)}},
	"rmdir":        {"unlinkat", []source{cwd, reg(0), dir}},
	"unlink":       {"unlinkat", []source{cwd, reg(0), none}},
	"rename":       {"renameat", []source{cwd, reg(0), cwd, reg(1)}},
	"link":         {"linkat", []source{cwd, reg(0), cwd, reg(1), none}},
	"symlink":      {"symlinkat", []source{reg(0), cwd, reg(1)}},
	"readlink":     {"readlinkat", []source{cwd, reg(0), reg(1), reg(2)}},
	"chmod":        {"fchmodat", []source{cwd, reg(0), reg(1)}},
	"chown":        {"fchownat", []source{cwd, reg(0), reg(1), reg(2), none}},
	"lchown":       {"fchownat", []source{cwd, reg(0), reg(1), reg(2), noFollow}},
	"pipe":         {"pipe2", []source{reg(0), none}},
	"dup2":         {"dup3", []source{reg(0), reg(1), none}},
	"fork":         {"clone", []source{child, none, none, none, none}},
	"vfork":        {"clone", []source{vfork, none, none, none, none}},
	"epoll_wait":   {"epoll_pwait", []source{reg(0), reg(1), reg(2), reg(3), none, value(8)}},
	"epoll_create": {"epoll_create1", []source{none}},
	"inotify_init": {"inotify_init1", []source{none}},
	"eventfd":      {"eventfd2", []source{reg(0), none}},
	"signalfd":     {"signalfd4", []source{reg(0), reg(1), reg(2), none}},
	"getpgrp":      {"getpgid", []source{none}},
}

// Generic makes of a call that only older architectures have the one that does
// the same on all; others stay as they are.
func Generic(e tracefile.Event) tracefile.Event {
	if !isCall(&e) {
		return e
	}
	d := syscalls.Lookup(e.Arch, e.NR)
	if d == nil {
		return e
	}
	g, ok := generic[d.Name]
	if !ok {
		return e
	}
	var moved [6]int8
	args := e.Args
	e.Args = [6]uint64{}
	for i, s := range g.regs {
		if s.reg < 0 {
			e.Args[i] = s.val
			continue
		}
		e.Args[i], moved[s.reg] = args[s.reg], int8(i)
	}
	e.NR = syscalls.ByName(e.Arch, g.name).NR
	bufs := e.Bufs
	e.Bufs = nil
	for _, b := range bufs {
		if b.Arg >= 0 {
			b.Arg = moved[b.Arg]
		}
		e.Bufs = append(e.Bufs, b)
	}
	return e
}

func isCall(e *tracefile.Event) bool {
	return e.Kind == tracefile.Syscall || e.Kind == tracefile.Unfinished || e.Kind == tracefile.InFlight
}
