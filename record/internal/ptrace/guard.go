//go:build linux && (amd64 || arm64)

package ptrace

import (
	"encoding/binary"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guard is a tiny process (guard_amd64.s, guard_arm64.s) that gives the
// tracees their CPUs back should the recorder be killed: then nobody else
// could, and a server would stay on one CPU for the rest of its life. It sleeps
// at a pipe whose other end only the recorder has, and finds in shared memory
// which threads have been placed and what their own masks are.
type guard struct {
	entries map[int]int // of threads, by TID
	used    int         // entries that were ever in use
	free    []int       // of them those that are not
	table   []byte
	words   int
	stride  int

	pipe  *os.File
	once  sync.Once
	ready chan struct{} // closed when the process exists, or never will
	done  chan struct{} // closed when it has ended
	runs  atomic.Bool   // it exists
}

// guardProgram is code, not a function.
func guardProgram()

// guardAddr returns its instructions, and some of what is behind them.
func guardAddr() *[programSize]byte

// guardEntries bounds the threads that are placed at once.
const guardEntries = 4096

// newGuard starts a guard for masks of words. The process is started beside
// the caller, by another thread; until it runs nothing may be placed.
func newGuard(words int) *guard {
	g := &guard{entries: make(map[int]int), words: words, stride: 8 + 8*words, ready: make(chan struct{}), done: make(chan struct{})}
	size := 8*words + guardEntries*g.stride
	memfd, err := unix.MemfdCreate("sysreel", unix.MFD_CLOEXEC)
	if err != nil {
		return nil
	}
	var pipe [2]int
	if unix.Ftruncate(memfd, int64(size)) == nil {
		g.table, err = unix.Mmap(memfd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil || g.table == nil || unix.Pipe2(pipe[:], unix.O_CLOEXEC) != nil {
		unix.Close(memfd)
		return nil
	}
	g.pipe = os.NewFile(uintptr(pipe[1]), "pipe")
	go func() {
		defer close(g.done)
		pid, err := g.run(pipe[0], memfd, size)
		unix.Close(pipe[0])
		unix.Close(memfd)
		g.runs.Store(err == nil)
		close(g.ready)
		if err == nil {
			unix.Wait4(pid, nil, 0, nil)
		}
	}()
	return g
}

// run starts the process.
func (g *guard) run(pipe, memfd, size int) (pid int, err error) {
	var params []byte
	for _, v := range []int{size, g.words, g.stride, guardEntries} {
		params = binary.LittleEndian.AppendUint64(params, uint64(v))
	}
	f, name, err := programFile(program(guardAddr(), params, nil))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(null)
	// A process group of its own: what is sent to the recorder's, is not
	// for it. Nor does it hold open what the recorder has inherited: the
	// standard files are replaced, and it closes all but its own.
	return syscall.ForkExec(name, []string{"sysreel-guard"}, &syscall.ProcAttr{
		Files: []uintptr{uintptr(null), uintptr(null), uintptr(null), uintptr(pipe), uintptr(memfd)},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
}

// common sets the mask that placed threads have.
func (g *guard) common(m cpuMask) {
	if g != nil {
		putMask(g.table, m)
	}
}

func putMask(b []byte, m cpuMask) {
	for i, w := range m {
		binary.LittleEndian.PutUint64(b[8*i:], w)
	}
}

// add guards a thread, before it is placed. It reports whether it could.
func (g *guard) add(tid int, mask cpuMask) bool {
	if g == nil {
		return false
	}
	g.remove(tid)
	var i int
	switch last := len(g.free) - 1; {
	case last >= 0:
		i, g.free = g.free[last], g.free[:last]
	case g.used < guardEntries:
		i = g.used
		g.used++
	default:
		return false
	}
	g.entries[tid] = i
	e := g.table[8*g.words+i*g.stride:]
	putMask(e[8:], mask)
	atomic.StoreInt32((*int32)(unsafe.Pointer(&e[0])), int32(tid))
	return true
}

// remove takes a thread out.
func (g *guard) remove(tid int) {
	if g == nil {
		return
	}
	if i, ok := g.entries[tid]; ok {
		atomic.StoreInt32((*int32)(unsafe.Pointer(&g.table[8*g.words+i*g.stride])), 0)
		delete(g.entries, tid)
		g.free = append(g.free, i)
	}
}

// close tells the process to end. Every thread must have been removed.
func (g *guard) close() {
	if g != nil {
		g.once.Do(func() { g.pipe.Close() })
	}
}

// wait returns when the process has ended, after close.
func (g *guard) wait() {
	if g == nil {
		return
	}
	<-g.done
	if g.table != nil {
		unix.Munmap(g.table)
		g.table = nil
	}
}
