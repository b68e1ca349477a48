package format

import (
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// moment writes " /* 2026-11-22T22:16:38.238671911+0000 */" behind a time since
// 1970.
func (p *printer) moment(sec int64, nsec uint64) {
	p.date(sec, nsec, 9)
}

// date is moment for a fraction of a number of digits.
func (p *printer) date(sec int64, fraction uint64, digits int) {
	one := uint64(1)
	for range digits {
		one *= 10
	}
	if sec == 0 && fraction == 0 || fraction >= one {
		return
	}
	d := p.second(sec)
	if len(d.text) == 0 {
		return
	}
	p.s(" /* ")
	p.b = append(p.b, d.text[:d.zone]...)
	if fraction != 0 {
		p.c('.')
		p.padded(fraction, digits)
	}
	p.b = append(p.b, d.text[d.zone:]...)
	p.s(" */")
}

// second is a second since 1970 as text, which is empty for years before 0 and
// far ahead. A fraction goes in front of the zone.
type second struct {
	sec  int64
	text []byte
	zone int
}

// cachedSeconds is how many seconds' texts are kept: files have few different
// times.
const cachedSeconds = 256

// second returns the text of a second in the Zone.
func (p *printer) second(sec int64) *second {
	s := &p.f.seconds[uint64(sec)%cachedSeconds]
	if s.text != nil && s.sec == sec {
		return s
	}
	s.sec, s.text = sec, s.text[:0]
	t := time.Unix(sec, 0).In(p.o.Zone)
	if y := t.Year(); y < 0 || y > 1<<31-1 {
		return s
	}
	s.text = t.AppendFormat(s.text, "2006-01-02T15:04:05")
	s.zone = len(s.text)
	s.text = t.AppendFormat(s.text, "-0700")
	return s
}

// timespecAt writes a struct timespec or statx_timestamp that is a date, with
// the date.
func timespecAt(p *printer, t *syscalls.Type, v view) bool {
	if len(t.Fields) < 2 || !v.has(t.Fields[1].Off+t.Fields[1].Type.Size) {
		return false
	}
	p.structure(t, v)
	sec, nsec := t.Fields[0], t.Fields[1]
	p.moment(signExtend(load(v.data, sec.Off, sec.Type.Size), sec.Type.Size), load(v.data, nsec.Off, nsec.Type.Size))
	return true
}

// utimespec writes a time of utimensat, which may be one of two marks
// (include/linux/stat.h) in place of nanoseconds.
func utimespec(p *printer, t *syscalls.Type, v view) {
	w := t.Size / 2
	if w <= 0 || !v.has(2*w) {
		p.lost(v)
		return
	}
	const utimeNow, utimeOmit = 1<<30 - 1, 1<<30 - 2
	sec, nsec := signExtend(load(v.data, 0, w), w), load(v.data, w, w)
	number := func() {
		p.s("{tv_sec=")
		p.dec(sec)
		p.s(", tv_nsec=")
		p.udec(nsec)
		p.c('}')
	}
	switch nsec {
	case utimeNow:
		p.styled(number, func() { p.s("UTIME_NOW") })
	case utimeOmit:
		p.styled(number, func() { p.s("UTIME_OMIT") })
	default:
		number()
		p.moment(sec, nsec)
	}
}

// timevalAt writes a struct timeval that is a date, with the date.
func timevalAt(p *printer, t *syscalls.Type, v view) bool {
	if len(t.Fields) < 2 || !v.has(t.Size) {
		return false
	}
	p.structure(t, v)
	sec, usec := t.Fields[0], t.Fields[1]
	p.date(signExtend(load(v.data, sec.Off, sec.Type.Size), sec.Type.Size), load(v.data, usec.Off, usec.Type.Size), 6)
	return true
}

// utimbuf writes struct utimbuf, whose members are dates.
func utimbuf(p *printer, t *syscalls.Type, v view) bool {
	w := t.Size / 2
	if !v.has(2 * w) {
		return false
	}
	p.s("{actime=")
	for i, next := range []string{", modtime=", "}"} {
		sec := signExtend(load(v.data, i*w, w), w)
		p.dec(sec)
		p.moment(sec, 0)
		p.s(next)
	}
	return true
}

// timeNow writes time: what it returns is a date.
func timeNow(p *printer) bool {
	if !p.done() || len(p.d.Args) == 0 {
		return false
	}
	a := &p.d.Args[0]
	p.next()
	p.pause()
	if v, ok := p.root(a.Reg, tracefile.AtExit); ok && v.has(p.arch.PtrSize()) {
		p.c('[')
		p.dec(p.e.Ret)
		p.moment(p.e.Ret, 0)
		p.c(']')
	} else {
		p.addr(p.reg(a))
	}
	p.note = time.Unix(p.e.Ret, 0).In(p.o.Zone).AppendFormat(p.note, "2006-01-02T15:04:05-0700")
	return true
}

// rlim writes a resource limit: 8192*1024.
func (p *printer) rlim(v, infinity uint64, name string) {
	switch {
	case v == infinity:
		p.styled(func() { p.udec(v) }, func() { p.s(name) })
	case v > 1024 && v%1024 == 0:
		p.styled(func() { p.udec(v) }, func() {
			p.udec(v / 1024)
			p.s("*1024")
		})
	default:
		p.udec(v)
	}
}

func rlim(p *printer, _ *syscalls.Type, v view) {
	n := p.arch.PtrSize()
	if n == 8 {
		rlim64(p, nil, v)
		return
	}
	p.rlim(load(v.data, 0, n), truncate(^uint64(0), n), "RLIM_INFINITY")
}

func rlim64(p *printer, _ *syscalls.Type, v view) {
	p.rlim(load(v.data, 0, 8), ^uint64(0), "RLIM64_INFINITY")
}
