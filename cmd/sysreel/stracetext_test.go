package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file holds the text of replay against that of strace.

// A straced is the text of a run, strace's or replay's, by process.
type straced struct {
	procs map[string][]string // lines without PID, unfinished ones joined, by place in the tree
	pids  []string
}

var (
	pidLine   = regexp.MustCompile(`^(\d+)(?:<[^>]*>)?\s+(.*)$`) // with -Y a name
	resumed   = regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*)$`)
	newThread = regexp.MustCompile(`^(?:clone3?|v?fork)\(.* = (\d+)`)
	spaces    = regexp.MustCompile(`\) += `)
	textWord  = regexp.MustCompile(`0x[0-9a-f]+|\d+|[A-Za-z_][A-Za-z_0-9]*|\s+|.`)
)

// parseText reads text as `strace -f -o` writes it. A process or thread is known
// by its place in the tree: "0.2.1" is the first child of the second child of the
// first process. Of two that had the same PID one after the other each has its own.
func parseText(text string) *straced {
	type process struct {
		lines    []string
		begun    string // of a call that has not ended
		parent   *process
		nth      int // child of its parent
		children int
		ended    bool
	}
	var order []*process
	of := make(map[string][]*process) // by PID, those that had it in turn
	create := func(pid string) *process {
		p := &process{}
		of[pid] = append(of[pid], p)
		order = append(order, p)
		return p
	}
	t := &straced{procs: make(map[string][]string)}
	for line := range strings.Lines(text) {
		m := pidLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		pid, s := m[1], m[2]
		var p *process
		if all := of[pid]; len(all) > 0 && !all[len(all)-1].ended {
			p = all[len(all)-1]
		} else {
			p = create(pid)
		}
		if i := strings.Index(s, " <unfinished ...>"); i >= 0 && i+len(" <unfinished ...>") == len(s) {
			p.begun = s[:i]
			continue
		}
		if r := resumed.FindStringSubmatch(s); r != nil {
			s = p.begun + r[2]
		}
		s = spaces.ReplaceAllString(s, ") = ")
		// Before strace 7.2 what is printed while a call blocks ends with a comma.
		s = strings.Replace(s, ",  <unfinished ...>) = ?", " <unfinished ...>) = ?", 1)
		p.lines = append(p.lines, s)
		p.ended = strings.HasPrefix(s, "+++ exited with ") || strings.HasPrefix(s, "+++ killed by ")
		if c := newThread.FindStringSubmatch(s); c != nil {
			// The child may have written lines before its parent wrote this one.
			i := slices.IndexFunc(of[c[1]], func(q *process) bool { return q.parent == nil && q != order[0] })
			var child *process
			if i >= 0 {
				child = of[c[1]][i]
			} else {
				child = create(c[1])
			}
			p.children++
			child.parent, child.nth = p, p.children
		}
	}
	// One that was told of by another number than its own has no lines.
	order = slices.DeleteFunc(order, func(p *process) bool { return len(p.lines) == 0 && p != order[0] })
	var place func(p *process) string
	place = func(p *process) string {
		switch {
		case p.parent != nil:
			return place(p.parent) + "." + strconv.Itoa(p.nth)
		case p == order[0]:
			return "0"
		}
		return strconv.Itoa(slices.Index(order, p)) + "?"
	}
	for _, p := range order {
		if len(p.lines) > 0 {
			t.procs[place(p)] = p.lines
		}
	}
	t.pids = slices.Sorted(maps.Keys(of))
	return t
}

// words splits a line, and hides what differs between runs of any program:
// addresses and PIDs.
func (t *straced) words(line string) []string {
	words := textWord.FindAllString(line, -1)
	for i, w := range words {
		switch {
		case strings.HasPrefix(w, "0x") && len(w) >= 9:
			words[i] = "0xADDRESS"
		case len(w) > 2 && slices.Contains(t.pids, w):
			words[i] = "PID"
		}
	}
	return words
}

var callName = regexp.MustCompile(`^(\w+)\(|^(---|\+\+\+) ?(\w+)`)

func nameOf(line string) string {
	m := callName.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	return m[1] + m[2] + m[3]
}

// comparison is what comes of holding replay's text against two runs of strace:
// what differs between those two is not replay's doing.
type comparison struct {
	processes int
	lines     int                  // of strace, on which both of its runs agree
	order     int                  // of those, in replay at the same place of the same process
	text      int                  // of those, with the same text
	diffs     map[string]int       // lines of other text by call
	examples  map[string][2]string // strace's, replay's
	missing   []string
}

func compareText(ours, a, b *straced) *comparison {
	c := &comparison{diffs: make(map[string]int), examples: make(map[string][2]string)}
	for place, la := range a.procs {
		c.processes++
		lb, lo := b.procs[place], ours.procs[place]
		ab := align(names(la), names(lb))
		ao := align(names(la), names(lo))
		for i, x := range la {
			if ab[i] < 0 {
				continue
			}
			c.lines++
			if ao[i] < 0 {
				c.missing = append(c.missing, x)
				continue
			}
			c.order++
			y := lo[ao[i]]
			if sameWords(a.words(x), b.words(lb[ab[i]]), ours.words(y)) {
				c.text++
				continue
			}
			n := nameOf(x)
			c.diffs[n]++
			if _, ok := c.examples[n]; !ok {
				c.examples[n] = [2]string{x, y}
			}
		}
	}
	return c
}

func (c *comparison) String() string {
	return fmt.Sprintf("%d processes, %d lines: %d in order, %d with the same text", c.processes, c.lines, c.order, c.text)
}

func names(lines []string) []string {
	n := make([]string, len(lines))
	for i, l := range lines {
		n[i] = nameOf(l)
	}
	return n
}

// sameWords tells whether replay's words are strace's, but for those in which
// two runs of strace differ.
func sameWords(a, b, ours []string) bool {
	if len(a) != len(b) { // the line varies
		return true
	}
	if len(a) != len(ours) {
		return false
	}
	for i := range a {
		if a[i] != ours[i] && a[i] == b[i] {
			return false
		}
	}
	return true
}

// align returns for each of a the index of its partner in b, or −1: a longest
// common subsequence, by the ends and then by dynamic programming.
func align(a, b []string) []int {
	to := make([]int, len(a))
	for i := range to {
		to[i] = -1
	}
	lo := 0
	for lo < len(a) && lo < len(b) && a[lo] == b[lo] {
		to[lo] = lo
		lo++
	}
	ha, hb := len(a), len(b)
	for ha > lo && hb > lo && a[ha-1] == b[hb-1] {
		ha, hb = ha-1, hb-1
		to[ha] = hb
	}
	n, m := ha-lo, hb-lo
	if n == 0 || m == 0 || n*m > 60e6 {
		return to
	}
	best := make([][]int32, n+1)
	for i := range best {
		best[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[lo+i] == b[lo+j] {
				best[i][j] = best[i+1][j+1] + 1
			} else {
				best[i][j] = max(best[i+1][j], best[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case a[lo+i] == b[lo+j]:
			to[lo+i] = lo + j
			i, j = i+1, j+1
		case best[i+1][j] >= best[i][j+1]:
			i++
		default:
			j++
		}
	}
	return to
}

// shapes is the set of shapes of lines: with every string, address and number
// taken for any other.
func (t *straced) shapes() map[string]bool {
	set := make(map[string]bool)
	for _, lines := range t.procs {
		for _, l := range lines {
			set[shapeOf(l)] = true
		}
	}
	return set
}

var (
	stringShape = regexp.MustCompile(`@?"(?:[^"\\]|\\.)*"(\.\.\.)?`)
	numberShape = regexp.MustCompile(`-?\b(0x[0-9a-f]+|\d+)\b`)
)

