//go:build linux && (amd64 || arm64)

// Package procfs reads what /proc says of a process (proc(5)).
//
// A process can end, and its files become unreadable, at any moment: what
// cannot be read is left out, never an error.
package procfs

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracepb"
)

// Reader reads facts. It reuses its space and must not be used concurrently;
// what it returns is the caller's.
type Reader struct {
	// Environ keeps environments; without it they are only counted.
	Environ bool

	buf  []byte
	path []byte
}

// limit bounds what is read of one file: an environment may be megabytes.
const limit = 4 << 20

// file returns the content of /proc/PID/name, nil if it cannot be read. It is
// valid until the next call.
func (r *Reader) file(pid int, name string) []byte {
	fd, err := unix.Open(r.name(pid, name), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	return r.readAll(fd)
}

func (r *Reader) readAll(fd int) []byte {
	if r.buf == nil {
		r.buf = make([]byte, 32<<10)
	}
	n := 0
	for {
		if n == len(r.buf) {
			if n >= limit {
				return r.buf[:n]
			}
			r.buf = append(r.buf, make([]byte, n)...)
		}
		m, err := unix.Read(fd, r.buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil && n == 0 {
			return nil
		}
		if err != nil || m == 0 {
			return r.buf[:n]
		}
		n += m
	}
}

func (r *Reader) name(pid int, name string) string {
	r.path = append(r.path[:0], "/proc/"...)
	r.path = strconv.AppendInt(r.path, int64(pid), 10)
	r.path = append(r.path, '/')
	r.path = append(r.path, name...)
	return string(r.path)
}

// link returns the target of a symbolic link in /proc/PID.
func (r *Reader) link(pid int, name string) []byte {
	var b [unix.PathMax]byte
	n, err := unix.Readlink(r.name(pid, name), b[:])
	if err != nil {
		return nil
	}
	return bytes.Clone(b[:n])
}

// Launched describes a process that is about to execute its first program:
// everything but the program.
func (r *Reader) Launched(pid int) *tracepb.Process {
	p := &tracepb.Process{}
	r.standing(pid, p)
	r.files(pid, p)
	p.Comm = nil
	return p
}

// Running describes a process as it is: everything. arch is its program's
// syscalls.Arch, 0 if not known.
func (r *Reader) Running(pid int) *tracepb.Process {
	p := r.Executed(pid)
	r.files(pid, p)
	return p
}

// Executed describes a process that has just executed a program.
func (r *Reader) Executed(pid int) *tracepb.Process {
	p := &tracepb.Process{}
	r.standing(pid, p)
	p.Exe = r.link(pid, "exe")
	p.Argv = list(r.file(pid, "cmdline"))
	env := list(r.file(pid, "environ"))
	p.EnvCount, p.EnvKnown = uint32(len(env)), env != nil
	if r.Environ {
		p.Env = env
	}
	p.Maps = maps(r.file(pid, "maps"))
	var st unix.Stat_t
	if unix.Stat(r.name(pid, "exe"), &st) == nil {
		p.ExeFile = &tracepb.InputFile{Size: uint64(st.Size), Inode: st.Ino, MtimeNs: st.Mtim.Nano(), Mode: st.Mode}
	}
	return p
}

// Standing describes a process by what its calls refer to: program, arguments,
// directories and descriptors. It is nil if there is no such process.
func (r *Reader) Standing(pid int) *tracepb.Process {
	b := r.file(pid, "comm")
	if b == nil {
		return nil
	}
	p := &tracepb.Process{Comm: bytes.Clone(bytes.TrimSuffix(b, []byte("\n"))), Exe: r.link(pid, "exe"), Cwd: r.link(pid, "cwd")}
	p.Argv = list(r.file(pid, "cmdline"))
	if root := r.link(pid, "root"); string(root) != "/" {
		p.Root = root
	}
	r.files(pid, p)
	return p
}

// standing reads what does not depend on the program.
func (r *Reader) standing(pid int, p *tracepb.Process) {
	p.Tgid = int32(pid)
	p.Cwd = r.link(pid, "cwd")
	if root := r.link(pid, "root"); string(root) != "/" {
		p.Root = root
	}
	status(r.file(pid, "status"), p)
	stat(r.file(pid, "stat"), p)
	p.Limits = limits(r.file(pid, "limits"))
	p.Cgroup = cgroup(r.file(pid, "cgroup"))
	for _, name := range []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"} {
		if inode := r.Namespace(pid, name); inode != 0 {
			p.Namespaces = append(p.Namespaces, &tracepb.Namespace{Name: name, Inode: inode})
		}
	}
}

// Threads lists the threads of a process, or nil if there is none such.
func Threads(pid int) []int { return numbers("/proc/" + strconv.Itoa(pid) + "/task") }

// Processes lists all processes that can be seen.
func Processes() []int { return numbers("/proc") }

// Status is what tells how a process or thread stands to others.
type Status struct {
	Name      string
	State     byte // R, S, D, T, t, Z, X
	TGID      int
	PPID      int
	TracerPID int
	Threads   int    // of its process
	UID       uint32 // effective
	Kernel    bool   // a kernel thread
	Effective uint64 // capabilities
	Seccomp   int    // mode: 0 none, 1 strict, 2 filter
	// Inner is the thread's ID in its own PID namespace, and Depth how many
	// namespaces that is below the one of /proc.
	Inner, Depth int
}

// Look reads the status of a thread; ok is false if there is no such thread.
func (r *Reader) Look(tid int) (s Status, ok bool) {
	b := r.file(tid, "status")
	if b == nil {
		return s, false
	}
	s.Kernel = true
	for line := range bytes.Lines(b) {
		key, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			continue
		}
		value = bytes.TrimSpace(value)
		switch string(key) {
		case "Name":
			s.Name = string(value)
		case "State":
			if len(value) > 0 {
				s.State = value[0]
			}
		case "Tgid":
			s.TGID = atoi(value)
		case "PPid":
			s.PPID = atoi(value)
		case "TracerPid":
			s.TracerPID = atoi(value)
		case "Threads":
			s.Threads = atoi(value)
		case "Uid":
			if f := bytes.Fields(value); len(f) > 1 {
				s.UID = uint32(atoi(f[1]))
			}
		case "CapEff":
			s.Effective = parse(value, 16)
		case "Seccomp":
			s.Seccomp = atoi(value)
		case "NSpid":
			if f := bytes.Fields(value); len(f) > 0 {
				s.Inner, s.Depth = atoi(f[len(f)-1]), len(f)-1
			}
		case "VmSize":
			s.Kernel = false
		}
	}
	return s, true
}

