//go:build linux && (amd64 || arm64)

package ptrace

import (
	"math/bits"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A stop and its handling are strictly serial: the tracee stops and wakes the
// engine, the engine resumes the tracee and sleeps. On two CPUs each of these
// wake-ups takes an interrupt and, in a virtual machine, often an exit to the
// hypervisor; on one CPU it is a context switch. So the engine keeps itself and
// the tracees together on one CPU for as long as they hardly compute between
// their calls, and gives them their CPUs back when several want to run.
//
// Several threads that make calls gain from one CPU as well: two dd bs=1 side by
// side took 0.45 of the time that they took spread over two CPUs, make -j2 0.43,
// and both less than under strace on one CPU (0.88, 0.91). Only a storm of forks
// is faster spread, by 0.84: its work is in the kernel and goes on without us.
//
// An engine for each CPU would be faster still. Two recorders with half of the
// work each, each on its own CPU, took 0.59 of the time of one for the two dd and
// 0.58 for make. But a thread has one tracer, and its children have the same:
// to share out a process tree, children would have to be detached from one
// engine and seized by another before they have run an instruction, and ptrace(2)
// has no such step: between the two they run, or are seen to be stopped. So
// there is one engine. (A virtual machine with 2 CPUs; least of 5 runs each,
// interleaved.)
//
// Tracees must not notice. A thread's own affinity is remembered in its mask
// and is what sched_getaffinity answers; sched_setaffinity changes it;
// children inherit it; it is restored when the thread is let go.

// placement is the engine's view of who runs where.
type placement struct {
	on    bool // may be used at all
	cpu   int  // that all share, −1: they are spread
	own   cpuMask
	words int // length of a mask
	one   cpuMask
	had   cpuMask // every CPU that all have shared at one time
	guard *guard

	// The window that the next decision will be based on.
	began    int64
	last     int64 // the stop before
	stops    int
	computed int64 // ns that threads ran between an exit and the next enter
	gaps     int
	parallel int64 // ns in which several threads could have run
	running  int   // threads resumed outside of a call
	looked   int64 // when busyInside was asked last

	// asking counts the threads inside sched_getaffinity or _setaffinity:
	// until they have their answer everything stays as it is.
	asking int
}

// cpuMask is a set of CPUs. Masks are shared and never changed.
type cpuMask []uint64

func (m cpuMask) has(cpu int) bool { return cpu/64 < len(m) && m[cpu/64]>>(cpu%64)&1 != 0 }

func (m cpuMask) count() int {
	n := 0
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}

// within reports whether o has every CPU of m.
func (m cpuMask) within(o cpuMask) bool {
	for i, w := range m {
		if i >= len(o) && w != 0 || i < len(o) && w&^o[i] != 0 {
			return false
		}
	}
	return true
}

func singleCPU(cpu, words int) cpuMask {
	m := make(cpuMask, words)
	m[cpu/64] |= 1 << (cpu % 64)
	return m
}

const (
	windowStops = 64
	windowTime  = 5e6  // ns
	lookEvery   = 20e6 // ns
	// dearStop is what a stop costs more when the tracee runs on another
	// CPU, ns: threads that compute less between their calls are faster
	// together on one CPU than apart.
	dearStop = 60e3
	// rareStop is how far stops must be apart for it not to matter where the
	// tracees run, ns.
	rareStop = 500e3
)

// initPlacement learns the engine's own CPUs.
func (e *Engine) initPlacement() {
	p := &e.place
	p.cpu = -1
	buf := make(cpuMask, 128)
	n, errno := getAffinity(e.tid, buf)
	if errno != 0 || n < 8 {
		return
	}
	p.words = n / 8
	p.own, p.had = slices.Clone(buf[:p.words]), make(cpuMask, p.words)
	if p.own.count() > 1 && !e.cfg.NoPlacement {
		p.guard = newGuard(p.words)
	}
	p.on = p.guard != nil
}

// affinity reads the CPUs that a thread may use.
func (e *Engine) affinity(tid int) cpuMask {
	m := make(cpuMask, e.place.words)
	if n, errno := getAffinity(tid, m); errno != 0 || n != len(m)*8 {
		return nil
	}
	if slices.Equal(m, e.place.own) {
		return e.place.own
	}
	return m
}

// gather begins to keep everything on one CPU: the one where t has run.
func (e *Engine) gather(t *thread) {
	p := &e.place
	if !p.on || p.cpu >= 0 {
		return
	}
	cpu := currentCPU()
	if !p.own.has(cpu) {
		return
	}
	if !p.guard.runs.Load() {
		return // not without someone to undo it
	}
	p.cpu, p.one = cpu, singleCPU(cpu, p.words)
	p.had[cpu/64] |= 1 << (cpu % 64)
	p.guard.common(p.one)
	if setAffinity(e.tid, p.one) != 0 {
		p.on, p.cpu = false, -1
		return
	}
	e.join(t)
}

// join moves a thread to the common CPU.
func (e *Engine) join(t *thread) {
	p := &e.place
	if t.placed || p.cpu < 0 {
		return
	}
	// What was known of it may be old: others can move it too.
	if t.mask = e.affinity(int(t.TID)); t.mask == nil || !t.mask.has(p.cpu) || t.mask.count() == 1 {
		return
	}
	if !p.guard.add(int(t.TID), t.mask) {
		return
	}
	if setAffinity(int(t.TID), p.one) != 0 {
		p.guard.remove(int(t.TID))
		return
	}
	t.placed = true
}

// spread gives all threads their own CPUs back.
func (e *Engine) spread() {
	p := &e.place
	if p.cpu < 0 {
		return
	}
	for _, t := range e.threads {
		e.leavePlace(t)
	}
	setAffinity(e.tid, p.own)
	p.cpu = -1
}

// leavePlace gives a thread its own CPUs back, unless someone else has moved
// it meanwhile.
func (e *Engine) leavePlace(t *thread) {
	if !t.placed {
		return
	}
	t.placed = false
	if now := e.affinity(int(t.TID)); now != nil && slices.Equal(now, e.place.one) {
		setAffinity(int(t.TID), t.mask)
	}
	e.place.guard.remove(int(t.TID))
}

// inherit gives a new thread the mask that it has from its creator. Whether it
// is placed, only the kernel knows: the creator may have been moved between
// making it and telling of it.
func (e *Engine) inherit(t *thread, mask cpuMask) {
	t.mask = mask
	if mask == nil || mask.count() == 1 {
		return
	}
	now := e.affinity(int(t.TID))
	if now == nil || now.count() != 1 || !now.within(e.place.had) {
		return
	}
	if !slices.Equal(now, e.place.one) { // the common CPU has changed since it was made
		setAffinity(int(t.TID), mask)
		return
	}
	t.placed = true
	if !e.place.guard.add(int(t.TID), mask) || e.place.cpu < 0 {
		e.leavePlace(t)
	}
}

// observe takes a stop of t into account and decides, once a window, whether
// threads should share one CPU.
func (e *Engine) observe(t *thread, now int64) {
	p := &e.place
	if !p.on {
		return
	}
	if p.running > 1 {
		p.parallel += now - p.last
	}
	p.last = now
	p.stops++
	if t.running {
		t.running = false
		p.running--
		p.computed += now - t.resumed
		p.gaps++
	}
	if p.asking > 0 {
		return
	}
	if p.stops >= windowStops || now-p.began > windowTime && p.stops >= 8 {
		e.decide(t, now)
	}
	if p.cpu >= 0 && !t.placed {
		e.join(t)
	}
}

// quiet gives the CPUs back when a filter lets everything through for a while:
// no stop comes then at which that could be decided.
func (e *Engine) quiet(now int64) {
	if e.filtered && e.place.asking == 0 && now-e.place.last > windowTime {
		e.spread()
	}
}

// ran notes that t was resumed outside of a call.
func (e *Engine) ran(t *thread, now int64) {
	if !t.running {
		t.running, t.resumed = true, now
		e.place.running++
	}
}

// stopped notes that t will not run any more.
func (e *Engine) stopped(t *thread) {
	if t.running {
		t.running = false
		e.place.running--
	}
}

func (e *Engine) decide(t *thread, now int64) {
	p := &e.place
	length := now - p.began
	compute := p.computed / int64(max(p.gaps, 1))
	perStop := length / int64(p.stops)
	parallel := p.parallel*4 > length
	if !parallel && perStop > dearStop && now-p.looked > lookEvery {
		p.looked = now
		parallel = e.busyInside(t)
	}
	switch {
	case p.cpu >= 0 && parallel && perStop > dearStop:
		e.spread()
	case e.filtered && perStop > rareStop:
		e.spread()
	case p.cpu < 0 && (!parallel || compute < dearStop):
		e.gather(t)
	}
	p.began, p.stops, p.computed, p.gaps, p.parallel = now, 0, 0, 0, 0
}

// busyInside reports whether a thread other than t works inside a call, rather
// than waits.
func (e *Engine) busyInside(t *thread) bool {
	looked := 0
	for tid, other := range e.threads {
		if other == t || !other.inside {
			continue
		}
		if e.proc.Runnable(tid) {
			return true
		}
		if looked++; looked == 4 {
			break
		}
	}
	return false
}

func currentCPU() int {
	var cpu uint32
	syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	return int(cpu)
}

// affinityCall acts at the exit of a successful sched_getaffinity or
// sched_setaffinity.
func (e *Engine) affinityCall(t *thread, r role, ret int64) {
	target := t
	if tid := int32(t.call.args[0]); tid != 0 {
		if target = e.named(t, int(tid)); target == nil {
			return
		}
	}
	if ret < 0 {
		return
	}
	if r == affinitySet {
		// It has its new CPUs now, and joins again at its next stop.
		target.mask = e.affinity(int(target.TID))
		if target.placed {
			target.placed = false
			e.place.guard.remove(int(target.TID))
		}
		return
	}
	if !target.placed {
		return
	}
	mask := make([]byte, 8*len(target.mask))
	for i, w := range target.mask {
		for b := range 8 {
			mask[8*i+b] = byte(w >> (8 * b))
		}
	}
	e.capturer.Write(int(t.TID), t.call.args[2], mask[:min(len(mask), int(ret))])
}
