package diff

import (
	"cmp"
	"slices"
	"strings"
)

// outcome is how the bad run ended and what it said, against the good one.
type outcome struct {
	worse   bool           // some process ended worse than its counterpart
	failing map[*proc]bool // bad processes that ended worse
	origin  *proc          // the first of them to end
	said    []saying       // messages of the bad run that the good one lacks
	bySaid  map[*proc][]saying
}

// saying is a message of one process.
type saying struct {
	proc *proc
	message
}

// readOutcome compares how processes ended and what they wrote.
func readOutcome(c *comparison) *outcome {
	o := &outcome{failing: map[*proc]bool{}, bySaid: map[*proc][]saying{}}
	for _, p := range c.bad.procs {
		if p.failed() && (p.other == nil || !p.other.known || p.other.status != p.status) {
			o.failing[p] = true
		}
	}
	for _, p := range c.bad.procs {
		// A helper that fails while its parent does not mind is no failure.
		if o.failing[p] && p.next == nil && (p.parent == nil || o.failing[p.parent] || p.other != nil) {
			if o.origin == nil || p.endEvent < o.origin.endEvent {
				if o.chained(p) {
					o.origin = p
				}
			}
		}
	}
	o.worse = o.origin != nil
	heard := map[string]bool{}
	for _, p := range c.good.procs {
		for _, m := range p.messages {
			for line := range strings.Lines(m.canon) {
				heard[bare(line)] = true
			}
		}
	}
	for _, p := range c.bad.procs {
		for _, m := range p.messages {
			if fresh := newLines(m, heard); fresh != "" {
				m.text = fresh
				o.said = append(o.said, saying{p, m})
				o.bySaid[p] = append(o.bySaid[p], saying{p, m})
			}
		}
	}
	slices.SortStableFunc(o.said, func(x, y saying) int { return cmp.Compare(x.event, y.event) })
	return o
}

// chained reports whether p's failure reached the top: every ancestor failed too.
func (o *outcome) chained(p *proc) bool {
	for q := p.parent; q != nil; q = q.parent {
		if !o.failing[q] {
			return false
		}
	}
	return true
}

// bare returns a line without its numbers, which are mostly times, counts and
// process numbers.
func bare(line string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, strings.TrimSpace(line))
}

// complaint returns the first message of p that is not mere output, nil if
// there is none.
func (o *outcome) complaint(p *proc) *saying {
	for i := range o.bySaid[p] {
		if s := &o.bySaid[p][i]; s.fd != 1 {
			return s
		}
	}
	return nil
}

// newLines returns the lines of m that were not heard in the good run.
func newLines(m message, heard map[string]bool) string {
	var b strings.Builder
	text := strings.Split(strings.TrimRight(m.text, "\n"), "\n")
	for i, line := range strings.Split(strings.TrimRight(m.canon, "\n"), "\n") {
		if line = bare(line); line != "" && !heard[line] && i < len(text) {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(text[i])
		}
	}
	return b.String()
}

// echoes reports whether a message of rank fd 2 or a log, from event on, names
// the object or gives the error's text, and returns the first that does.
func (o *outcome) echoes(object, errnoText string, from uint64) (path, errno bool, by *saying) {
	name := base(object)
	for i := range o.said {
		s := &o.said[i]
		if s.event < from {
			continue
		}
		hasPath := len(name) >= 2 && name != "." && containsWord(s.text, name)
		hasErrno := errnoText != "" && containsFold(s.text, errnoText)
		if hasPath && !path || hasErrno && by == nil {
			by = s
		}
		if hasPath && hasErrno {
			return true, true, s
		}
		path, errno = path || hasPath, errno || hasErrno
	}
	return path, errno, by
}

func containsFold(s, sub string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(sub))
}

// containsWord reports whether s has w bounded by what is not part of a name.
func containsWord(s, w string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], w)
		if i < 0 {
			return false
		}
		i += from
		j := i + len(w)
		if (i == 0 || !isAlnum(s[i-1])) && (j == len(s) || !isAlnum(s[j])) {
			return true
		}
		from = i + 1
	}
}
