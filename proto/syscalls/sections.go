package syscalls

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// section is a block of flags.txt or types.txt: a header line and the indented
// lines below it, not yet parsed.
type section struct {
	file  string
	line  int // of the header
	kind  string
	name  string
	words []string // of the header, after the name
	body  string
}

// sectionIndex finds sections by name.
type sectionIndex map[string][]section

var (
	loadFlags = onceSections("flags.txt", &flagsText, "flags", "enum")
	loadTypes = onceSections("types.txt", &typesText, "struct", "union", "type")
)

func onceSections(file string, text *string, kinds ...string) func() (sectionIndex, error) {
	return sync.OnceValues(func() (sectionIndex, error) { return indexSections(file, *text, kinds...) })
}

func indexSections(file, text string, kinds ...string) (sectionIndex, error) {
	x := make(sectionIndex, 512)
	var first error
	var last *section
	bodyAt, line := 0, 0
	finish := func(end int) {
		if last != nil {
			last.body = text[bodyAt:end]
			x[last.name] = append(x[last.name], *last)
			last = nil
		}
	}
	for pos := 0; pos < len(text); {
		end := strings.IndexByte(text[pos:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += pos + 1
		}
		line++
		if c := text[pos]; c != '\t' && c != ' ' && c != '\n' && c != '#' && c != '\r' {
			finish(pos)
			w := strings.Fields(stripComment(text[pos:end]))
			if len(w) >= 2 && slices.Contains(kinds, w[0]) {
				last = &section{file: file, line: line, kind: w[0], name: w[1], words: w[2:]}
				bodyAt = end
			} else if first == nil {
				first = fmt.Errorf("%s:%d: a section starts with one of %s and a name", file, line, strings.Join(kinds, ", "))
			}
		}
		pos = end
	}
	finish(len(text))
	return x, first
}

// lines calls f with each line of the body that says something, without its
// indentation and comment, and returns the first error, with its place.
func (s *section) lines(f func(string) error) error {
	n := s.line
	for line := range strings.SplitSeq(s.body, "\n") {
		n++
		if line = strings.TrimSpace(stripComment(line)); line == "" {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", s.file, n, s.name, err)
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
