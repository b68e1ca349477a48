package world

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// in and out are memory that a call read or wrote.
type (
	in  []byte
	out []byte
)

// machine feeds calls to a world.
type machine struct {
	t     testing.TB
	w     *World
	now   int64
	ids   tracefile.ThreadID
	procs tracefile.ProcessID
}

func newMachine(t testing.TB, w *World) *machine { return &machine{t: t, w: w, now: 1000} }

func call(t testing.TB, th tracefile.Thread, start, end int64, name string, ret int64, args ...any) *tracefile.Event {
	t.Helper()
	d := syscalls.ByName(syscalls.AMD64, name)
	if d == nil {
		t.Fatalf("no call %q", name)
	}
	e := &tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.AMD64, Thread: th, NR: d.NR, Start: start, End: end, Ret: ret}
	for i, a := range args {
		b := tracefile.Buf{Arg: int8(i), Parent: -1}
		switch a := a.(type) {
		case int:
			e.Args[i] = uint64(a)
			continue
		case string:
			b.Data = append([]byte(a), 0)
		case in:
			b.Data = a
		case out:
			b.Data, b.Phase = a, tracefile.AtExit
		}
		e.Args[i] = 0x1000
		e.Bufs = append(e.Bufs, b)
	}
	return e
}

func (m *machine) call(th tracefile.Thread, name string, ret int64, args ...any) {
	m.t.Helper()
	m.now += 10
	m.w.Apply(call(m.t, th, m.now-5, m.now, name, ret, args...))
}

func (m *machine) start(pid int32, how tracefile.StartHow, creator tracefile.Thread, facts *tracepb.Process) tracefile.Thread {
	m.now += 10
	m.ids++
	m.procs++
	th := tracefile.Thread{ID: m.ids, Process: m.procs, TID: pid, TGID: pid}
	m.w.Apply(&tracefile.Event{Kind: tracefile.ThreadStart, Thread: th, Start: m.now, End: m.now, Args: [6]uint64{uint64(how), uint64(creator.ID)}, Facts: facts})
	return th
}

func (m *machine) exec(th tracefile.Thread, facts *tracepb.Process) {
	m.now += 10
	m.w.Apply(&tracefile.Event{Kind: tracefile.Exec, Thread: th, Start: m.now, End: m.now, Facts: facts})
}

// files lists descriptors as "3</etc/passwd> 4<TCP:[…]>", numbers of events
// replaced by N.
func files(p *Process) string {
	var fds []int
	p.Files(func(fd int32, _ *File) { fds = append(fds, int(fd)) })
	sort.Ints(fds)
	var out []string
	for _, fd := range fds {
		out = append(out, fmt.Sprintf("%d<%s>", fd, p.File(int32(fd)).Detail()))
	}
	return strings.Join(out, " ")
}

func (m *machine) want(th tracefile.Thread, want string) {
	m.t.Helper()
	if got := files(m.w.Thread(th.ID).Process); got != want {
		m.t.Errorf("files of %d:\n got %s\nwant %s", th.TGID, got, want)
	}
}

func ints(v ...int32) out {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return b
}

func inet(port uint16, last byte) []byte {
	return []byte{2, 0, byte(port >> 8), byte(port), 127, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, 0}
}

func program(cwd string, links ...string) *tracepb.Process {
	p := &tracepb.Process{Exe: []byte("/bin/prog"), Comm: []byte("prog"), Argv: [][]byte{[]byte("prog")}, Cwd: []byte(cwd), FilesKnown: true}
	for i, l := range links {
		p.Files = append(p.Files, &tracepb.OpenFile{Fd: int32(i), Link: []byte(l)})
	}
	return p
}

const cwdFD = -100