// Namespace returns the inode of a process's namespace of a kind, 0 if it cannot be
// read.
func (r *Reader) Namespace(pid int, kind string) uint64 {
	var st unix.Stat_t
	if unix.Stat(r.name(pid, "ns/"+kind), &st) != nil {
		return 0
	}
	return st.Ino
}

// PIDNamespace names the PID namespace of a process.
func PIDNamespace(pid int) string {
	name, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/pid")
	return name
}

func numbers(dir string) []int {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var all []int
	var names []string
	buf := make([]byte, 16<<10)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return all
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		for _, name := range names {
			if v, err := strconv.Atoi(name); err == nil {
				all = append(all, v)
			}
		}
	}
}

// list splits NUL-terminated strings.
func list(b []byte) [][]byte {
	if len(b) == 0 {
		return nil
	}
	var all [][]byte
	for _, s := range bytes.Split(bytes.TrimSuffix(b, []byte{0}), []byte{0}) {
		all = append(all, bytes.Clone(s))
	}
	return all
}

func atoi(b []byte) int {
	n, _ := strconv.Atoi(string(b))
	return n
}

// Capabilities returns the permitted capabilities of a process, 0 if they
// cannot be read.
func Capabilities(pid int) uint64 {
	var r Reader
	for line := range bytes.Lines(r.file(pid, "status")) {
		if v, ok := bytes.CutPrefix(line, []byte("CapPrm:")); ok {
			return parse(bytes.TrimSpace(v), 16)
		}
	}
	return 0
}

// YamaScope returns kernel.yama.ptrace_scope, 0 where there is no Yama
// (Documentation/admin-guide/LSM/Yama.rst).
func YamaScope() int {
	var r Reader
	fd, err := unix.Open("/proc/sys/kernel/yama/ptrace_scope", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	return atoi(bytes.TrimSpace(r.readAll(fd)))
}

// InUserNamespace reports whether this process is in a user namespace other
// than the first: one that does not have all user IDs (user_namespaces(7)).
func InUserNamespace() bool {
	var r Reader
	fd, err := unix.Open("/proc/self/uid_map", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return !slices.Equal(strings.Fields(string(r.readAll(fd))), []string{"0", "0", "4294967295"})
}

// Runnable reports whether a thread runs or waits for a CPU.
func (r *Reader) Runnable(tid int) bool {
	b := r.file(tid, "stat")
	i := bytes.LastIndexByte(b, ')')
	return i >= 0 && i+2 < len(b) && b[i+2] == 'R'
}

// Exiting reports whether a thread has ended or is about to: PF_EXITING in
// include/linux/sched.h.
func (r *Reader) Exiting(tid int) bool {
	b := r.file(tid, "stat")
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:]) // f[0] is field 3
	return len(f) < 7 || parse(f[9-3], 10)&0x4 != 0
}
