package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// tamperings are the words for what a recorder did to calls on purpose.
var tamperings = []struct {
	flag tracefile.Flags
	word string
}{{tracefile.Injected, "injected"}, {tracefile.Poked, "poked"}, {tracefile.Delayed, "delayed"}, {tracefile.Signaled, "signaled"}}

// TamperWords returns the words for what was done to an event on purpose, nil if
// nothing was.
func TamperWords(f tracefile.Flags) (words []string) {
	for _, t := range tamperings {
		if f&t.flag != 0 {
			words = append(words, t.word)
		}
	}
	return words
}

// Tampering is what was done, in the same way, to calls of one name.
type Tampering struct {
	Syscall string   `json:"syscall"`
	Done    []string `json:"done"`            // injected, poked, delayed, signaled
	Errno   string   `json:"errno,omitempty"` // that was injected
	Calls   uint64   `json:"calls"`
	First   uint64   `json:"first_event"`
	File    int      `json:"first_file,omitempty"`
}

// String is like "2 × openat injected with EIO, the first #45".
func (t *Tampering) String() string {
	s := fmt.Sprintf("%s × %s %s", term.Count(t.Calls), t.Syscall, strings.Join(t.Done, " and "))
	if t.Errno != "" {
		s = strings.Replace(s, "injected", "injected with "+t.Errno, 1)
	}
	at := fmt.Sprintf("#%d", t.First)
	if t.File > 0 {
		at = fmt.Sprintf("%d#%d", t.File+1, t.First)
	}
	if t.Calls > 1 {
		return s + ", the first " + at
	}
	return s + ", " + at
}

// Tamperings counts the calls that were tampered with. The zero value is ready
// for use.
type Tamperings struct {
	all map[tamperKey]*Tampering
}

type tamperKey struct {
	call  string
	flags tracefile.Flags
	errno int
}

// maxTamperings bounds what is told apart; what is beyond is not counted by name.
const maxTamperings = 1000

// Add counts an event that has one of tracefile.Tampered's flags.
func (t *Tamperings) Add(call string, e *tracefile.Event, file int) {
	k := tamperKey{call: call, flags: e.Flags & tracefile.Tampered}
	if k.flags&tracefile.Injected != 0 {
		k.errno = e.Errno()
	}
	x := Tampering{Syscall: call, Done: TamperWords(k.flags), Calls: 1, First: e.Num, File: file}
	if k.errno != 0 {
		x.Errno = syscalls.ErrnoName(k.errno)
	}
	t.add(k, &x)
}

func (t *Tamperings) add(k tamperKey, x *Tampering) {
	if len(t.all) >= maxTamperings && t.all[k] == nil {
		k = tamperKey{}
		x = &Tampering{Syscall: OtherName, Done: x.Done, Calls: x.Calls, First: x.First, File: x.File}
	}
	mine := t.all[k]
	if mine == nil {
		if t.all == nil {
			t.all = make(map[tamperKey]*Tampering)
		}
		t.all[k] = x
		return
	}
	mine.Calls += x.Calls
	if cmp.Or(cmp.Compare(x.File, mine.File), cmp.Compare(x.First, mine.First)) < 0 {
		mine.File, mine.First = x.File, x.First
	}
}

// Merge adds what other counted, which is not to be used any more.
func (t *Tamperings) Merge(other *Tamperings) {
	for k, x := range other.all {
		t.add(k, x)
	}
}

// List returns the counts in order of their first events; nil if there are none.
func (t *Tamperings) List() (list []Tampering) {
	for _, x := range t.all {
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b Tampering) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.First, b.First), strings.Compare(a.Syscall, b.Syscall))
	})
	return list
}