func TestPathsAndDescriptors(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/home/u", "/dev/null"))
	m.call(a, "openat", 3, cwdFD, "src/../src/./a.c", 0)
	m.call(a, "openat", 4, cwdFD, "/etc", oCloexec)
	m.call(a, "openat", 5, 4, "passwd", 0)
	m.call(a, "openat", -2, cwdFD, "missing", 0)
	m.want(a, "0</dev/null> 3</home/u/src/a.c> 4</etc> 5</etc/passwd>")

	m.call(a, "chdir", 0, "src")
	m.call(a, "openat", 6, cwdFD, "b.c", 0)
	m.call(a, "fchdir", 0, 4)
	m.call(a, "openat", 7, cwdFD, "group", 0)
	m.call(a, "dup2", 1, 5, 1)
	m.call(a, "dup", 8, 5)
	m.call(a, "fcntl", 9, 5, fDupFDCloexec, 0)
	m.call(a, "close", 0, 5)
	m.call(a, "close", -ebadf, 6)
	m.want(a, "0</dev/null> 1</etc/passwd> 3</home/u/src/a.c> 4</etc> 6</home/u/src/b.c> 7</etc/group> 8</etc/passwd> 9</etc/passwd>")
	if m.w.Thread(a.ID).Process.Cwd() != "/etc" {
		t.Errorf("cwd is %q", m.w.Thread(a.ID).Process.Cwd())
	}

	m.call(a, "close_range", 0, 6, 7, 0)
	m.call(a, "close_range", 0, 8, 1<<31-1, closeRangeCloexec)
	m.want(a, "0</dev/null> 1</etc/passwd> 3</home/u/src/a.c> 4</etc> 8</etc/passwd> 9</etc/passwd>")
	m.exec(a, nil)
	m.want(a, "0</dev/null> 1</etc/passwd> 3</home/u/src/a.c>")
}

func TestReopened(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/", "/etc/hosts"))
	m.call(a, "pipe", 0, ints(3, 4))
	m.call(a, "openat", 5, cwdFD, "/dev/fd/3", 0)
	m.call(a, "openat", 6, cwdFD, "/proc/self/fd/99", 0)
	m.call(a, "openat", 7, cwdFD, "/dev/stdin", 0)
	m.want(a, "0</etc/hosts> 3<pipe:[#2]> 4<pipe:[#2]> 5<pipe:[#2]> 6</proc/self/fd/99> 7</etc/hosts>")
}

func TestForkExec(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/", "/dev/null"))
	m.call(a, "pipe2", 0, ints(3, 4), oCloexec)
	pipe := m.w.Thread(a.ID).Process.File(3)
	b := m.start(11, tracefile.StartFork, a, nil)
	m.call(a, "clone", 11, 0)
	m.call(b, "dup2", 1, 4, 1)
	m.call(b, "chdir", 0, "/tmp")
	m.exec(b, nil)
	m.call(b, "execve", 0, "./run me", in{}, 0)
	p := m.w.Thread(b.ID).Process
	if p.File(1) != pipe {
		t.Errorf("descriptor 1 of the child is %v, want the pipe", p.File(1))
	}
	m.want(b, "0</dev/null> 1<"+pipe.Link+">")
	m.want(a, "0</dev/null> 3<"+pipe.Link+"> 4<"+pipe.Link+">")
	if p.Parent.TGID != 10 || p.Cwd() != "/tmp" || p.Exe != "/tmp/run me" || p.Comm != "run me" || len(p.Execs) != 1 {
		t.Errorf("child: parent %d cwd %q exe %q comm %q execs %v", p.Parent.TGID, p.Cwd(), p.Exe, p.Comm, p.Execs)
	}
	if m.w.Thread(a.ID).Process.Cwd() != "/" {
		t.Error("the child's chdir moved its parent")
	}
	m.w.Apply(&tracefile.Event{Kind: tracefile.ThreadExit, Thread: b, End: m.now, Ret: 3 << 8, Args: [6]uint64{1}})
	if !p.Ended || p.Status != 3<<8 || !p.StatusKnown {
		t.Errorf("child: ended %v status %#x", p.Ended, p.Status)
	}
}

