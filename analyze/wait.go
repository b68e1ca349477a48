package analyze

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// waitKind is what calls of a name may wait for, as their man pages tell.
type waitKind uint8

const (
	noWait    waitKind = iota
	waitChild          // a child's end
	waitExec           // a child's exec or end: vfork(2)
	waitFutex
	waitPoll   // any of the descriptors in an array
	waitSelect // any of a set of descriptors
	waitEpoll
	waitSleep
	waitSignal
	waitAccept
	waitConnect
	waitInput  // of what is no file on a disk
	waitOutput // to such
	waitLock   // of a file
	waitDisk
	waitQueue // System V and POSIX semaphores and message queues
	waitRing  // asynchronous I/O
)

var waitKinds = map[string]waitKind{
	"wait4": waitChild, "waitid": waitChild, "waitpid": waitChild,
	"vfork": waitExec,
	"futex": waitFutex, "futex_time64": waitFutex, "futex_wait": waitFutex, "futex_waitv": waitFutex,
	"poll": waitPoll, "ppoll": waitPoll, "ppoll_time64": waitPoll,
	"select": waitSelect, "_newselect": waitSelect, "pselect6": waitSelect, "pselect6_time64": waitSelect,
	"epoll_wait": waitEpoll, "epoll_pwait": waitEpoll, "epoll_pwait2": waitEpoll,
	"nanosleep": waitSleep, "clock_nanosleep": waitSleep, "clock_nanosleep_time64": waitSleep,
	"pause": waitSignal, "rt_sigsuspend": waitSignal, "sigsuspend": waitSignal, "rt_sigtimedwait": waitSignal, "rt_sigtimedwait_time64": waitSignal,
	"accept": waitAccept, "accept4": waitAccept, "connect": waitConnect,
	"read": waitInput, "readv": waitInput, "recvfrom": waitInput, "recvmsg": waitInput, "recvmmsg": waitInput, "recv": waitInput,
	"write": waitOutput, "writev": waitOutput, "sendto": waitOutput, "sendmsg": waitOutput, "sendmmsg": waitOutput, "send": waitOutput,
	"flock": waitLock, "fcntl": waitLock, "fcntl64": waitLock,
	"fsync": waitDisk, "fdatasync": waitDisk, "sync": waitDisk, "syncfs": waitDisk, "sync_file_range": waitDisk, "msync": waitDisk,
	"semop": waitQueue, "semtimedop": waitQueue, "msgrcv": waitQueue, "msgsnd": waitQueue,
	"mq_timedreceive": waitQueue, "mq_timedsend": waitQueue,
	"io_getevents": waitRing, "io_pgetevents": waitRing, "io_uring_enter": waitRing,
}

// fcntl(2)'s commands that wait; include/uapi/asm-generic/fcntl.h.
const (
	fSetlkw    = 7
	fSetlkw64  = 14 // I386
	fOFDSetlkw = 38
)

// Operations of futex(2) that wait; include/uapi/linux/futex.h.
const (
	futexWait          = 0
	futexLockPI        = 6
	futexWaitBitset    = 9
	futexWaitRequeuePI = 11
	futexLockPI2       = 13
	futexCommand       = 0x7f
)

// Wait returns what the call waits for, or would if that were not there yet;
// false of calls that do their work and return. A trace does not tell how much
// of such a call's time was waiting: where nothing had to be waited for, it is
// the time that the call and the recorder took. Reads and writes count where
// the descriptor is known to be a socket, a pipe, a terminal or an object of
// its own, not a file: the time of those is the kernel's work as much as the
// disk's. It needs [NeedWorld].
func (c *Call) Wait() (Key, bool) {
	if c.meta == nil || c.meta.wait == noWait || !c.IsCall() {
		return Key{}, false
	}
	switch c.meta.wait {
	case waitChild:
		pid := c.waitedChild()
		if pid <= 0 || c.world == nil {
			return Key{Wait: "children"}, true
		}
		if p := c.world.ByTGID(pid); p != nil {
			return Key{Wait: "child", Process: p}, true
		}
		return Key{Wait: "child", Name: strconv.Itoa(int(pid))}, true
	case waitExec:
		return Key{Wait: "child to exec"}, true
	case waitFutex:
		return c.waitFutex()
	case waitPoll:
		return c.waitPoll(), true
	case waitSelect:
		return c.waitSelect(), true
	case waitEpoll:
		return Key{Wait: "epoll", Name: strconv.Itoa(int(int32(c.Args[0]))), Process: c.Process}, true
	case waitSleep:
		return Key{Wait: "sleep"}, true
	case waitSignal:
		return Key{Wait: "signal"}, true
	case waitConnect:
		return Key{Wait: "connect", Name: c.Peer()}, true
	case waitAccept:
		return Key{Wait: "accept", Name: c.waitName()}, true
	case waitInput, waitOutput:
		f := c.File()
		if f == nil || f.Kind == world.Memfd || f.Kind == world.Named && !terminal(f.Path) {
			return Key{}, false
		}
		verb := "read"
		if c.meta.wait == waitOutput {
			verb = "write"
		}
		return Key{Wait: verb, Name: c.waitName()}, true
	case waitLock:
		if op := c.Args[1]; c.Name != "flock" && op != fSetlkw && op != fOFDSetlkw && !(c.Arch == syscalls.I386 && op == fSetlkw64) {
			return Key{}, false
		}
		return Key{Wait: "lock", Name: c.waitName()}, true
	case waitDisk:
		return Key{Wait: "disk", Name: c.waitName()}, true
	}
	return Key{Wait: c.Name, Process: c.Process}, true
}

