//go:build linux && (amd64 || arm64)

package ptrace

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/record/internal/inject"
)

// Calls are tampered with at their own stops. A call that is not to be made
// gets the number −1 at enter, and there already the result that it is to have:
// the kernel leaves out such a call and hands back the register as it is. So
// the program gets either the call's own result or the one that was asked for,
// at whatever moment the recorder is killed. Only where another call has to be
// made instead, see standIn, must the result wait for the exit.

// tampered is what is done to the call that a thread is in.
type tampered struct {
	rule   *inject.Rule // nil: nothing
	result int64        // of a call that is forced
	// instead: another call is made, the result of which is still to be put
	// right.
	instead bool
	signal  int // to be sent when the thread goes on
	// until keeps the thread where it is up to that time, as of Engine.now.
	// It is at the exit of the call if atExit.
	held, atExit bool
	until        int64
}

// counted names a call of a thread.
type counted struct {
	arch syscalls.Arch
	nr   uint32
}

// tampers reports whether the call that has just been entered can be tampered
// with.
func (e *Engine) tampers() bool {
	switch info := &e.info; {
	case e.reason() != Running:
		return false
	case info.Op != opSeccomp:
		return true
	default:
		// Not at a stop that a program's own filter asks for, nor where the
		// kernel emulates the call.
		return info.RetData == filterMark && info.IP&^0xfff != vsyscallPage
	}
}

// tamper does what is to be done at the enter of a call, and returns what the
// engine has to know of it from here on.
func (e *Engine) tamper(t *thread, en *entry, rule *inject.Rule) *entry {
	c := &t.call
	if t.made == nil {
		t.made = make(map[counted]uint32)
	}
	what := counted{archOf(e.info.Arch, e.info.NR), uint32(e.info.NR)}
	t.made[what]++
	if !rule.When.Includes(t.made[what]) {
		return en
	}
	tid := int(t.TID)
	c.tampered = tampered{rule: rule, signal: rule.Signal}
	if rule.Signal != 0 {
		c.flags |= tracefile.Signaled
	}
	if rule.Delays() {
		c.flags |= tracefile.Delayed
	}
	if rule.PokeEnter != nil && e.poke(t, en, rule.PokeEnter) {
		c.flags |= tracefile.Poked
	}
	if !rule.Forced {
		return en.tampered(en.role)
	}
	c.result = rule.Result
	if what.arch == syscalls.I386 {
		c.result = int64(int32(c.result)) // what its registers hold
	}
	number := e.standIn(tid, what.arch, rule.Instead)
	c.instead = number != noCall
	if !setCall(tid, number, c.result) {
		return en.tampered(en.role) // killed
	}
	c.flags |= tracefile.Injected
	return en.tampered(plain) // it makes no thread, executes no program, …
}

// noCall is the number of no call: the kernel makes none.
const noCall = -1

// standIn returns the number of what is made in the place of a call. No call at
// all is as good as one without effect, and leaves nothing to be done at the exit.
// But a seccomp filter of the program's sees it, and may kill the program for it.
func (e *Engine) standIn(tid int, arch syscalls.Arch, name string) int64 {
	if e.filtered {
		return noCall // filters are not asked again
	}
	if s, ok := e.proc.Look(tid); !ok || s.Seccomp != seccompFilter {
		return noCall
	}
	if name == "" {
		name = "getpid" // few filters refuse that
	}
	d := syscalls.ByName(arch, name)
	switch {
	case d == nil:
		return noCall
	case arch == syscalls.X32:
		return int64(d.NR | x32Bit)
	}
	return int64(d.NR)
}

// tampered returns the entry for a call that is tampered with: it is recorded,
// whichever calls are.
func (en *entry) tampered(r role) *entry {
	for _, v := range en.altered {
		if v.role == r {
			return v
		}
	}
	v := *en
	v.selected, v.role, v.altered = true, r, nil
	en.altered = append(en.altered, &v)
	return &v
}