func TestSharedTable(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	b := m.start(11, tracefile.StartClone, a, nil)
	m.call(a, "clone", 11, cloneFiles|cloneFS)
	m.call(b, "openat", 3, cwdFD, "/etc/passwd", 0)
	m.call(a, "chdir", 0, "/var")
	m.want(a, "3</etc/passwd>")
	if cwd := m.w.Thread(b.ID).Process.Cwd(); cwd != "/var" {
		t.Errorf("cwd of the process that shares it is %q", cwd)
	}
	m.call(b, "unshare", 0, cloneFiles)
	m.call(b, "close", 0, 3)
	m.want(a, "3</etc/passwd>")
	m.want(b, "")
}

func TestSockets(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	m.call(a, "socket", 0, afInet, 1|sockCloexec, 0)
	m.call(a, "bind", 0, 0, in(inet(80, 1)), 16)
	m.call(a, "accept4", 1, 0, out(inet(5000, 9)), out{16, 0, 0, 0}, 0)
	m.call(a, "socket", 2, afInet, 2, 0)
	m.call(a, "connect", -einprogress, 2, in(inet(53, 2)), 16)
	m.call(a, "getsockname", 0, 2, out(inet(4000, 1)), out{16, 0, 0, 0})
	m.call(a, "socket", 3, afUnix, 1, 0)
	m.call(a, "connect", 0, 3, in("\x01\x00/run/x.sock\x00"), 14)
	m.call(a, "socket", 4, afInet, 1, 0)
	m.call(a, "connect", -111, 4, in(inet(81, 1)), 16)
	m.want(a, `0<TCP:[127.0.0.1:80]> 1<TCP:[127.0.0.1:80->127.0.0.9:5000]> 2<UDP:[127.0.0.1:4000->127.0.0.2:53]> 3<UNIX-STREAM:[#8->"/run/x.sock"]> 4<TCP:[#10]>`)
	if peer := m.w.Thread(a.ID).Process.File(3).Peer; peer != "/run/x.sock" {
		t.Errorf("peer is %q", peer)
	}
}

func TestAnonymousFiles(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	m.call(a, "eventfd2", 0, 0, 0)
	m.call(a, "epoll_create1", 1, oCloexec)
	m.call(a, "memfd_create", 2, "buf", 0)
	m.call(a, "timerfd_create", 3, 1, 0)
	m.call(a, "inotify_init1", 4, 0)
	m.call(a, "signalfd4", 5, -1, in{0, 0, 0, 0, 0, 0, 0, 0}, 8, 0)
	m.call(a, "pidfd_open", 6, 10, 0)
	m.call(a, "pidfd_getfd", 7, 6, 2, 0)
	m.want(a, "0<anon_inode:[eventfd]> 1<anon_inode:[eventpoll]> 2</memfd:buf (deleted)> 3<anon_inode:[timerfd]> 4<anon_inode:inotify> 5<anon_inode:[signalfd]> 6<anon_inode:[pidfd]> 7</memfd:buf (deleted)>")
	if !m.w.Thread(a.ID).Process.CloseOnExec(1) || m.w.Thread(a.ID).Process.CloseOnExec(0) {
		t.Error("close-on-exec flags are wrong")
	}
}

// Sockets of i386 are made and connected by socketcall, in memory.
func TestSocketcall(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	socketcall := func(op uint64, ret int64, words out, more ...tracefile.Buf) *tracefile.Event {
		m.now += 10
		return &tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.I386, NR: 102, Thread: a, Start: m.now - 5, End: m.now, Ret: ret,
			Args: [6]uint64{op, 0x1000}, Bufs: append([]tracefile.Buf{{Arg: 1, Parent: -1, Phase: tracefile.AtEnter, Data: words}}, more...)}
	}
	m.w.Apply(socketcall(1, 3, ints(afInet, 1, 0)))
	m.w.Apply(socketcall(8, 0, ints(afUnix, 1, 0, 0x2000), tracefile.Buf{Parent: 0, Off: 12, Phase: tracefile.AtExit, Data: ints(4, 5)}))
	connect := socketcall(3, 0, ints(3, 0x2000, 16), tracefile.Buf{Parent: 0, Off: 4, Phase: tracefile.AtEnter, Data: inet(80, 1)})
	m.w.Apply(connect)
	if got := m.w.FDArgs(nil, connect); len(got) != 1 || got[0] != 3 {
		t.Errorf("connect names the descriptors %v, want 3", got)
	}
	m.w.Apply(socketcall(5, 6, ints(3, 0, 0)))
	m.w.Apply(socketcall(77, 7, ints(3)))
	m.w.Apply(socketcall(3, 0, ints(3)))
	m.want(a, `3<TCP:[#2->127.0.0.1:80]> 4<UNIX-STREAM:[#3]> 5<UNIX-STREAM:[#3]> 6<TCP:[#5]>`)
}

