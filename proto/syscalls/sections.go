package syscalls

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
)

// section is a block of flags.txt or types.txt: a header line and the indented
// lines below it, not yet parsed.
type section struct {
	in   *sectionIndex
	at   int // offset of the header
	name string
	head string // the header
	body string
	next int32 // index plus 1 of the next of this name
}

// header returns the words of the header line: the kind and, after the name, the
// rest.
func (s *section) header() (kind string, words []string) {
	w := strings.Fields(s.head)
	return w[0], w[2:]
}

// line returns the number of the header's line.
func (s *section) line() int { return 1 + strings.Count(s.in.text[:s.at], "\n") }

// sectionIndex finds sections by name.
type sectionIndex struct {
	file     string
	text     string
	sections []section
	first    map[string]int32 // index in sections
}

var (
	loadFlags = onceSections("flags.txt", &flagsText, "flags", "enum")
	loadTypes = onceSections("types.txt", &typesText, "struct", "union", "type")
)

func onceSections(file string, text *string, kinds ...string) func() (*sectionIndex, error) {
	return sync.OnceValues(func() (*sectionIndex, error) { return indexSections(file, *text, kinds...) })
}

// indexSections is on the way of every recording's start: it looks at the first
// byte of most lines only.
func indexSections(file, text string, kinds ...string) (*sectionIndex, error) {
	x := &sectionIndex{file: file, text: text, sections: make([]section, 0, 1152), first: make(map[string]int32, 1152)}
	var wrong error
	bodyAt := -1 // of the section that is open
	finish := func(end int) {
		if bodyAt >= 0 {
			x.sections[len(x.sections)-1].body = text[bodyAt:end]
		}
		bodyAt = -1
	}
	for pos := 0; pos < len(text); {
		end := strings.IndexByte(text[pos:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += pos + 1
		}
		if c := text[pos]; c != '\t' && c != ' ' && c != '\n' && c != '#' && c != '\r' {
			finish(pos)
			head := stripComment(text[pos:end])
			kind, rest, _ := strings.Cut(head, " ")
			name, _, _ := strings.Cut(rest, " ")
			if name != "" && slices.Contains(kinds, kind) {
				x.add(section{in: x, at: pos, name: name, head: head})
				bodyAt = end
			} else if wrong == nil {
				wrong = fmt.Errorf("%s: %q: a section starts with one of %s and a name", file, head, strings.Join(kinds, ", "))
			}
		}
		pos = end
	}
	finish(len(text))
	return x, wrong
}

func (x *sectionIndex) add(s section) {
	i := int32(len(x.sections))
	x.sections = append(x.sections, s)
	last, again := x.first[s.name]
	if !again {
		x.first[s.name] = i
		return
	}
	for x.sections[last].next != 0 {
		last = x.sections[last].next - 1
	}
	x.sections[last].next = i + 1
}

// named returns the sections of a name, in order.
func (x *sectionIndex) named(name string) iter.Seq[*section] {
	return func(yield func(*section) bool) {
		i, ok := x.first[name]
		for ok && yield(&x.sections[i]) {
			i = x.sections[i].next - 1
			ok = i >= 0
		}
	}
}

// get returns the first section of a name, or nil.
func (x *sectionIndex) get(name string) *section {
	for s := range x.named(name) {
		return s
	}
	return nil
}

// fail places an error at the section's header.
func (s *section) fail(err error) error {
	return fmt.Errorf("%s:%d: %s: %w", s.in.file, s.line(), s.name, err)
}

// lines calls f with each line of the body that says something, without its
// indentation and comment, and returns the first error, with its place.
func (s *section) lines(f func(string) error) error {
	n := 0
	for line := range strings.SplitSeq(s.body, "\n") {
		n++
		if line = strings.TrimSpace(stripComment(line)); line == "" {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", s.in.file, s.line()+n, s.name, err)
		}
	}
	return nil
}

// forArch says whether a list like "arm64|i386" or "[arm64,i386]" names a.
func forArch(list string, a Arch) bool {
	list = strings.Trim(list, "[]")
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == '|' || r == ',' }) {
		if name == archNames[a] {
			return true
		}
	}
	return false
}
