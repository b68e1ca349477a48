package replay

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// eventTypes name what is not a call.
var eventTypes = map[tracefile.Kind]string{
	tracefile.Signal:      "signal",
	tracefile.Stop:        "stop",
	tracefile.ThreadStart: "start",
	tracefile.Exec:        "exec",
	tracefile.ThreadExit:  "exit",
	tracefile.Detach:      "detach",
}

// addJSON writes an event, and holds back a call in flight: it may come again.
func (r *Replay) addJSON(c *analyze.Call) error {
	if r.flushed {
		r.held, r.flushed = r.held[:0], false
	}
	from := len(r.out.b)
	r.json(c)
	if c.Kind == tracefile.InFlight {
		r.held = append(r.held, r.out.b[from:]...)
		r.out.b = r.out.b[:from]
	}
	return r.out.flushIfFull()
}

// json writes an event as a line of JSON. What does not apply is left out.
func (r *Replay) json(c *analyze.Call) {
	b := append(r.out.b, `{"event":`...)
	b = strconv.AppendUint(b, c.Num, 10)
	if t := eventTypes[c.Kind]; t != "" {
		b = append(b, `,"event_type":"`...)
		b = append(append(b, t...), '"')
	}
	b = append(b, `,"time":"`...)
	b = time.Unix(0, r.o.Epoch+c.Start).In(r.o.Zone).AppendFormat(b, "2006-01-02T15:04:05.000000000Z07:00")
	b = append(b, `","start_ns":`...)
	b = strconv.AppendInt(b, c.Start, 10)
	if c.IsCall() {
		b = append(b, `,"duration_ns":`...)
		b = strconv.AppendInt(b, c.Duration(), 10)
	}
	b = append(b, `,"pid":`...)
	b = strconv.AppendInt(b, int64(c.Event.Thread.TGID), 10)
	b = append(b, `,"tid":`...)
	b = strconv.AppendInt(b, int64(c.Event.Thread.TID), 10)
	if c.Thread != nil && c.Thread.Name() != "" {
		b = append(b, `,"comm":`...)
		b = appendString(b, c.Thread.Name())
	}
	switch c.Kind {
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		b = r.jsonCall(b, c)
	case tracefile.Signal, tracefile.Stop:
		b = append(b, `,"signal":`...)
		b = appendString(b, signalName(c))
		if c.Kind == tracefile.Signal && len(c.Bufs) > 0 {
			b = append(b, `,"siginfo":`...)
			b = appendString(b, string(r.f.Siginfo(nil, c.Bufs[0].Data)))
		}
	case tracefile.ThreadExit:
		b = jsonExit(b, c)
	case tracefile.Exec:
		if f := c.Facts; f != nil {
			b = append(b, `,"exe":`...)
			b = appendString(b, string(f.Exe))
			b = append(b, `,"argv":[`...)
			for i, a := range f.Argv {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendString(b, string(a))
			}
			b = append(b, ']')
		}
	}
	b = r.jsonStack(b, c)
	r.out.b = append(b, "}\n"...)
	r.written++
}

func (r *Replay) jsonCall(b []byte, c *analyze.Call) []byte {
	b = append(b, `,"syscall":`...)
	b = appendString(b, c.Name)
	b = append(b, `,"args":[`...)
	r.args = r.f.Args(r.args[:0], c.Desc, c.Event, r.namesOf(c))
	for i, a := range r.args {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, a)
	}
	b = append(b, ']')
	if paths := c.Paths(); len(paths) > 0 {
		b = append(b, `,"paths":[`...)
		for i, p := range paths {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, p)
		}
		b = append(b, ']')
	}
	b = jsonResult(b, c)
	if number, reason, ok := r.f.VCPU(c.Desc, c.Event); ok {
		b = append(b, `,"vcpu":`...)
		b = strconv.AppendUint(b, uint64(number), 10)
		b = append(b, `,"exit_reason":`...)
		b = appendString(b, reason)
	}
	for _, word := range analyze.TamperWords(c.Flags) {
		b = append(append(append(b, ',', '"'), word...), `":true`...)
	}
	return b
}

// jsonResult writes what a call returned.
func jsonResult(b []byte, c *analyze.Call) []byte {
	if c.AtLeast() {
		return append(b, `,"unfinished":true`...)
	}
	if c.Flags&tracefile.NoResult != 0 {
		return b
	}
	if n := c.Errno(); n != 0 {
		b = append(b, `,"ret":-1,"errno":`...)
		return appendString(b, syscalls.ErrnoName(n))
	}
	b = append(b, `,"ret":`...)
	return strconv.AppendInt(b, c.Ret, 10)
}

// jsonExit writes how a thread ended.
func jsonExit(b []byte, c *analyze.Call) []byte {
	switch tracefile.ExitHow(c.Args[1]) {
	case tracefile.ExitSuperseded:
		return append(b, `,"superseded":true`...)
	case tracefile.ExitVanished:
		return b
	}
	if c.Args[0] == 1 {
		b = append(b, `,"process_ended":true`...)
	}
	s := uint32(c.Ret)
	if s&0x7f == 0 {
		b = append(b, `,"code":`...)
		return strconv.AppendUint(b, uint64(s>>8&0xff), 10)
	}
	b = append(b, `,"signal":`...)
	b = appendString(b, syscalls.SignalName(int(s&0x7f)))
	if s&0x80 != 0 {
		b = append(b, `,"core_dumped":true`...)
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD; what is not printable is escaped, as terminals obey some of it.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ' || c == 0x7f:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				b = append(b, c)
			}
			continue
		}
		ch, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if !unicode.IsPrint(ch) {
			b = term.AppendEscape(b, ch)
			continue
		}
		b = utf8.AppendRune(b, ch)
	}
	return append(b, '"')
}