// rightsEvent is a sendmsg or recvmsg with descriptors in its control buffer.
func rightsEvent(t *testing.T, th tracefile.Thread, now int64, name string, fd int, phase tracefile.Phase, fds ...int32) *tracefile.Event {
	e := call(t, th, now, now, name, 1, fd, in(make([]byte, 56)), 0)
	c := binary.LittleEndian.AppendUint64(nil, uint64(16+4*len(fds)))
	c = append(c, ints(solSocket, scmRights)...)
	c = append(c, ints(fds...)...)
	for i := range e.Bufs {
		e.Bufs[i].Phase = phase
	}
	e.Bufs = append(e.Bufs, tracefile.Buf{Arg: 1, Parent: 0, Off: 32, Phase: phase, Data: c})
	return e
}

func TestDescriptorPassing(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	m.call(a, "socketpair", 0, afUnix, 1, 0, ints(3, 4))
	m.call(a, "socketpair", 0, afUnix, 1, 0, ints(5, 6))
	b := m.start(11, tracefile.StartFork, a, nil)
	m.call(a, "openat", 7, cwdFD, "/etc/passwd", 0)
	m.call(a, "openat", 8, cwdFD, "/etc/group", 0)
	m.w.Apply(rightsEvent(t, a, m.now, "sendmsg", 5, tracefile.AtEnter, 8))
	m.w.Apply(rightsEvent(t, a, m.now, "sendmsg", 3, tracefile.AtEnter, 7))
	m.w.Apply(rightsEvent(t, b, m.now, "recvmsg", 4, tracefile.AtExit, 20))
	m.w.Apply(rightsEvent(t, b, m.now, "recvmsg", 6, tracefile.AtExit, 21))
	p := m.w.Thread(b.ID).Process
	if p.File(20).Name() != "/etc/passwd" || p.File(21).Name() != "/etc/group" {
		t.Errorf("received %v and %v", p.File(20), p.File(21))
	}
}

// Received tells of descriptors what they are before the call is applied; of those
// that the trace tells to be another file than was sent, the trace is right.
func TestReceived(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	m.call(a, "socketpair", 0, afUnix, 1, 0, ints(3, 4))
	m.call(a, "openat", 7, cwdFD, "/etc/passwd", 0)
	m.call(a, "openat", 8, cwdFD, "/etc/group", 0)
	send := rightsEvent(t, a, m.now, "sendmmsg", 3, tracefile.AtEnter, 7)
	send.Bufs[0].Data = make([]byte, 2*64) // two messages
	second := send.Bufs[1]
	second.Off += 64
	second.Data = rightsEvent(t, a, m.now, "sendmsg", 3, tracefile.AtEnter, 8, 7).Bufs[1].Data
	send.Bufs = append(send.Bufs, second)
	send.Ret = 2
	m.w.Apply(send)

	names := func(list []Received) (s string) {
		for _, r := range list {
			s += fmt.Sprintf("%d<%s> ", r.FD, r.File.Name())
		}
		return s
	}
	peek := rightsEvent(t, a, m.now, "recvmsg", 4, tracefile.AtExit, 20)
	peek.Args[2] = msgPeek
	m.w.Apply(peek)
	first := rightsEvent(t, a, m.now, "recvmsg", 4, tracefile.AtExit, 21)
	if got := names(m.w.Received(first)); got != "21</etc/passwd> " {
		t.Errorf("received %q", got)
	}
	m.w.Apply(first)
	cut := rightsEvent(t, a, m.now, "recvmsg", 4, tracefile.AtExit, 22)
	cut.Bufs[0].Data[48] = msgCtrunc
	if got := names(m.w.Received(cut)); got != "22</etc/group> " {
		t.Errorf("received %q of a message that was cut", got)
	}
	cut.Facts = &tracepb.Process{Made: []*tracepb.OpenFile{{Fd: 22, Link: []byte("/etc/hosts")}}}
	m.w.Apply(cut)
	p := m.w.Thread(a.ID).Process
	for fd, want := range map[int32]string{8: "/etc/group", 20: "/etc/passwd", 21: "/etc/passwd", 22: "/etc/hosts"} {
		if got := p.File(fd).Name(); got != want {
			t.Errorf("descriptor %d is %q, want %q", fd, got, want)
		}
	}
}

