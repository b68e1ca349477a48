package summary

import (
	"path"
	"strings"
	"unicode/utf8"

	"sysreel/analyze"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// trouble is what a process that may fail has shown so far: its last failures
// and what it last said on standard error.
type trouble struct {
	recent [recentFailures]failedCall // a ring
	n      int
	named  failedCall // the latest whose path the process complained of
	said   string     // the end of what it wrote
	event  uint64     // that wrote last
}

const (
	recentFailures = 16
	maxSaid        = 200
)

type failedCall struct {
	event uint64
	name  string
	path  string
	errno int
}

// failedCall notes a failure of the process.
func (p *process) failedCall(c *analyze.Call) {
	if p.trouble == nil {
		p.trouble = new(trouble)
	}
	f := failedCall{event: c.Num, name: c.Name, errno: c.Errno()}
	if paths := c.Paths(); len(paths) > 0 {
		f.path = paths[0]
	} else {
		f.path = c.Peer()
	}
	p.trouble.recent[p.trouble.n%recentFailures] = f
	p.trouble.n++
}

// wrote looks at what a call writes to standard error.
func (p *process) wrote(c *analyze.Call) {
	if _, flow := c.Bytes(); flow != analyze.Written {
		return
	}
	if fds := c.FDs(); len(fds) != 1 || fds[0] != 2 {
		return
	}
	var text []byte
	for i := range c.Bufs {
		if b := &c.Bufs[i]; b.Phase == tracefile.AtEnter && (b.Parent >= 0 || c.Name != "writev") {
			text = append(text, b.Data...)
			if uint64(b.Want) > uint64(len(b.Data)) { // the rest was not kept
				text = append(text, "…\n"...)
			}
		}
	}
	if p.trouble == nil {
		p.trouble = new(trouble)
	}
	t := p.trouble
	t.said, t.event = lastLines(t.said+string(text), maxSaid), c.Num
	for i := max(0, t.n-recentFailures); i < t.n; i++ {
		if f := t.recent[i%recentFailures]; mentions(t.said, f) {
			t.named = f
		}
	}
}

// lastLines cuts s at its front to n bytes, at a line's beginning if there is
// one.
func lastLines(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if i := strings.IndexByte(s, '\n'); i >= 0 && i < len(s)-1 {
		s = s[i+1:]
	}
	return s
}

// mentions reports whether the text names the failure's path by its last
// element, or its error by what strerror(3) says.
func mentions(text string, f failedCall) bool {
	base := path.Base(f.path)
	if len(base) >= 3 && strings.Contains(text, base) {
		return true
	}
	if head, cut := strings.CutSuffix(text, "…\n"); cut { // it may be cut within the name
		if tail := head[strings.LastIndexAny(head, "/ '\"")+1:]; len(tail) >= 3 && strings.HasPrefix(base, tail) {
			return true
		}
	}
	return f.path != "" && len(base) < 3 && strings.Contains(text, syscalls.ErrnoText(f.errno))
}

// Reason is what a process that failed showed before its end.
type Reason struct {
	// Event is the failed call it complained of, or else its last failure.
	Event   uint64 `json:"event,omitempty"`
	Syscall string `json:"syscall,omitempty"`
	Errno   string `json:"errno,omitempty"`
	Path    string `json:"path,omitempty"`
	// Stderr is the last it wrote there, as far as it was kept.
	Stderr      string `json:"stderr,omitempty"`
	StderrEvent uint64 `json:"stderr_event,omitempty"`
}

// reason returns what the process showed, nil if nothing.
func (p *process) reason() *Reason {
	t := p.trouble
	switch {
	case p.why != nil && *p.why != Reason{}:
		return p.why
	case t == nil:
		return nil
	}
	r := &Reason{Stderr: strings.TrimSpace(validUTF8(t.said)), StderrEvent: t.event}
	f := t.named
	if f.event == 0 {
		// What failed last with a path, looking for libraries, locales and
		// terminals left out.
		for i := t.n - 1; i >= 0 && i >= t.n-recentFailures; i-- {
			if g := t.recent[i%recentFailures]; g.path != "" && !ordinary(g) {
				f = g
				break
			}
		}
	}
	if f.event != 0 {
		r.Event, r.Syscall, r.Errno, r.Path = f.event, f.name, syscalls.ErrnoName(f.errno), f.path
	}
	if *r == (Reason{}) {
		return nil
	}
	return r
}

// weight is how much the reason explains.
func (r *Reason) weight() int {
	switch {
	case r.Stderr != "" && r.Event != 0:
		return 2
	case r.Stderr != "":
		return 1
	}
	return 0
}

// ordinary reports whether a failure belongs to every program's start.
func ordinary(f failedCall) bool {
	return f.name == "ioctl" || f.path == "/etc/ld.so.preload" || strings.Contains(f.path, "/locale") || strings.Contains(f.path, "/glibc-hwcaps/")
}

func validUTF8(s string) string {
	for i := 0; len(s) > 0 && i < utf8.UTFMax && !utf8.ValidString(s); i++ {
		s = s[:len(s)-1] // cut in the middle of a character
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