// What waitid(2) waits for; include/uapi/linux/wait.h.
const (
	idPID   = 1
	idPIDFD = 3
)

// waitedChild returns the child that the call waited for: the one that it tells
// of, else the only one that it asks for, else 0.
func (c *Call) waitedChild() int32 {
	if c.Name != "waitid" {
		if c.Ret > 0 && !c.AtLeast() {
			return int32(c.Ret)
		}
		return max(int32(c.Args[0]), 0)
	}
	switch c.Args[0] {
	case idPID:
		return int32(c.Args[1])
	case idPIDFD:
		if f := c.Process.File(int32(c.Args[1])); f != nil {
			return f.PID
		}
	}
	return 0
}

func (c *Call) waitFutex() (Key, bool) {
	k := Key{Wait: "futex", Process: c.Process}
	switch c.Name {
	case "futex_waitv":
		return k, true
	case "futex", "futex_time64":
		switch c.Args[1] & futexCommand {
		case futexWait, futexLockPI, futexWaitBitset, futexWaitRequeuePI, futexLockPI2:
		default:
			return Key{}, false
		}
	}
	k.Name = "0x" + strconv.FormatUint(c.Args[0], 16)
	return k, true
}

// maxPolled is how many of the descriptors of a poll or select are named.
const maxPolled = 3

// waitPoll names what the descriptors of a poll(2) stand for; struct pollfd is
// an int and two shorts.
func (c *Call) waitPoll() Key {
	var names []string
	for i := range c.Bufs {
		b := &c.Bufs[i]
		if b.Arg != 0 || b.Parent >= 0 || b.Phase != tracefile.AtEnter {
			continue
		}
		for data := b.Data; len(data) >= 8 && len(names) < maxPolled; data = data[8:] {
			fd := int32(binary.LittleEndian.Uint32(data))
			if fd < 0 {
				continue // poll passes it over
			}
			names = append(names, c.polled(fd))
		}
		break
	}
	if n := c.Args[1]; len(names) > 0 && n > uint64(len(names)) {
		names = append(names, "…")
	}
	if len(names) == 0 && c.Args[1] == 0 {
		return Key{Wait: "sleep"} // poll of nothing
	}
	return Key{Wait: "poll", Name: strings.Join(names, ", ")}
}

// polled names what a descriptor stands for among others.
func (c *Call) polled(fd int32) string {
	if f := c.Process.File(fd); f != nil && f.Detail() != "" {
		return f.Detail()
	}
	return "fd " + strconv.Itoa(int(fd))
}

// waitSelect names what the descriptors in the sets of a select(2) stand for, the
// least first; fd_set is an array of bits.
func (c *Call) waitSelect() Key {
	var sets [][]byte
	for i := range c.Bufs {
		b := &c.Bufs[i]
		if b.Arg >= 1 && b.Arg <= 3 && b.Parent < 0 && b.Phase == tracefile.AtEnter {
			sets = append(sets, b.Data)
		}
	}
	nfds := min(c.Args[0], 1<<16)
	if len(sets) == 0 && nfds > 0 && c.Args[1]|c.Args[2]|c.Args[3] != 0 {
		return Key{Wait: "select", Process: c.Process} // they could not be read
	}
	var names []string
	for fd := range nfds {
		in := func(set []byte) bool { return fd/8 < uint64(len(set)) && set[fd/8]>>(fd%8)&1 != 0 }
		if !slices.ContainsFunc(sets, in) {
			continue
		}
		if len(names) == maxPolled {
			names = append(names, "…")
			break
		}
		names = append(names, c.polled(int32(fd)))
	}
	if len(names) == 0 {
		return Key{Wait: "sleep"}
	}
	return Key{Wait: "select", Name: strings.Join(names, ", ")}
}

// waitName names the object behind the call's descriptor: a socket by its peer
// where it has one.
func (c *Call) waitName() string {
	f := c.File()
	if f == nil {
		return ""
	}
	if f.Kind == world.Socket && f.Peer != "" {
		return f.Peer
	}
	return f.Detail()
}

// terminal reports whether a path is a terminal's.
func terminal(path string) bool {
	return strings.HasPrefix(path, "/dev/tty") || strings.HasPrefix(path, "/dev/pts/") || path == "/dev/console"
}
