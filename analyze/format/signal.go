package format

import (
	"bytes"
	"math/bits"
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
)

// sigset writes a set of signals: [INT CHLD], or ~[KILL STOP] when most are in
// it.
func sigset(p *printer, _ *syscalls.Type, v view) {
	if len(v.data) < min(v.want, 8) || len(v.data) == 0 || v.want > 8 && p.d != nil && p.d.Name == "rt_sigpending" || p.d != nil && (v.want < p.arch.PtrSize() || v.want > 8) && sigsetSize(p.d.Name) {
		p.lost(v)
		return
	}
	size := min(len(v.data), 8)
	p.sigset(load(v.data, 0, size), (size+3)&^3*8)
}

// sigsetSize tells whether the kernel takes no set for this call but one of
// 64 signals. strace prints one from the size of a word on.
func sigsetSize(call string) bool {
	switch call {
	case "ptrace", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "epoll_pwait", "epoll_pwait2", "io_pgetevents", "io_pgetevents_time64", "io_uring_enter",
		"rt_sigprocmask", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "signalfd", "signalfd4":
		return true
	}
	return false
}

func (p *printer) sigset(set uint64, n int) {
	if bits.OnesCount64(set) >= n*2/3 {
		p.c('~')
		set = ^set
		if n < 64 {
			set &= 1<<n - 1
		}
	}
	p.c('[')
	first := true
	for ; set != 0; set &= set - 1 {
		if !first {
			p.c(' ')
		}
		first = false
		sig := uint64(bits.TrailingZeros64(set) + 1)
		if name := signalName(sig); name != "" {
			p.styled(func() { p.udec(sig) }, func() { p.s(strings.TrimPrefix(name, "SIG")) })
		} else {
			p.udec(sig)
		}
	}
	p.c(']')
}

// sighandler writes the handler of a signal.
func sighandler(p *printer, _ *syscalls.Type, v view) {
	h := load(v.data, 0, p.arch.PtrSize())
	name := handlerName(h)
	if name == "" {
		p.hex(h)
		return
	}
	p.styled(func() { p.hex(h) }, func() { p.s(name) })
}

// handlerName returns the name of a handler that is no function, or "". strace
// does not take the 32 bits of i386's −1 for SIG_ERR.
func handlerName(h uint64) string {
	switch h {
	case 0:
		return "SIG_DFL"
	case 1:
		return "SIG_IGN"
	case ^uint64(0):
		return "SIG_ERR"
	}
	return ""
}

// ksigval writes the value that comes with a signal, a number or an address.
func ksigval(p *printer, _ *syscalls.Type, v view) {
	p.s("{sival_int=")
	p.dec(int64(int32(load(v.data, 0, 4))))
	p.s(", sival_ptr=")
	p.addr(load(v.data, 0, p.arch.PtrSize()))
	p.c('}')
}

