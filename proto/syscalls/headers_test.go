//go:build linux

package syscalls

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestHeaders compares flags.txt and types.txt with the kernel headers of the
// machine (linux-libc-dev): every constant's value, every structure's size and
// the offsets of its fields. The compiler does the comparing: a constant or
// field becomes a static assertion. It runs where CI is set or HEADERS is
// (make check-headers), for it starts the compiler some thousand times. HEADERS
// is the include directory of another kernel's headers, laid out as in Debian's
// linux-libc-dev, or 1.
//
// What the headers do not know is counted and listed with -v: constants newer
// than they are, and those of headers that are private to the kernel.
func TestHeaders(t *testing.T) {
	if os.Getenv("CI") == "" && os.Getenv("HEADERS") == "" {
		t.Skip("slow: make check-headers")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		skip(t, "no gcc: %v", err)
	}
	for _, target := range headerTargets(t) {
		t.Run(target.arch.String(), func(t *testing.T) {
			if _, err := os.Stat(target.need); err != nil {
				skip(t, "no kernel headers (linux-libc-dev): %v", err)
			}
			if out, err := target.compile("#include <stdint.h>\n"); err != nil {
				skip(t, "gcc %s does not work (gcc-multilib): %s", strings.Join(target.args, " "), out)
			}
			target.check(t)
		})
	}
}

// headerTarget is an architecture and how to compile for it.
type headerTarget struct {
	arch    Arch
	args    []string
	need    string
	generic bool              // asm-generic stands in for the architecture's own headers
	words   []map[string]bool // of the include directories
}

