package syscalls

import (
	"strconv"
	"strings"
	"sync"
)

// numbered is a table of "number name text" lines.
type numbered struct {
	names, texts map[int]string
	numbers      map[string]int
}

func loadNumbered(file, text string) (*numbered, error) {
	n := &numbered{make(map[int]string), make(map[int]string), make(map[string]int)}
	for line := range strings.SplitSeq(text, "\n") {
		line = stripComment(line)
		if line == "" {
			continue
		}
		num, rest, _ := strings.Cut(line, " ")
		name, text, _ := strings.Cut(rest, " ")
		v, err := strconv.Atoi(num)
		if err != nil || text == "" {
			return n, &rowError{file, line}
		}
		n.names[v], n.texts[v], n.numbers[name] = name, text, v
	}
	return n, nil
}

// rowError is a line that is not "number name text".
type rowError struct{ file, line string }

func (e *rowError) Error() string { return e.file + ": " + e.line + ": want a number, a name, a text" }

var loadErrnos = sync.OnceValues(func() (*numbered, error) { return loadNumbered("errno.txt", errnoText) })

// errnoAliases are second names of a number.
var errnoAliases = map[string]int{"EWOULDBLOCK": 11, "EDEADLOCK": 35, "ENOTSUP": 95}

// ErrnoName returns the name of a Linux error number ("ENOENT" for 2), also of
// the kernel's own (512, ERESTARTSYS); else the number.
func ErrnoName(errno int) string {
	t, _ := loadErrnos()
	if name, ok := t.names[errno]; ok {
		return name
	}
	return strconv.Itoa(errno)
}

// ErrnoText returns the text of an error number as strace writes it.
func ErrnoText(errno int) string {
	t, _ := loadErrnos()
	if text, ok := t.texts[errno]; ok {
		return text
	}
	return "Unknown error " + strconv.Itoa(errno)
}

// ErrnoByName returns the number of "ENOENT".
func ErrnoByName(name string) (int, bool) {
	if v, ok := errnoAliases[name]; ok {
		return v, true
	}
	t, _ := loadErrnos()
	v, ok := t.numbers[name]
	return v, ok
}