// siginfo writes a siginfo_t (include/uapi/asm-generic/siginfo.h): which of
// its union's members mean something depends on si_code and si_signo.
func siginfo(p *printer, _ *syscalls.Type, v view) {
	if !v.has(12) || v.faulted && len(v.data) < v.want {
		p.lost(v)
		return
	}
	w := p.arch.PtrSize()
	base := 12 // of the union
	if w == 8 {
		base = 16
	}
	i32 := func(off int) int64 { return int64(int32(load(v.data, base+off, 4))) }
	u32 := func(off int) uint64 { return load(v.data, base+off, 4) }
	word := func(off int) uint64 { return load(v.data, base+off, w) }

	signo := int64(int32(load(v.data, 0, 4)))
	code := int64(int32(load(v.data, 8, 4)))
	if signo == 0 {
		p.c('{')
		p.c('}')
		return
	}
	p.s("{si_signo=")
	p.signo(uint64(uint32(signo)))
	p.s(", si_code=")
	p.siCode(signo, code)
	if errno := load(v.data, 4, 4); errno != 0 {
		p.s(", si_errno=")
		if errno < 4096 {
			p.styled(func() { p.udec(errno) }, func() { p.errno(int(errno)) })
		} else {
			p.udec(errno)
		}
	}
	sender := func() {
		p.s(", si_pid=")
		p.pid(u32(0))
		p.s(", si_uid=")
		p.id(u32(4))
	}
	value := func(off int) {
		p.s(", si_int=")
		p.dec(i32(off))
		p.s(", si_ptr=")
		p.addr(word(off))
	}
	const (
		sill, sfpe, sbus, ssegv, strap, schld, spoll, ssys = 4, 8, 7, 11, 5, 17, 29, 31
	)
	switch {
	case code == siTimer:
		p.s(", si_timerid=")
		p.hex(u32(0))
		p.s(", si_overrun=")
		p.dec(i32(4))
		value(8)
	case code == siUser || code == siTkill:
		sender()
	case code == siSigIO:
		p.s(", si_band=")
		p.dec(signExtend(word(0), w))
		p.s(", si_fd=")
		p.dec(i32(w))
	case code <= 0:
		sender()
		if word(8) != 0 {
			value(8)
		}
	case signo == schld:
		sender()
		p.s(", si_status=")
		if code == 1 { // CLD_EXITED
			p.dec(i32(8))
		} else {
			p.signo(u32(8))
		}
		p.s(", si_utime=")
		p.clockT(word(8 + w))
		p.s(", si_stime=")
		p.clockT(word(8 + 2*w))
	case signo == sill || signo == sfpe || signo == sbus || signo == ssegv || signo == strap:
		p.s(", si_addr=")
		p.addr(word(0))
		switch {
		case signo == ssegv && code == 3: // SEGV_BNDERR
			p.s(", si_lower=")
			p.addr(word(2 * w))
			p.s(", si_upper=")
			p.addr(word(3 * w))
		case signo == sbus && (code == 4 || code == 5): // BUS_MCEERR_AR, BUS_MCEERR_AO
			p.s(", si_addr_lsb=")
			p.hex(load(v.data, base+w, 2))
		case signo == ssegv && code == 4: // SEGV_PKUERR
			p.s(", si_pkey=")
			p.udec(u32(2 * w))
		}
	case signo == spoll && code > 6: // POLL_HUP
	case signo == spoll:
		p.s(", si_band=")
		p.dec(signExtend(word(0), w))
		p.s(", si_fd=")
		p.dec(i32(w))
	case signo == ssys:
		p.s(", si_call_addr=")
		p.addr(word(0))
		p.s(", si_syscall=")
		p.sysNumber(uint32(u32(w)), uint32(u32(w+4)))
		p.s(", si_arch=")
		p.named("audit_arch", int64(u32(w+4)))
	default:
		if u32(0) != 0 || u32(4) != 0 {
			sender()
		}
		if word(8) != 0 {
			value(8)
		}
	}
	p.c('}')
}

// The si_code values that do not depend on the signal.
const (
	siUser   = 0
	siKernel = 0x80
	siTimer  = -2
	siSigIO  = -5
	siTkill  = -6
)

// siCode writes what made the signal.
func (p *printer) siCode(signo, code int64) {
	sets := map[int64]string{4: "si_code_ill", 5: "si_code_trap", 7: "si_code_bus", 8: "si_code_fpe",
		11: "si_code_segv", 17: "si_code_chld", 29: "si_code_poll", 31: "si_code_sys"}
	for _, set := range []string{"si_code", sets[signo]} {
		if c := p.set(set); c != nil && hasValue(c, uint64(code)) {
			p.styledConsts(uint64(uint32(code)), c.Format(uint64(code)))
			return
		}
	}
	p.hex(uint64(uint32(code)))
}

// clockT writes clock ticks, of which user space has 100 a second (USER_HZ on
// the architectures of the table).
func (p *printer) clockT(v uint64) {
	p.udec(v)
	if v == 0 {
		return
	}
	p.s(" /* ")
	p.udec(v / 100)
	p.c('.')
	p.c('0' + byte(v%100/10))
	p.c('0' + byte(v%10))
	p.s(" s */")
}

// seconds writes a number of units of 10 to the minus digits seconds, and what
// that is in seconds.
func (p *printer) seconds(v int64, digits int) {
	p.dec(v)
	if v == 0 {
		return
	}
	p.s(" /* ")
	if v < 0 {
		p.c('-')
		v = -v
	}
	text := strconv.AppendInt(nil, v, 10)
	if zeros := digits + 1 - len(text); zeros > 0 {
		text = append(bytes.Repeat([]byte("0"), zeros), text...)
	}
	whole := len(text) - digits
	p.b = append(p.b, text[:whole]...)
	p.c('.')
	p.b = append(p.b, text[whole:]...)
	p.s(" s */")
}

// signalWord writes the number of a signal that is as wide as a register.
func (p *printer) signalWord(v uint64) {
	if name := signalName(v); name != "" {
		p.signo(v)
		return
	}
	p.udec(v)
}

// sysNumber writes a call number of an audit architecture by name.
func (p *printer) sysNumber(nr, audit uint32) {
	if a, ok := syscalls.ArchFromAudit(audit); ok {
		if d := syscalls.Lookup(a, nr); d != nil {
			p.styled(func() { p.udec(uint64(nr)) }, func() { p.s("__NR_"); p.s(d.Name) })
			return
		}
	}
	p.udec(uint64(nr))
}

// signalName writes the name of a signal where strace writes it in any case.
func (p *printer) signalName(v uint64) {
	if name := signalName(v); name != "" {
		p.s(name)
		return
	}
	p.dec(int64(int32(v)))
}