// A close that is seen to return after another thread's open got the number
// again does not take the new file away.
func TestCloseRace(t *testing.T) {
	m := newMachine(t, ForReading())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/", "/old"))
	b := a
	b.ID, b.TID = 99, 99
	m.w.Apply(call(t, b, 2000, 2010, "openat", 0, cwdFD, "/new", 0))
	m.w.Apply(call(t, a, 1990, 2020, "close", 0, 0))
	m.want(a, "0</new>")
}

// The context of a block, loaded into an empty world, names what the block's
// calls name, as the whole world does.
func TestContext(t *testing.T) {
	whole := ForReading()
	rec := New()
	m := newMachine(t, rec)
	var block []tracefile.Event
	blocks := [][]tracefile.Event{}
	contexts := []*tracefile.Context{}
	do := func(e *tracefile.Event) {
		rec.Apply(e)
		block = append(block, *e)
	}
	flush := func() {
		contexts = append(contexts, rec.TakeContext())
		blocks = append(blocks, block)
		block = nil
	}
	now := int64(1000)
	c := func(th tracefile.Thread, name string, ret int64, args ...any) {
		now += 10
		do(call(t, th, now-5, now, name, ret, args...))
	}
	a := tracefile.Thread{ID: 1, Process: 1, TID: 10, TGID: 10}
	b := tracefile.Thread{ID: 2, Process: 2, TID: 11, TGID: 11}
	do(&tracefile.Event{Kind: tracefile.ThreadStart, Thread: a, End: now, Args: [6]uint64{1}, Facts: program("/home", "/dev/null")})
	c(a, "openat", 3, cwdFD, "a", 0)
	c(a, "openat", 4, cwdFD, "b", 0)
	c(a, "socket", 5, afInet, 1, 0)
	c(a, "connect", 0, 5, in(inet(80, 1)), 16)
	flush()
	c(a, "read", 0, 3)
	c(a, "close", 0, 4)
	c(a, "openat", 4, cwdFD, "c", 0)
	c(a, "read", 0, 4)
	now += 10
	do(&tracefile.Event{Kind: tracefile.ThreadStart, Thread: b, Start: now, End: now, Args: [6]uint64{uint64(tracefile.StartFork), 1}})
	c(b, "write", 0, 5)
	c(b, "chdir", 0, "sub")
	c(b, "openat", 6, cwdFD, "d", 0)
	now += 10
	do(&tracefile.Event{Kind: tracefile.Exec, Thread: b, Start: now, End: now})
	c(b, "read", 0, 0)
	flush()
	c(b, "read", 0, 6)
	c(b, "openat", 7, cwdFD, "e", 0)
	c(a, "write", 0, 5)
	flush()

	for i, events := range blocks {
		alone := ForReading()
		alone.Load(contexts[i])
		for _, e := range events {
			tw, ta := whole.See(e.Thread), alone.See(e.Thread)
			for _, fd := range whole.FDArgs(nil, &e) {
				fw, fa := tw.Process.File(fd), ta.Process.File(fd)
				if fw == nil || fa == nil || fw.Detail() != fa.Detail() || fw.Name() != fa.Name() {
					t.Errorf("block %d, call %d: descriptor %d of %d is %v, in the block alone %v", i, e.NR, fd, e.Thread.TGID, fw, fa)
				}
			}
			pw, pa := fmt.Sprint(whole.PathArgs(nil, tw, &e)), fmt.Sprint(alone.PathArgs(nil, ta, &e))
			if pw != pa {
				t.Errorf("block %d, call %d: paths %s, in the block alone %s", i, e.NR, pw, pa)
			}
			whole.Apply(&e)
			alone.Apply(&e)
		}
	}
	if n := len(contexts[1].Files); n != 4 { // 0, 3, 4, 5 of the first process
		t.Errorf("the context of block 1 has %d files, want 4: %+v", n, contexts[1].Files)
	}
	if contexts[0].Files != nil || contexts[0].Processes != nil {
		t.Errorf("the first block's context is not empty: %+v", contexts[0])
	}
	_ = m
}

