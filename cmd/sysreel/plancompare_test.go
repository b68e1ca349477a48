package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
)

// This file holds replay's text of a plan against strace's.

// planText is strace's text of a plan, of two runs: what they differ in tells
// nothing.
type planText struct {
	strace string // the version, "7.2"
	arch   syscalls.Arch
	runs   [2]*straced // without the process that only makes the others
	pairs  map[string][]planLine
	names  straceWords
}

// planLine is a line of the first run, and what the second has at its place, ""
// if nothing.
type planLine struct{ first, second string }

// pairLines returns the lines of both runs by process, in order.
func pairLines(arch syscalls.Arch, a, b *straced) map[string][]planLine {
	pairs := make(map[string][]planLine)
	for place, la := range a.procs {
		if place == "0" {
			continue // it only makes the others
		}
		la, lb := known(arch, la), known(arch, b.procs[place])
		ab := align(names(la), names(lb))
		for i, x := range la {
			l := planLine{first: x}
			if ab[i] >= 0 {
				l.second = lb[ab[i]]
			}
			pairs[place] = append(pairs[place], l)
		}
	}
	return pairs
}

// inode is the number of a socket or pipe, which replay has only of those that
// were there before: #12 is the event that made it.
var inode = regexp.MustCompile(`<(socket|pipe):\[#?\d+\]>`)

// wholeArray is the length of lines in which strace -v has written all that there
// is in memory: of so much the beginning is kept here.
const wholeArray = 60000

// compare wants each line of ours to be strace's.
func (s *planText) compare(t *testing.T, ours *straced) {
	t.Helper()
	may := differencesFrom(t, s.strace, slices.DeleteFunc(slices.Clone(otherwise), func(d difference) bool {
		return d.arch != 0 && d.arch != s.arch
	}))
	used := make([]bool, len(may))
	lines, same, newer, odd := 0, 0, 0, 0
	show := os.Getenv("SYSREEL_OTHERWISE") != ""
	differ := make(map[string][]string)
	covered := make(map[string]int)
	for place, pairs := range s.pairs {
		la := make([]string, len(pairs))
		for i := range pairs {
			la[i] = pairs[i].first
		}
		lo := ours.procs[place]
		ao := align(names(la), names(lo))
		for i, x := range la {
			n := nameOf(x)
			covered[n]++
			lines++
			y, z := "nothing", pairs[i].second
			if ao[i] >= 0 {
				y = lo[ao[i]]
			}
			switch {
			case x == y, x != z && sameWords(s.runs[0].words(x), s.runs[1].words(z), ours.words(y)), everyTime[n] && shapeOf(x) == shapeOf(y):
				same++
			case len(x) > wholeArray:
				odd++
			case strings.Contains(x, "(0) /* new */"), s.names.newer(x, y):
				newer++
			case slices.ContainsFunc(may, func(re *regexp.Regexp) bool { return re.MatchString(x) }):
				for k, re := range may {
					used[k] = used[k] || re.MatchString(x)
				}
				odd++
				if show {
					t.Logf("otherwise:\nstrace: %s\nreplay: %s", x, y)
				}
			default:
				differ[n] = append(differ[n], fmt.Sprintf("strace: %s\nreplay: %s", x, y))
			}
		}
	}
	t.Logf("%d calls in %d lines: %d the same, %d with what is newer than strace, %d otherwise for a known reason, %d calls differ",
		len(covered), lines, same, newer, odd, len(differ))
	for i, re := range may {
		if !used[i] {
			t.Logf("no line differs as it may: %s", re)
		}
	}
	for n, list := range differ {
		t.Errorf("%s: %d lines, among them\n%s", n, len(list), strings.Join(list[:min(len(list), envInt("SYSREEL_SHOW", 2))], "\n"))
	}
}

var unknownCall = regexp.MustCompile(`^syscall_(0x[0-9a-f]+)\(.*\) = `)

// known gives calls that strace has no name for the one that they have.
func known(a syscalls.Arch, lines []string) []string {
	lines = slices.Clone(lines)
	for i, l := range lines {
		if m := unknownCall.FindStringSubmatch(l); m != nil {
			nr, _ := strconv.ParseUint(m[1], 0, 32)
			if d := syscalls.Lookup(a, uint32(nr)); d != nil {
				lines[i] = d.Name + "(0) /* new */"
			}
		}
	}
	return lines
}

// straceWords are the names that a strace knows.
type straceWords map[string]bool

var constant = regexp.MustCompile(`\b_*[A-Z][A-Z0-9]*_[A-Za-z0-9_]+`)

// straceNames are those of the strace of the machine.
func straceNames(t *testing.T) straceWords {
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := make(straceWords)
	for _, n := range constant.FindAll(data, -1) {
		names[string(n)] = true
	}
	return names
}

// lacks tells whether a line has a name that strace does not know.
func (s straceWords) lacks(line string) bool {
	for _, n := range constant.FindAllString(stringShape.ReplaceAllString(line, "S"), -1) {
		if !s[n] {
			return true
		}
	}
	return false
}

var (
	unnamed  = regexp.MustCompile(` /\* \w*\?\?\?? \*/`)
	anyValue = regexp.MustCompile(`\b(?:0x[0-9a-f]+|\d+)\b`)
)

// newer tells whether replay's line is strace's but for names that strace does
// not know: it has numbers for them.
func (s straceWords) newer(theirs, ours string) bool {
	lacks := false
	bare := func(line string) string {
		line = unnamed.ReplaceAllString(line, "")
		line = constant.ReplaceAllStringFunc(line, func(n string) string {
			if s[n] {
				return n
			}
			lacks = true
			return "0"
		})
		line = anyValue.ReplaceAllString(line, "0")
		for {
			shorter := strings.ReplaceAll(strings.ReplaceAll(line, "|0", ""), "0|", "")
			if shorter == line {
				return line
			}
			line = shorter
		}
	}
	a, b := textWord.FindAllString(theirs, -1), textWord.FindAllString(ours, -1)
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	x, y := bare(strings.Join(a, "")), bare(strings.Join(b, ""))
	return lacks && (x == y || x == "" && y == "0" || x == "0" && y == "")
}
