//go:build linux && (amd64 || arm64)

package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sysreel/record/internal/procfs"
)

// Watcher tells which processes a target has, again and again. It must not be
// used concurrently, but for Wake.
type Watcher struct {
	target Target
	sys    *system
	group  *Group
	notice *notice
	proc   procfs.Reader
	pause  time.Duration // before the next look
	cost   time.Duration // of the last, CPU time
	seen   []int         // by the last
	new    bool          // it saw others than the one before
}

// Interval is how often a target is looked at when nothing is heard from it.
// The kernel tells at once when a cgroup is made and when a process is put into
// one; it tells nothing when a process there forks, and these have a parent
// that is followed. So there is little that only this finds.
const Interval = 100 * time.Millisecond

const (
	soonest = time.Millisecond // after a change
	// Looking takes at most these shares of one CPU: 1/costly when nothing
	// is heard, 1/eager when much is.
	costly = 20
	eager  = 4
)

// New returns a Watcher. Close must be called.
func New(t Target) *Watcher {
	return &Watcher{target: t, sys: host(), notice: newNotice(), pause: soonest}
}

// Close frees what the Watcher has.
func (w *Watcher) Close() { w.notice.close() }

// Group returns what the target was found to be, nil before it was.
func (w *Watcher) Group() *Group { return w.group }

// Hidden is an error for a target whose processes have no PID here.
type Hidden struct {
	Target Target
	Count  int
}

func (e *Hidden) Error() string {
	return fmt.Sprintf("%v: processes of a PID namespace that cannot be seen from this one (%d of them); run sysreel on the host, or in a container with --pid=host or --pid=container:NAME", e.Target, e.Count)
}

// Scan returns the processes that the target has now. The recorder itself, if
// it is one of them, is left out with its ancestors, its children and the rest
// of its process group: most likely a pipeline that takes the trace.
//
// Without any the error is an ErrAbsent or a *Hidden.
func (w *Watcher) Scan() ([]int, error) {
	// CPU time: on a busy machine a look may take long, and that is when it
	// must not be late.
	runtime.LockOSThread()
	begin := cpuTime()
	pids, err := w.scan()
	w.cost = cpuTime() - begin
	runtime.UnlockOSThread()
	w.new = !slices.Equal(pids, w.seen)
	w.seen = pids
	w.pause = min(2*w.pause, Interval)
	return pids, err
}

// cpuTime is what the calling thread has used.
func cpuTime() time.Duration {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

// Changed reports whether the last Scan found other processes than the one
// before.
func (w *Watcher) Changed() bool { return w.new }

// Again has Wait return soon: what was just found may have left something behind
// in the making, a child that it forked before it was followed.
func (w *Watcher) Again() { w.pause = soonest }

func (w *Watcher) scan() ([]int, error) {
	var pids []int
	var hidden int
	var err error
	if w.group != nil {
		pids, hidden, err = w.processes()
	}
	if len(pids) == 0 && hidden == 0 {
		// It is not there yet, or has gone: if it comes again, a container
		// of the same name may have another ID.
		group, ferr := w.sys.find(w.target, w.notice.add)
		if ferr != nil {
			return nil, ferr
		}
		w.group = group
		pids, hidden, err = w.processes()
	}
	pids = w.others(pids)
	switch {
	case len(pids) > 0:
		return pids, nil
	case hidden > 0:
		return nil, &Hidden{w.target, hidden}
	case errors.Is(err, syscall.EOPNOTSUPP):
		return nil, fmt.Errorf("%v is a threaded cgroup, which has threads and no processes: name the cgroup that it is in", w.target)
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENODEV):
		return nil, fmt.Errorf("%v: %w", w.target, err)
	}
	return nil, &absent{fmt.Sprintf("%v: no process is in it", w.target)}
}

// Has reports whether a process is in the target, as found by the last Scan.
func (w *Watcher) Has(pid int) bool {
	pids, _, _ := w.processes()
	return slices.Contains(pids, pid)
}

// processes reads the hierarchies until one has processes: in all of them they
// are the same ones, or an engine does not use it.
func (w *Watcher) processes() (pids []int, hidden int, err error) {
	if w.group.unmounted {
		for pid, c := range w.sys.inProc() {
			if c.ID == w.group.ID {
				pids = append(pids, pid)
			}
		}
		slices.Sort(pids)
		return pids, 0, nil
	}
	for _, top := range w.group.Dirs {
		walk(top, func(dir string) bool {
			w.notice.add(dir)
			all, h, e := members(dir, pids)
			pids, hidden = all, hidden+h
			if e != nil && err == nil && dir == top {
				err = e
			}
			return true
		})
		if len(pids) > 0 || hidden > 0 {
			break
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), hidden, err
}

// others leaves out the recorder and its company.
func (w *Watcher) others(pids []int) []int {
	self := os.Getpid()
	if !slices.Contains(pids, self) {
		return pids
	}
	out := []int{self}
	for pid := self; pid > 1; {
		s, ok := w.proc.Look(pid)
		if !ok || slices.Contains(out, s.PPID) {
			break
		}
		pid = s.PPID
		out = append(out, pid)
	}
	pgid, _ := unix.Getpgid(self)
	return slices.DeleteFunc(pids, func(pid int) bool {
		if slices.Contains(out, pid) {
			return true
		}
		if p, err := unix.Getpgid(pid); err == nil && p == pgid {
			return true
		}
		s, ok := w.proc.Look(pid)
		return ok && s.PPID == self
	})
}

// Wait waits until it is worth looking again. It reports false when done is
// closed.
func (w *Watcher) Wait(done <-chan struct{}) bool {
	select {
	case <-time.After((eager - 1) * w.cost):
	case <-done:
		return false
	}
	select {
	case <-w.notice.heard:
		w.Again()
	case <-time.After(max(w.pause, (costly-eager)*w.cost)):
	case <-done:
		return false
	}
	return true
}

// notice hears of cgroups that are made and of processes that are put into
// them, by inotify(7): a cgroup file system tells of mkdir and of a write to
// cgroup.procs like any other. Without it, if inotify cannot be had, there is
// the Interval.
type notice struct {
	file  *os.File
	fd    int
	heard chan struct{}
}

func newNotice() *notice {
	n := &notice{fd: -1, heard: make(chan struct{}, 1)}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return n
	}
	n.fd, n.file = fd, os.NewFile(uintptr(fd), "inotify")
	go n.read()
	return n
}

// read passes on that something was heard; what it was, a look will tell.
func (n *notice) read() {
	buf := make([]byte, 16<<10)
	for {
		if _, err := n.file.Read(buf); err != nil {
			return
		}
		select {
		case n.heard <- struct{}{}:
		default:
		}
	}
}

// add listens to a directory; once more does no harm. Where the user's watches
// are used up it does nothing.
func (n *notice) add(dir string) {
	if n.fd >= 0 {
		unix.InotifyAddWatch(n.fd, dir, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
	}
}

func (n *notice) close() {
	if n.file != nil {
		n.file.Close()
	}
}