// headerTargets returns the three architectures, with the headers of HEADERS.
func headerTargets(t *testing.T) []headerTarget {
	t.Helper()
	targets := []headerTarget{
		{arch: AMD64, need: "/usr/include/linux/stat.h"},
		{arch: I386, args: []string{"-m32"}, need: "/usr/include/linux/stat.h"},
		arm64Target(t),
	}
	if dir := otherHeaders(); dir != "" {
		for i := range targets {
			if err := targets[i].use(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	return targets
}

// arm64Target uses the cross headers where they are installed
// (linux-libc-dev-arm64-cross), else asm-generic: arm64 deviates from it only
// where flags.txt has a value of its own for arm64.
func arm64Target(t *testing.T) headerTarget {
	h := headerTarget{arch: ARM64, args: []string{"-U__x86_64__", "-U__i386__", "-D__aarch64__=1"}, need: "/usr/include/asm-generic/fcntl.h"}
	const cross = "/usr/aarch64-linux-gnu/include"
	if _, err := os.Stat(cross + "/asm/fcntl.h"); err == nil {
		h.args = append(h.args, "-isystem", cross)
		return h
	}
	dir := t.TempDir()
	if err := os.Symlink("/usr/include/asm-generic", filepath.Join(dir, "asm")); err != nil {
		t.Fatal(err)
	}
	h.args = append(h.args, "-isystem", dir)
	h.generic = true
	return h
}

// TestHeadersNumbers compares linux.txt with the numbers of asm/unistd.h, where
// TestHeaders runs: each of theirs must be in it.
func TestHeadersNumbers(t *testing.T) {
	if os.Getenv("CI") == "" && os.Getenv("HEADERS") == "" {
		t.Skip("slow: make check-headers")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		skip(t, "no gcc: %v", err)
	}
	for _, h := range headerTargets(t) {
		numbers, err := h.numbers()
		if err != nil || len(numbers) < 300 {
			skip(t, "%v: %d numbers in asm/unistd.h: %v", h.arch, len(numbers), err)
		}
		for name, nr := range numbers {
			if d := Lookup(h.arch, nr); d == nil {
				t.Errorf("%v: %s (%d) is missing", h.arch, name, nr)
			} else if d.Name != name {
				t.Errorf("%v: %d is %s, the headers say %s", h.arch, nr, d.Name, name)
			}
		}
		for _, d := range All(h.arch) {
			if _, ok := numbers[d.Name]; !ok {
				t.Logf("%v: %s (%d): newer than the headers, or gone since", h.arch, d.Name, d.NR)
			}
		}
	}
}

var numberMacro = regexp.MustCompile(`(?m)^#define __NR(3264)?_(\w+) (?:(\d+)|__NR3264_(\w+))$`)

// numbers returns the system calls of asm/unistd.h. asm-generic has some of them
// by way of another name, and those of long standing if they are asked for.
func (h *headerTarget) numbers() (map[string]uint32, error) {
	args := append([]string{"-E", "-dM", "-x", "c", "-"}, h.args...)
	if h.generic {
		for _, want := range []string{"RENAMEAT", "NEW_STAT", "SET_GET_RLIMIT", "TIME32_SYSCALLS", "SYS_CLONE3", "MEMFD_SECRET"} {
			args = append(args, "-D__ARCH_WANT_"+want)
		}
	}
	cmd := exec.Command("gcc", args...)
	cmd.Stdin = strings.NewReader("#include <asm/unistd.h>\n")
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	macros := numberMacro.FindAllStringSubmatch(string(out), -1)
	other := map[string]string{}
	for _, m := range macros {
		if m[1] != "" {
			other[m[2]] = m[3]
		}
	}
	numbers := map[string]uint32{}
	for _, m := range macros {
		if m[1] != "" || m[2] == "syscalls" || m[2] == "arch_specific_syscall" {
			continue
		}
		value := m[3]
		if m[4] != "" {
			value = other[m[4]]
		}
		nr, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m[0], err)
		}
		numbers[m[2]] = uint32(nr)
	}
	return numbers, nil
}

// otherHeaders returns the include directory that HEADERS names, "" for the
// machine's.
func otherHeaders() string {
	if dir := os.Getenv("HEADERS"); filepath.IsAbs(dir) {
		return dir
	}
	return ""
}

// use makes the kernel headers those of an include directory; the C library's
// stay the machine's.
func (h *headerTarget) use(dir string) error {
	triple := map[Arch]string{AMD64: "x86_64-linux-gnu", I386: "i386-linux-gnu", ARM64: "aarch64-linux-gnu"}[h.arch]
	own := filepath.Join(dir, triple)
	h.need = filepath.Join(own, "asm", "stat.h")
	if _, err := os.Stat(h.need); err != nil {
		return fmt.Errorf("HEADERS=%s: %w", dir, err)
	}
	h.args = append([]string{"-isystem", own, "-isystem", dir}, h.args...)
	h.generic = false
	return nil
}

// compile checks a program without making code and returns what gcc says.
func (h *headerTarget) compile(src string) (string, error) {
	cmd := exec.Command("gcc", append([]string{"-w", "-fsyntax-only", "-fmax-errors=0", "-x", "c", "-"}, h.args...)...)
	cmd.Stdin = strings.NewReader(src)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// probe is one comparison: an expression of C and its value in our tables.
type probe struct {
	where string // set or structure
	what  string // constant or field
	expr  string
	want  string
	state probeState
	grown *probe // of a size, or a number that has one, that differs: whether ours is the larger
	tail  bool   // the last members of the structure, which are not looked for, may be newer than the header
}

type probeState uint8

const (
	unchecked probeState = iota // the header is not there or does not compile
	equal
	absent
	differs
)

// libcHeaders stands in for headers that are private to the kernel, where the
// C library defines the same.
var libcHeaders = map[string]string{
	"include/linux/socket.h":   "sys/socket.h",
	"include/linux/net.h":      "sys/socket.h",
	"include/linux/fs_types.h": "dirent.h",
	"include/linux/eventfd.h":  "sys/eventfd.h",
	"include/linux/splice.h":   "fcntl.h",
	"include/net/tcp_states.h": "netinet/tcp.h",
	"include/linux/swap.h":     "sys/swap.h",
	"libc/unistd.h":            "unistd.h",
}

// partHeaders are included through another one.
var partHeaders = map[string]string{
	"asm/mman-common.h": "asm/mman.h",
	"asm/mman.h":        "linux/mman.h",
	"asm/signal-defs.h": "asm/signal.h",
	"asm/poll.h":        "linux/poll.h",
}

// includePath returns what to include for a header of the kernel's tree, ""
// for one that is private to the kernel.
func includePath(header string) string {
	if h, ok := libcHeaders[header]; ok {
		return h
	}
	_, h, ok := strings.Cut(header, "include/uapi/")
	if !ok {
		return ""
	}
	if name, ok := strings.CutPrefix(h, "asm-generic/"); ok {
		h = "asm/" + name
	}
	if p, ok := partHeaders[h]; ok && !strings.HasPrefix(header, "arch/") {
		h = p
	}
	return h
}

// preambles are tried in turn: several kernel headers include nothing of what
// they need, and some of them clash with the C library's.
var preambles = []string{
	"",
	"#include <sys/socket.h>\n#include <linux/in.h>\n",
	"#include <linux/types.h>\n#include <linux/time.h>\n#include <linux/ioctl.h>\n",
	"#include <sys/types.h>\n#include <sys/time.h>\n#include <linux/types.h>\n",
	"#include <sys/types.h>\n#include <sys/socket.h>\n#include <time.h>\n#include <net/if.h>\n#include <linux/types.h>\n",
	"#include <linux/types.h>\n#include <linux/socket.h>\n#include <linux/if.h>\n#include <linux/ioctl.h>\n",
	"#include <asm/termbits.h>\n#include <asm/ioctl.h>\n",
	"#include <sys/time.h>\n#include <linux/types.h>\n#include <linux/blktrace_api.h>\n#include <linux/fiemap.h>\n" +
		"#include <linux/serial.h>\n#include <linux/major.h>\n#include <linux/atmioc.h>\n#include <linux/filter.h>\n#include <linux/atmdev.h>\n",
	"#include <linux/fcntl.h>\n#include <asm/signal.h>\n#include <linux/ipc.h>\n#include <linux/inet_diag.h>\n" +
		"#include <linux/dqblk_xfs.h>\n#include <linux/sysctl.h>\n",
	"#include <linux/types.h>\n#include <linux/videodev2.h>\n",
}

var gccError = regexp.MustCompile(`(?m)^([^:\n]+):(\d+):\d+: (?:fatal )?error: (.*)`)

// ask compiles the probes of one header and sets their states. It goes on with
// other preambles while some are absent whose names the headers have somewhere.
func (h *headerTarget) ask(include string, probes []*probe) {
	const marker = "#line 1 \"probe\"\n"
	todo := probes
	for _, pre := range preambles {
		var src strings.Builder
		src.WriteString("#define _GNU_SOURCE 1\n#include <stddef.h>\n" + pre + "#include <" + include + ">\n" + marker)
		for _, p := range todo {
			fmt.Fprintf(&src, "_Static_assert((%s) == (%s), \"differs\");\n", p.expr, p.want)
		}
		out, err := h.compile(src.String())
		states := make([]probeState, len(todo))
		for i := range states {
			states[i] = equal
		}
		broken := false
		for _, m := range gccError.FindAllStringSubmatch(out, -1) {
			n, _ := strconv.Atoi(m[2])
			if m[1] != "probe" || n < 1 || n > len(todo) {
				broken = true
				break
			}
			if !strings.Contains(m[3], "static assertion failed") {
				states[n-1] = absent
			} else if states[n-1] == equal {
				states[n-1] = differs
			}
		}
		if strings.Contains(out, "fatal error: "+include+": No such file") {
			return
		}
		if broken || err != nil && !strings.Contains(out, "error:") {
			continue
		}
		var rest []*probe
		for i, p := range todo {
			p.state = states[i]
			if states[i] == absent && h.has(p.expr) {
				rest = append(rest, p)
			}
		}
		if todo = rest; len(todo) == 0 {
			return
		}
	}
}

// reserved are members of structures for what comes later.
var reserved = regexp.MustCompile(`^_*(?:pad|resv|rsv|reserved|spare)`)

// renumbered are the sets whose numbers a kernel has changed, and why ours stay.
var renumbered = map[string]string{
	"snmp_ip_stats": "Linux 6.8 and 6.9 put counters among them; strace 7.2 goes on by the old numbers",
}

func (h *headerTarget) check(t *testing.T) {
	byHeader := map[string][]*probe{}
	h.constants(t, byHeader)
	h.structures(t, byHeader)
	if err := h.loadWords(); err != nil {
		t.Fatal(err)
	}
	headers := make([]string, 0, len(byHeader))
	for name := range byHeader {
		headers = append(headers, name)
	}
	sort.Strings(headers)
	var wg sync.WaitGroup
	work := make(chan string)
	for range runtime.NumCPU() {
		wg.Go(func() {
			for name := range work {
				if inc := includePath(name); inc != "" {
					h.ask(inc, byHeader[name])
				}
			}
		})
	}
	for _, name := range headers {
		work <- name
	}
	close(work)
	wg.Wait()
	newer := map[string]bool{} // structures with fields that the headers lack
	for _, list := range byHeader {
		for _, p := range list {
			if p.state == absent {
				newer[p.where] = true
			}
		}
	}
	var count [4]int
	for _, name := range headers {
		for _, p := range byHeader[name] {
			if p.what == "" {
				continue
			}
			count[p.state]++
			switch p.state {
			case differs:
				if p.grown != nil && p.grown.state == equal && (newer[p.where] || p.tail || p.what != "size") {
					t.Logf("%s: has grown since %s", p.where, name)
					break
				}
				if why := renumbered[p.where]; why != "" {
					t.Logf("%s: %s: not %s in %s: %s", p.where, p.what, p.want, name, why)
					break
				}
				if newer[p.where] && reserved.MatchString(p.what) {
					t.Logf("%s: %s: a part of it has a name since %s", p.where, p.what, name)
					break
				}
				t.Errorf("%s: %s: not %s in %s", p.where, p.what, p.want, name)
			case absent:
				t.Logf("%s: %s: newer than %s, or elsewhere", p.where, p.what, name)
			}
		}
	}
	t.Logf("%d checked, %d not known to these headers, %d of headers that are not installed or are the kernel's own", count[equal]+count[differs], count[absent], count[unchecked])
	if count[equal] < 1000 {
		t.Errorf("only %d constants and fields could be checked", count[equal])
	}
}

// constants makes the probes of flags.txt.
func (h *headerTarget) constants(t *testing.T, out map[string][]*probe) {
	sets, err := loadFlags()
	if err != nil {
		t.Fatal(err)
	}
	for name := range sets.first {
		c := ConstSet(h.arch, name)
		if c == nil {
			t.Errorf("no set %s", name)
			continue
		}
		for s := range sets.named(name) {
			err := s.lines(func(line string) error {
				w := strings.Fields(line)
				if w[0] == "include" || strings.Contains(w[0], "%") || h.generic && strings.Contains(line, "arm64=") {
					return nil
				}
				v, ok := c.ByName(w[0])
				if !ok || w[0] == "0" {
					return nil // not on this architecture
				}
				p := &probe{where: name, what: w[0], want: fmt.Sprintf("%#xULL", v)}
				p.expr = "(unsigned long long)(" + strings.ReplaceAll(w[0], "1<<", "1ULL<<") + ")"
				if v>>32 == 0xffffffff {
					p.expr, p.want = "(unsigned)("+w[0]+")", fmt.Sprintf("%#xU", uint32(v))
				} else if v>>31 == 1 {
					p.expr = "(unsigned)(" + w[0] + ")" // an int in C
				}
				if size := v >> 16 & 0x3fff; strings.HasPrefix(name, "ioctl_") && size != 0 {
					// Of a structure that has grown, but for its size.
					p.grown = &probe{where: name, expr: fmt.Sprintf("((%[1]s) & 0xc000ffff) == %#[2]x && ((%[1]s) >> 16 & 0x3fff) < %[3]d", w[0], v&0xc000ffff, size), want: "1"}
					out[c.Header] = append(out[c.Header], p.grown)
				}
				out[c.Header] = append(out[c.Header], p)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// structures makes the probes of types.txt. The words after the header are the
// type's name in C.
func (h *headerTarget) structures(t *testing.T, out map[string][]*probe) {
	types, err := loadTypes()
	if err != nil {
		t.Fatal(err)
	}
	for name := range types.first {
		for s := range types.named(name) {
			kind, words := s.header()
			if kind == "type" || len(words) == 0 {
				continue
			}
			if strings.HasPrefix(words[0], "[") {
				if !forArch(words[0], h.arch) {
					continue
				}
				words = words[1:]
			}
			for len(words) > 0 && !strings.Contains(words[0], "/") {
				words = words[1:]
			}
			if len(words) == 0 {
				t.Errorf("%s: no header", name)
				continue
			}
			typ := TypeByName(h.arch, name)
			if typ == nil {
				t.Errorf("no type %s", name)
				continue
			}
			header, c := words[0], strings.Join(words[1:], " ")
			switch c {
			case "":
				c = kind + " " + name
			case "-":
				continue // only a part of it, or without a name in C
			}
			if h.generic && strings.HasPrefix(header, "arch/") {
				continue
			}
			out[header] = append(out[header], structProbes(name, c, typ)...)
		}
	}
}

func structProbes(name, c string, typ *Type) []*probe {
	size := &probe{where: name, what: "size", expr: "sizeof(" + c + ")", want: strconv.Itoa(typ.Size)}
	size.grown = &probe{where: name, expr: "sizeof(" + c + ") < " + size.want, want: "1"}
	size.tail = len(typ.Fields) > 0 && typ.Fields[len(typ.Fields)-1].Hidden
	list := []*probe{size, size.grown}
	if typ.Kind == Struct && strings.HasPrefix(c, "union ") {
		list = nil // a part of the union
	}
	for _, f := range typ.Fields {
		if f.Hidden || f.Bits != 0 || typ.Kind == Union {
			continue
		}
		list = append(list, &probe{where: name, what: f.Name, expr: fmt.Sprintf("offsetof(%s, %s)", c, f.Name), want: strconv.Itoa(f.Off)})
	}
	return list
}

// unlistedFile has the names that begin as those of a set and belong to none:
// somebody has looked at them.
const unlistedFile = "testdata/unlisted.txt"

// TestHeadersUnlisted looks in the headers for names that begin as those of a
// set, are in no set and have not been looked at: constants that a newer kernel
// has brought. UPDATE=1 notes that those there are now have been.
func TestHeadersUnlisted(t *testing.T) {
	if os.Getenv("HEADERS") == "" {
		t.Skip("for people: make check-headers")
	}
	sets, err := loadFlags()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	byHeader := map[string][]string{}
	for name := range sets.first {
		c := ConstSet(AMD64, name)
		for _, v := range c.Values {
			known[v.Name] = true
		}
		for _, v := range c.absent {
			known[v] = true
		}
		if len(c.Prefix) >= 3 && isIdent(c.Prefix) {
			byHeader[c.Header] = append(byHeader[c.Header], c.Prefix)
		}
	}
	seen := map[string]bool{}
	text, err := os.ReadFile(unlistedFile)
	if err != nil && os.Getenv("UPDATE") == "" {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		for _, name := range strings.Fields(line) {
			seen[name] = true
		}
	}
	var out strings.Builder
	for _, header := range slices.Sorted(maps.Keys(byHeader)) {
		names := unlisted(header, byHeader[header], known)
		if len(names) == 0 {
			continue
		}
		fmt.Fprintf(&out, "%s\n\t%s\n", header, strings.Join(names, "\n\t"))
		fresh := slices.DeleteFunc(names, func(name string) bool { return seen[name] })
		if len(fresh) > 0 && os.Getenv("UPDATE") == "" {
			t.Errorf("%s has constants that are in no set of flags.txt: put them into one, or into %s with UPDATE=1:\n\t%s", header, unlistedFile, strings.Join(fresh, " "))
		}
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(unlistedFile, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unlisted lists the constants of a header, sorted, that have one of the prefixes
// and are not known. Limits and masks are left out.
func unlisted(header string, prefixes []string, known map[string]bool) []string {
	inc := includePath(header)
	if inc == "" {
		return nil
	}
	limit := regexp.MustCompile(`_(MAX|MASK|SHIFT|SIZE|LAST|BITS|H|__?MAX|ALL|NONE|CNT|NUM|MIN)$`)
	found := map[string]bool{}
	top := "/usr/include"
	if dir := otherHeaders(); dir != "" {
		top = dir
	}
	for _, dir := range []string{top, filepath.Join(top, "x86_64-linux-gnu")} {
		text, err := os.ReadFile(filepath.Join(dir, inc))
		if err != nil {
			continue
		}
		for _, prefix := range prefixes {
			re := regexp.MustCompile(`(?m)^(?:\s*#\s*define\s+|\s+)(` + prefix + `[A-Z0-9_]+)(?:\s+\S|\s*[,=])`)
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				if !known[m[1]] && !limit.MatchString(m[1]) {
					found[m[1]] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
