package diff

import (
	"encoding/binary"
	"strconv"
	"strings"

	"sysreel/proto/tracefile"
)

// Bounds on what is kept of a process's messages and signals, and of a run's
// calls of kill.
const (
	maxMessages = 64
	maxMessage  = 512 // bytes
	maxSignals  = 64
	maxKills    = 4096
)

// message notes text that the call wrote where a person will look: standard
// error, standard output, a log. Pieces of one line are put together.
func (b *builder) message(t *thread, e *tracefile.Event, object string) {
	fd := int(int32(e.Args[0]))
	switch {
	case strings.HasSuffix(object, "/null"):
		return
	case fd == 2, fd == 1:
	case strings.HasSuffix(object, ".log"), strings.Contains(object, "/log/"), strings.HasSuffix(object, "/dev/log"):
	default:
		return
	}
	data := payload(e)
	if len(data) == 0 || !printable(data) {
		return
	}
	p := t.proc
	if k := len(p.messages); k > 0 {
		if m := &p.messages[k-1]; m.fd == fd && !strings.HasSuffix(m.text, "\n") && len(m.text) < maxMessage && m.whole {
			m.text += clip(data, maxMessage-len(m.text))
			m.canon = b.names.text(m.text)
			m.whole = int64(len(data)) >= e.Ret
			return
		}
	}
	if len(p.messages) >= maxMessages { // keep the first half and the latest
		p.messages = append(p.messages[:maxMessages/2], p.messages[maxMessages/2+1:]...)
	}
	m := message{event: e.Num, fd: fd, text: clip(data, maxMessage), whole: int64(len(data)) >= e.Ret}
	m.canon = b.names.text(m.text)
	p.messages = append(p.messages, m)
}

func clip(data []byte, n int) string { return string(data[:min(n, len(data))]) }

// printable reports whether data looks like text.
func printable(data []byte) bool {
	odd := 0
	for _, c := range data {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != 0x1b {
			odd++
		}
	}
	return odd*10 <= len(data)
}

// signal notes a delivered signal. Layout of siginfo_t: include/uapi/
// asm-generic/siginfo.h; the union after three integers is aligned to a pointer.
func (b *builder) signal(p *proc, e *tracefile.Event) {
	if len(p.signals) >= maxSignals {
		return
	}
	s := signal{event: e.Num, signo: int(e.NR)}
	if len(e.Bufs) > 0 {
		d := e.Bufs[0].Data
		off := 12
		if e.Arch.PtrSize() == 8 {
			off = 16
		}
		if len(d) >= off+8 {
			s.code = int32(binary.LittleEndian.Uint32(d[8:]))
			if s.code <= 0 { // SI_USER, SI_QUEUE, SI_TKILL: somebody sent it
				s.pid = int32(binary.LittleEndian.Uint32(d[off:]))
			} else if s.code < 128 {
				s.addr = binary.LittleEndian.Uint64(d[off:])
			}
		}
	}
	p.signals = append(p.signals, s)
}

func itoa(n int) string { return strconv.Itoa(n) }