// poke writes to a tracee's memory. It reports whether anything was.
func (e *Engine) poke(t *thread, en *entry, pokes []inject.Poke) (done bool) {
	for _, p := range pokes {
		addr := t.call.args[p.Arg]
		switch {
		case !inject.HasArg(en.desc, p.Arg):
		case e.capturer.Write(int(t.TID), addr, p.Data):
			done = true
		case e.cfg.Warn != nil && unix.Kill(int(t.TID), 0) == nil:
			e.cfg.Warn(fmt.Sprintf("process %d: %s: nothing can be written to where argument %d points, %#x", t.TGID, en.desc.Name, p.Arg+1, addr))
		}
	}
	return done
}

// force gives the call at whose exit a thread is the result that it is to have,
// and reports the result.
func (e *Engine) force(t *thread, ret int64) int64 {
	c := &t.call
	c.instead = false
	if c.flags&tracefile.Injected == 0 || ret == c.result {
		return ret
	}
	setResult(int(t.TID), c.result)
	return c.result
}

// sends returns the signal that a thread is to get when it goes on.
func (t *thread) sends() int {
	signo := t.call.signal
	t.call.signal = 0
	return signo
}

// hold keeps a thread where it has stopped if that is asked for. It reports
// whether it does.
func (e *Engine) hold(t *thread, atExit bool, now int64) bool {
	c := &t.call
	if !t.inside || c.rule == nil || e.reason() != Running {
		return false
	}
	delay := c.rule.DelayEnter
	if atExit {
		delay = c.rule.DelayExit
	}
	if delay <= 0 {
		return false
	}
	if err := e.alarm.open(e.tid); err != nil {
		if e.cfg.Warn != nil && !e.alarm.told {
			e.alarm.told = true
			e.cfg.Warn(fmt.Sprintf("calls are not delayed: there is no timer to be had: %v", err))
		}
		return false
	}
	c.held, c.atExit, c.until = true, atExit, now+int64(delay)
	e.held[t] = true
	e.setAlarm()
	e.stays(t, now)
	return true
}

// releaseDue lets the threads go on that were kept long enough.
func (e *Engine) releaseDue() {
	if now := e.now(); now >= e.alarm.at {
		e.mu.Lock()
		for t := range e.held {
			if t.call.until <= now {
				e.unhold(t, now)
			}
		}
		e.setAlarm()
		e.mu.Unlock()
	}
}

// setAlarm has the alarm ring when the first of those kept is to go on.
func (e *Engine) setAlarm() {
	first := int64(0)
	for t := range e.held {
		if u := t.call.until; first == 0 || u < first {
			first = u
		}
	}
	e.alarm.set(first, first-e.now())
}

// unhold lets a thread go on that was kept.
func (e *Engine) unhold(t *thread, now int64) {
	e.unheld(t)
	if t.call.atExit {
		if getSyscallInfo(int(t.TID), &e.info) == 0 && e.info.Op == opExit {
			e.exit(t, now)
		}
	}
	if !t.inside {
		e.ran(t, now)
	}
	e.next(t, t.sends())
}

// unheld notes that a thread is not kept any more: it is gone, or goes on.
func (e *Engine) unheld(t *thread) {
	if t.call.held {
		t.call.held = false
		delete(e.held, t)
	}
}

// sendSignal sends a thread a signal that cannot be given to it with a request.
func (t *thread) sendSignal() {
	if signo := t.sends(); signo != 0 {
		unix.Tgkill(int(t.TGID), int(t.TID), unix.Signal(signo))
	}
}

// releaseAll lets everything go on that is kept, for the recording ends.
func (e *Engine) releaseAll(now int64) {
	for t := range e.held {
		e.unhold(t, now)
	}
}

// remedy puts right, before a thread is let go of, the result of a call in the
// place of which another was made.
func (e *Engine) remedy(tid int) {
	t := e.threads[tid]
	if t == nil || !t.call.instead {
		return
	}
	if getSyscallInfo(tid, &e.info) == 0 && e.info.Op == opExit {
		e.force(t, int64(e.info.NR))
	}
}
