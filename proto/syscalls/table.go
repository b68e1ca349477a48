package syscalls

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// The source of everything here.
var (
	//go:embed linux.txt
	linuxText string
	//go:embed flags.txt
	flagsText string
	//go:embed types.txt
	typesText string
	//go:embed errno.txt
	errnoText string
	//go:embed signals.txt
	signalsText string
)

// maxNR bounds the numbers in the table.
const maxNR = 1024

// x32Bit marks the numbers of the x32 ABI (asm/unistd.h, __X32_SYSCALL_BIT).
const x32Bit = 1 << 30

// archNames are the names of the notation, indexed by Arch.
var archNames = [...]string{AMD64: "amd64", ARM64: "arm64", I386: "i386"}

// rowText is a row of linux.txt, not yet parsed.
type rowText struct {
	line     int
	nr       [I386 + 1]int16 // −1: not on that architecture
	name     string
	proto    string
	variants []variantText
}

// variantText is a row of a variant, not yet parsed.
type variantText struct {
	line int
	text string // [architectures] prototype
}

// split returns the architectures, "" or "arm64|i386", and the prototype.
func (v variantText) split() (archs, proto string) {
	proto = strings.TrimSpace(v.text)
	head, _, _ := strings.Cut(proto, "$")
	if i := strings.LastIndexByte(head, ' '); i >= 0 {
		archs, proto = strings.TrimSpace(head[:i]), proto[i+1:]
	}
	return archs, proto
}

// rowIndex finds the rows of linux.txt; the rows themselves are parsed when a
// call is looked up.
type rowIndex struct {
	rows []rowText
	byNR [I386 + 1][maxNR]int16 // index in rows plus 1
}

// loadRows reads the outline of linux.txt, once. A line that is no row is an
// error of this package, found by its tests; here it is left out.
var loadRows = onceRows()

func onceRows() func() (*rowIndex, error) {
	return sync.OnceValues(func() (*rowIndex, error) { return indexRows(linuxText) })
}

func indexRows(text string) (*rowIndex, error) {
	x := &rowIndex{rows: make([]rowText, 0, 640)}
	variants := make([]variantText, 0, 1024)
	first := 0 // of the variants of the call that comes
	var wrong error
	fail := func(line int, err error) {
		if wrong == nil && err != nil {
			wrong = fmt.Errorf("linux.txt:%d: %w", line, err)
		}
	}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if line = stripComment(line); line == "" {
			continue
		}
		head, _, ok := strings.Cut(line, "(")
		if !ok {
			fail(n, fmt.Errorf("%q is not a row", line))
			continue
		}
		name, _, isVariant := strings.Cut(head, "$")
		if !isVariant {
			fail(n, x.add(line, head, n))
			first = len(variants)
			continue
		}
		variants = append(variants, variantText{n, line})
		if !x.extend(name, variants[first:]) {
			fail(n, fmt.Errorf("variant of %s is not behind the row of %s", name, name))
		}
	}
	return x, wrong
}

// extend gives a call its variants. Its rows, one for each prototype, stand
// together and share them.
func (x *rowIndex) extend(head string, variants []variantText) bool {
	i := len(x.rows) - 1
	if i < 0 || !strings.HasSuffix(head, " "+x.rows[i].name) && head != x.rows[i].name {
		return false
	}
	name := x.rows[i].name
	for ; i >= 0 && x.rows[i].name == name; i-- {
		x.rows[i].variants = variants
	}
	return true
}

// add adds a row; head is what stands before the parenthesis.
func (x *rowIndex) add(line, head string, n int) error {
	r := rowText{line: n}
	rest := head
	for a := AMD64; a <= I386; a++ {
		word := ""
		word, rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
		r.nr[a] = -1
		if word != "-" {
			nr, err := strconv.Atoi(word)
			if err != nil || nr < 0 || nr >= maxNR {
				return fmt.Errorf("%q is not the number of a call", word)
			}
			r.nr[a] = int16(nr)
		}
	}
	r.name = strings.TrimLeft(rest, " ")
	r.proto = line[len(head)-len(r.name):]
	x.rows = append(x.rows, r)
	i := len(x.rows)
	for a := AMD64; a <= I386; a++ {
		if r.nr[a] < 0 {
			continue
		}
		if old := x.byNR[a][r.nr[a]]; old != 0 {
			return fmt.Errorf("%s has number %d of %s", r.name, r.nr[a], x.rows[old-1].name)
		}
		x.byNR[a][r.nr[a]] = int16(i)
	}
	return nil
}

// named returns the rows of a call.
func (x *rowIndex) named(name string) []rowText {
	from := slices.IndexFunc(x.rows, func(r rowText) bool { return r.name == name })
	if from < 0 {
		return nil
	}
	to := from + 1
	for to < len(x.rows) && x.rows[to].name == name {
		to++
	}
	return x.rows[from:to]
}

// stripComment returns line without a comment and the blanks at its end.
func stripComment(line string) string {
	if i := strings.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	return strings.TrimRight(line, " \t\r")
}