func shapeOf(line string) string {
	return numberShape.ReplaceAllString(stringShape.ReplaceAllString(line, "S"), "N")
}

// argumentsOf splits the arguments of a call at its outer commas.
func argumentsOf(line string) []string {
	_, rest, ok := strings.Cut(stringShape.ReplaceAllString(line, "S"), "(")
	if !ok {
		return nil
	}
	var args []string
	depth, from := 0, 0
	for i := range len(rest) {
		switch rest[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return append(args, strings.TrimSpace(rest[from:i]))
			}
		case ',':
			if depth == 0 {
				args = append(args, strings.TrimSpace(rest[from:i]))
				from = i + 1
			}
		}
	}
	return args
}

var (
	bareHex  = regexp.MustCompile(`^0x[0-9a-f]+( /\* .*\*/)?$`)
	bareName = regexp.MustCompile(`^[A-Z][A-Z0-9_]+(\||$)`)
)

// numbersForNames returns the lines of replay with a bare number for an
// argument that strace always writes by name.
func numbersForNames(ours, theirs *straced) []string {
	type place struct {
		call string
		arg  int
	}
	named, numbered := make(map[place]bool), make(map[place]bool)
	for _, lines := range theirs.procs {
		for _, l := range lines {
			for i, a := range argumentsOf(l) {
				switch p := (place{nameOf(l), i}); {
				case bareName.MatchString(a) && a != "NULL":
					named[p] = true
				case bareHex.MatchString(a):
					numbered[p] = true
				}
			}
		}
	}
	var found []string
	for _, lines := range ours.procs {
		for _, l := range lines {
			for i, a := range argumentsOf(l) {
				if p := (place{nameOf(l), i}); bareHex.MatchString(a) && named[p] && !numbered[p] {
					found = append(found, l)
				}
			}
		}
	}
	return found
}