// What ended is forgotten once its block is written, so that a recorder that
// runs for weeks does not grow.
func TestForget(t *testing.T) {
	w := New()
	m := newMachine(t, w)
	for range 1000 {
		a := m.start(10, tracefile.StartAttach, tracefile.Thread{}, program("/"))
		w.Apply(&tracefile.Event{Kind: tracefile.ThreadExit, Thread: a, End: m.now, Args: [6]uint64{1}})
		w.TakeContext()
	}
	if len(w.threads)+len(w.processes)+len(w.byTGID) != 0 {
		t.Errorf("still known: %d threads, %d processes, %d numbers", len(w.threads), len(w.processes), len(w.byTGID))
	}
}

// Hostile values neither panic nor take memory.
func TestHostile(t *testing.T) {
	m := newMachine(t, New())
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/"))
	m.call(a, "dup2", 1<<31-1, 0, 1<<31-1)
	m.call(a, "openat", 1<<31-1, cwdFD, "x", 0)
	m.call(a, "openat", 1<<62, cwdFD, "x", 0)
	m.call(a, "close_range", 0, 0, 1<<32-1, closeRangeUnshare)
	m.call(a, "socketpair", 0, afUnix, 1, 0, ints(-1, 1<<31-1))
	m.call(a, "pipe", 0, out{1, 2, 3})
	m.call(a, "connect", 0, 3, in{2}, 16)
	m.call(a, "bind", 0, 3, in{10, 0, 1}, 16)
	m.call(a, "poll", 0, in{1, 2, 3, 4, 5}, 1, 0)
	m.call(a, "prctl", 0, prSetName, in("a name longer than a name can be"))
	m.w.Apply(&tracefile.Event{Kind: tracefile.Syscall, Arch: 200, NR: 1 << 31, Thread: a})
	m.w.Apply(&tracefile.Event{Kind: 77, Thread: tracefile.Thread{ID: 1 << 31}})
	m.w.TakeContext()
}

func benchmarkApply(b *testing.B, w *World, e *tracefile.Event) {
	m := newMachine(b, w)
	a := m.start(10, tracefile.StartLaunch, tracefile.Thread{}, program("/", "/a", "/b", "/c", "/d"))
	e.Thread = a
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		w.Apply(e)
	}
}

func BenchmarkApplyRead(b *testing.B) {
	benchmarkApply(b, New(), call(b, tracefile.Thread{}, 1, 1, "read", 1, 3, out("x"), 1))
}

func BenchmarkApplyGetpid(b *testing.B) {
	benchmarkApply(b, New(), call(b, tracefile.Thread{}, 1, 1, "getpid", 1))
}

