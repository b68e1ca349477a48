package diff

import (
	"cmp"
	"fmt"
	"strings"

	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
)

// finding makes the finding of a candidate from its evidence.
func (c *comparison) finding(k *candidate, good, bad *evidence, w *Weights) Finding {
	f := Finding{Kind: k.kind, Process: k.proc.role(), Score: k.score, Reasons: k.reasons(w), Count: k.count}
	if f.Count == 1 {
		f.Count = 0
	}
	if f.Likely = k.score >= likelyScore; k.kind == Faster {
		f.Likely = false
	}
	own := bad
	if own == nil {
		own = good
	}
	if k.form.Family != "end" && k.kind != InputChanged || k.what == "" && k.kind == InputChanged {
		f.Syscall = k.form.Name
		if own != nil && own.path != "" && k.form.Object != "" {
			f.Path = own.path
		}
		if f.Path == "" && strings.HasPrefix(k.form.Object, "/") {
			f.Path = k.form.Object
		}
	}
	if k.kind == InputChanged && k.form.Family == "list" {
		f.Syscall, f.Path = k.form.Name, k.subject
	}
	if k.form.Failed() {
		f.Errno = k.form.Result
	}
	if good != nil {
		f.Good = &good.call
	}
	if bad != nil {
		f.Bad = &bad.call
	}
	f.Summary = c.summary(k, &f, good, bad)
	for _, side := range []struct {
		*evidence
		where string
	}{{good, " in the good run"}, {bad, ""}} {
		if side.evidence != nil && len(side.call.Tampered) > 0 {
			f.Summary += fmt.Sprintf(" (%s by the recorder%s)", strings.Join(side.call.Tampered, " and "), side.where)
		}
	}
	return f
}

// summary tells a difference in one line.
func (c *comparison) summary(k *candidate, f *Finding, good, bad *evidence) string {
	object := cmp.Or(f.Path, k.form.Object)
	call := f.Syscall
	if object != "" {
		call += " " + object
	}
	who := f.Process
	switch k.kind {
	case Slower, Faster:
		return c.timeSummary(k, who, object)
	case ProcessMissing:
		return fmt.Sprintf("%s was not started: %s", who, clipText(commandLine(k.proc), 100))
	case ProcessAdded:
		return fmt.Sprintf("%s was started, only in the bad run: %s", who, clipText(commandLine(k.proc), 100))
	case InputChanged:
		return who + ": " + inputSummary(k, object, good, bad)
	case Missing, Added:
		if k.what != "" {
			return fmt.Sprintf("%s: %s %s", who, call, k.what)
		}
	}
	switch k.kind {
	case Missing:
		s := fmt.Sprintf("%s did not %s", who, call)
		if k.form.Failed() {
			s += fmt.Sprintf(", which failed with %s in the good run", k.form.Result)
		}
		return s + more(k.count)
	case Added:
		if k.form.Family == "end" {
			return fmt.Sprintf("%s: %s%s, only in the bad run", who, endWord(k.proc), killer(k.proc))
		}
		if k.form.Failed() {
			return fmt.Sprintf("%s: %s failed with %s (%s), not tried in the good run", who, call, k.form.Result, errnoText(k.form.Result))
		}
		return fmt.Sprintf("%s: %s, only in the bad run%s", who, call, more(k.count))
	}
	if k.form.Family == "end" {
		was := "?"
		if k.proc.other != nil {
			was = endWord(k.proc.other)
		}
		return fmt.Sprintf("%s: %s → %s%s", who, was, endWord(k.proc), killer(k.proc))
	}
	switch was, is := k.was.Result, k.form.Result; {
	case k.form.Failed() && !k.was.Failed():
		return fmt.Sprintf("%s: %s failed with %s (%s), ok in the good run", who, call, is, errnoText(is))
	case k.form.Failed() && was != is:
		return fmt.Sprintf("%s: %s failed with %s (%s), with %s in the good run", who, call, is, errnoText(is), was)
	case was == "ENOENT" && !k.form.Failed() && strings.HasPrefix(k.form.Object, "/"):
		return fmt.Sprintf("%s: %s exists, not in the good run", who, object)
	case k.was.Failed() && !k.form.Failed():
		return fmt.Sprintf("%s: %s was ok, failed with %s in the good run", who, call, was)
	case k.form.Family == "exit":
		return fmt.Sprintf("%s: exit %s → %s", who, cmp.Or(was, "status 0"), cmp.Or(is, "status 0"))
	}
	return fmt.Sprintf("%s: %s with other arguments (%s → %s)", who, call, cmp.Or(k.was.Detail, "none"), cmp.Or(k.form.Detail, "none"))
}