// archTable holds what was compiled for one architecture.
type archTable struct {
	arch  Arch
	descs [maxNR]atomic.Pointer[Desc]

	mu       sync.Mutex // guards the rest
	types    map[string]*Type
	consts   map[string]*Consts
	problems []error // names that stand for nothing and the like; nil but while tests look
}

var tables [I386 + 1]archTable

func tableOf(a Arch) *archTable {
	if a < AMD64 || a > I386 {
		return nil
	}
	t := &tables[a]
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.types == nil {
		t.arch = a
		t.types = make(map[string]*Type)
		t.consts = make(map[string]*Consts)
	}
	return t
}

// Load reads the outline of the table, which else the first lookups do.
func Load() {
	loadRows()
	loadFlags()
	loadTypes()
}

// Lookup returns the description of a system call, or nil if the number is not
// known. Calls of X32 are described as AMD64's: their structures are not
// right.
func Lookup(a Arch, nr uint32) *Desc {
	if a == X32 {
		a, nr = AMD64, nr&^x32Bit
	}
	if a < AMD64 || a > I386 || nr >= maxNR {
		return nil
	}
	if d := tables[a].descs[nr].Load(); d != nil {
		return d
	}
	rows, _ := loadRows()
	i := rows.byNR[a][nr]
	if i == 0 {
		return nil
	}
	t := tableOf(a)
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.descs[nr].Load(); d != nil {
		return d
	}
	d, err := t.compileRow(&rows.rows[i-1])
	if err != nil {
		t.problem(err)
		return nil
	}
	t.descs[nr].Store(d)
	return d
}

// ByName returns the description of the call that strace prints as name, or
// nil.
func ByName(a Arch, name string) *Desc {
	if a == X32 {
		a = AMD64
	}
	if a < AMD64 || a > I386 {
		return nil
	}
	rows, _ := loadRows()
	for _, r := range rows.named(name) {
		if nr := r.nr[a]; nr >= 0 {
			return Lookup(a, uint32(nr))
		}
	}
	return nil
}

// All returns the calls of an architecture in order of their numbers.
func All(a Arch) []*Desc {
	if a == X32 {
		a = AMD64
	}
	if a < AMD64 || a > I386 {
		return nil
	}
	var all []*Desc
	for nr := range uint32(maxNR) {
		if d := Lookup(a, nr); d != nil {
			all = append(all, d)
		}
	}
	return all
}

// ParseDesc compiles the prototype of a call as a trace carries it, for calls
// that this table does not know. Names of types that are not known stand for
// plain numbers. The Desc has no number and no variants.
func ParseDesc(proto string, a Arch) (*Desc, error) {
	if a == X32 {
		a = AMD64
	}
	t := tableOf(a)
	if t == nil {
		return nil, fmt.Errorf("prototype of architecture %d: not known", a)
	}
	row, err := parseProto(proto)
	if err != nil {
		return nil, fmt.Errorf("prototype: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.compile(row, nil)
}

// TypeByName returns a type of the notation without direction and length
// ("stat", "open_flags", "u32"), or nil.
func TypeByName(a Arch, name string) *Type {
	if a == X32 {
		a = AMD64
	}
	t := tableOf(a)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.named(name)
}

// ConstSet returns a set of constants, or nil if it is not known.
func ConstSet(a Arch, name string) *Consts {
	if a == X32 {
		a = AMD64
	}
	t := tableOf(a)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.constSet(name)
}

// socketCalls are the calls of socketcall by its first argument
// (include/uapi/linux/net.h). send and recv have no numbers of their own.
var socketCalls = [...]string{1: "socket", 2: "bind", 3: "connect", 4: "listen", 5: "accept", 6: "getsockname", 7: "getpeername", 8: "socketpair",
	9: "send", 10: "recv", 11: "sendto", 12: "recvfrom", 13: "shutdown", 14: "setsockopt", 15: "getsockopt", 16: "sendmsg", 17: "recvmsg",
	18: "accept4", 19: "recvmmsg", 20: "sendmmsg"}

// SocketCall returns the name of the call that socketcall of i386 makes, whose
// arguments lie in memory; "" if op is none.
func SocketCall(op uint64) string {
	if op >= uint64(len(socketCalls)) {
		return ""
	}
	return socketCalls[op]
}

// ArchFromAudit returns the architecture of an AUDIT_ARCH_* value
// (linux/audit.h), as PTRACE_GET_SYSCALL_INFO gives it. X32 shares AMD64's.
func ArchFromAudit(v uint32) (Arch, bool) {
	switch v {
	case 0xc000003e:
		return AMD64, true
	case 0xc00000b7:
		return ARM64, true
	case 0x40000003:
		return I386, true
	}
	return 0, false
}

// String returns the name used in linux.txt: "amd64", "arm64", "i386", "x32".
func (a Arch) String() string {
	if a == X32 {
		return "x32"
	}
	if a >= AMD64 && a <= I386 {
		return archNames[a]
	}
	return "arch" + strconv.Itoa(int(a))
}

// problem notes an error of the embedded text. Programs go on without what is
// wrong; the package's tests fail.
func (t *archTable) problem(err error) {
	if testing_ {
		t.problems = append(t.problems, err)
	}
}

// testing_ makes the tables keep problems; set by tests before the first look.
var testing_ bool