// A thread of an attached process has a name of its own; the leader's is that
// of the process. After exec whoever called it is the leader.
func TestNames(t *testing.T) {
	named := func(comm string) *tracepb.Process {
		return &tracepb.Process{Exe: []byte("/bin/server"), Comm: []byte(comm)}
	}
	m := newMachine(t, ForReading())
	leader := m.start(10, tracefile.StartAttach, tracefile.Thread{}, named("server"))
	p := m.w.Thread(leader.ID).Process
	worker := tracefile.Thread{ID: 2, Process: leader.Process, TID: 11, TGID: 10}
	m.w.Apply(&tracefile.Event{Kind: tracefile.ThreadStart, Thread: worker, End: m.now, Args: [6]uint64{uint64(tracefile.StartAttach)}, Facts: named("worker")})
	check := func(process, thread string) {
		t.Helper()
		if p.Comm != process || m.w.Thread(leader.ID).Name() != process || m.w.Thread(worker.ID).Name() != thread {
			t.Errorf("process %q, leader %q, worker %q; want %q, %q", p.Comm, m.w.Thread(leader.ID).Name(), m.w.Thread(worker.ID).Name(), process, thread)
		}
	}
	check("server", "worker")
	m.call(worker, "prctl", 0, prSetName, in("sleeper\x00"))
	m.call(leader, "prctl", 0, prSetName, in("master\x00"))
	check("master", "sleeper")
	m.exec(worker, named("next"))
	check("next", "next")
}

// A call that was not made, though it seems to have succeeded, changes nothing.
func TestInjectedCall(t *testing.T) {
	m := newMachine(t, New())
	th := m.start(100, tracefile.StartLaunch, tracefile.Thread{}, &tracepb.Process{Cwd: []byte("/home"), FilesKnown: true})
	m.call(th, "openat", 3, -100, "/etc/passwd", 0)
	for _, e := range []*tracefile.Event{
		call(t, th, m.now, m.now, "openat", 4, -100, "/etc/group", 0),
		call(t, th, m.now, m.now, "close", 0, 3),
		call(t, th, m.now, m.now, "dup", 5, 3),
		call(t, th, m.now, m.now, "chdir", 0, "/tmp"),
	} {
		e.Flags = tracefile.Injected
		m.w.Apply(e)
	}
	p := m.w.Process(th.Process)
	if got, want := files(p), "3</etc/passwd>"; got != want || p.Cwd() != "/home" {
		t.Errorf("%s in %s, want %s in /home", got, p.Cwd(), want)
	}
}

func TestTerminal(t *testing.T) {
	for want, files := range map[bool][]*File{
		true: {
			{Kind: Named, Path: "/dev/ptmx"}, {Kind: Named, Path: "/dev/pts/0"}, {Kind: Named, Path: "/dev/pts/ptmx"},
			{Kind: Named, Path: "/dev/tty"}, {Kind: Named, Path: "/dev/tty63"}, {Kind: Named, Path: "/dev/ttyS0"},
			{Kind: Named, Path: "/dev/console"}, {Kind: Named, Path: "/tmp/a", Device: "char 143:3"},
		},
		false: {
			nil, {}, {Kind: Named, Path: "/dev/null"}, {Kind: Named, Path: "/dev/ttyUSB0"}, {Kind: Named, Path: "/dev/ttyS"},
			{Kind: Named, Path: "/dev/pts"}, {Kind: Named, Path: "/dev/tty1", Device: "char 1:3"}, {Kind: Socket, Path: "/dev/tty"},
			{Kind: Named, Path: "/tmp/a", Device: "block 3:1"},
		},
	} {
		for _, f := range files {
			if f.Terminal() != want {
				t.Errorf("%+v: terminal is %v", f, !want)
			}
		}
	}
}

// A file in /dev/shm is a file; a device and what the kernel makes up are not.
func TestStored(t *testing.T) {
	for link, want := range map[string]bool{
		"/etc/passwd": true, "/dev/shm/queue": true, "/dev/shmem": false, "/dev/null": false,
		"/proc/self/maps": false, "/sys/kernel": false, "pipe:[1]": false, "": false,
	} {
		if got := StoredAt(link); got != want {
			t.Errorf("%q: %v", link, got)
		}
	}
}