func more(count int) string {
	if count <= 1 {
		return ""
	}
	return fmt.Sprintf(", nor %d more %s", count-1, plural(count-1, "call", "calls"))
}

func (c *comparison) timeSummary(k *candidate, who, object string) string {
	what := k.form.Name
	if what == "" {
		what = "computing between calls"
	}
	if object != "" {
		what += " on " + object
	}
	if k.what == "blocked" {
		s := fmt.Sprintf("%s was blocked in %s for %s", who, what, term.Duration(k.added))
		switch {
		case k.proc.signalled() != 0:
			s += " until " + endWord(k.proc)
		case !k.proc.ended:
			s += " when the recording ended"
		}
		return s
	}
	word := "longer"
	if k.kind == Faster {
		word = "less"
	}
	return fmt.Sprintf("%s took %s %s in %s", who, term.Duration(k.added), word, what)
}

// inputSummary says what changed about an input.
func inputSummary(k *candidate, object string, good, bad *evidence) string {
	if k.what != "" {
		return k.what
	}
	if good == nil || bad == nil {
		return object + " differs"
	}
	if good.stat && bad.stat {
		var parts []string
		part := func(name, format string, x, y uint64) {
			if x != y {
				parts = append(parts, fmt.Sprintf("%s "+format+" → "+format, name, x, y))
			}
		}
		part("type", "%#o", good.meta.mode>>12, bad.meta.mode>>12)
		part("mode", "%04o", good.meta.mode&0o7777, bad.meta.mode&0o7777)
		part("size", "%d", good.meta.size, bad.meta.size)
		part("owner", "%d", good.meta.uid, bad.meta.uid)
		part("group", "%d", good.meta.gid, bad.meta.gid)
		if len(parts) > 0 {
			return object + " has another " + strings.Join(parts, ", ")
		}
	}
	switch {
	case k.form.Family == "readlink":
		return fmt.Sprintf("%s leads to %q, %q in the good run", object, clipText(bad.data, 60), clipText(good.data, 60))
	case k.form.Class == stream && !strings.HasPrefix(object, "/"):
		if bad.ret == 0 {
			return object + " closed the connection without an answer"
		}
		return fmt.Sprintf("%s answered %q, %q in the good run", object, firstLine(bad.data), firstLine(good.data))
	case strings.Contains(k.form.Family, "rlimit"):
		return "a resource limit differs"
	case good.ret != bad.ret:
		return fmt.Sprintf("%s has other content%s (read %d bytes, %d in the good run)", object, differsAt(good, bad), bad.ret, good.ret)
	}
	return object + " has other content" + differsAt(good, bad)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return clipText(strings.TrimSpace(line), 60)
}

// killer says where the signal that killed p came from.
func killer(p *proc) string {
	n := p.signalled()
	if n == 0 {
		return ""
	}
	for i := len(p.signals) - 1; i >= 0; i-- {
		s := &p.signals[i]
		if s.signo != n {
			continue
		}
		switch {
		case s.pid == p.pid:
			return ", sent by itself"
		case s.pid != 0:
			for _, q := range p.run.procs {
				if q.pid == s.pid {
					return ", sent by " + q.role()
				}
			}
			return fmt.Sprintf(", sent by process %d, which was not recorded", s.pid)
		case s.code > 0 && (n == 11 || n == 7 || n == 8 || n == 4): // SEGV, BUS, FPE, ILL
			return fmt.Sprintf(", at address %#x", s.addr)
		case s.code > 0:
			return ", sent by the kernel"
		}
	}
	for i := len(p.run.kills) - 1; i >= 0; i-- {
		if k := &p.run.kills[i]; k.target == p.pid && k.signo == n && k.event < p.endEvent {
			return fmt.Sprintf(", sent by %s #%d", k.sender.role(), k.event)
		}
	}
	if n == 9 {
		return ", not sent by a recorded process: the out-of-memory killer, or somebody else"
	}
	return ""
}

func commandLine(p *proc) string {
	if n := len(p.execs); n > 0 {
		return strings.Join(p.execs[n-1].argv, " ")
	}
	return "a copy of its parent"
}

// exitOf makes the Exit of a process, nil if not known.
func exitOf(p *proc) *Exit {
	switch {
	case p == nil || !p.known:
		return nil
	case p.signalled() != 0:
		return &Exit{Signal: syscalls.SignalName(p.signalled())}
	}
	code := p.code()
	return &Exit{Code: &code}
}
