package diff

import (
	"path"
	"strconv"
	"strings"
)

// names makes paths and other names of one run comparable with another run's.
// It must see calls in the order of the trace: what a run creates under a
// random name is known from then on.
type names struct {
	rules ruleSet
	roots []root            // prefixes to replace, longest first
	temps map[string]string // base name → canonical, of names created exclusively
	pids  map[int]bool      // recorded PIDs and TIDs
	cache map[string]string // of path; emptied whenever temps or pids grow
}

// root says that a directory stands for To.
type root struct{ From, To string }

const maxCachedNames = 1 << 16

func newNames(r ruleSet, roots []root) *names {
	return &names{rules: r, roots: roots, temps: map[string]string{}, pids: map[int]bool{}, cache: map[string]string{}}
}

// addPID says that n is a PID or TID of the run.
func (n *names) addPID(pid int) {
	if pid >= 100 && !n.pids[pid] { // small numbers mean too many other things
		n.pids[pid] = true
		clear(n.cache)
	}
}

// created says that the run made p exclusively: O_EXCL, mkdir, a socket name.
// private is the mode that mkstemp and mkdtemp give (0600, 0700): then the
// name is taken as random whatever it looks like.
func (n *names) created(p string, private bool) {
	if !n.rules.on(ruleTemp) {
		return
	}
	base := path.Base(p)
	if _, ok := n.temps[base]; ok {
		return
	}
	stem, ext := base, ""
	if i := strings.LastIndexByte(base, '.'); i > 0 && len(base)-i <= 5 && allLetters(base[i+1:]) {
		stem, ext = base[:i], base[i:]
	}
	var masked string
	switch {
	case private && len(stem) >= 6:
		masked = "<temp>" + ext
	default:
		temporary := strings.HasPrefix(strings.TrimLeft(base, "."), "tmp") || strings.HasPrefix(p, "/tmp/") || strings.HasPrefix(p, "/var/tmp/")
		k := len(stem)
		for k > 0 && isAlnum(stem[k-1]) {
			k--
		}
		if len(stem)-k < 6 || !temporary && !randomLooking(stem[k:]) {
			return
		}
		masked = stem[:k] + "<temp>" + ext
	}
	if len(n.temps) < maxCachedNames {
		n.temps[base] = masked
		clear(n.cache)
	}
}

// path returns the canonical form of an absolute path.
func (n *names) path(p string) string {
	if c, ok := n.cache[p]; ok {
		return c
	}
	c := n.canonical(p)
	if len(n.cache) >= maxCachedNames {
		clear(n.cache)
	}
	n.cache[strings.Clone(p)] = c
	return c
}

// text returns the canonical form of other text: an argument, a message.
func (n *names) text(s string) string { return n.canonical(s) }

// content returns the canonical form of what is in a file. A number there that is
// that of a process is so by chance.
func (n *names) content(s string) string {
	pids := n.pids
	n.pids = nil
	defer func() { n.pids = pids }()
	return n.canonical(s)
}

func (n *names) canonical(p string) string {
	if n.rules.on(ruleRoot) {
		for _, r := range n.roots {
			if i := strings.Index(p, r.From); i >= 0 && (i+len(r.From) == len(p) || !isWord(p[i+len(r.From)])) {
				p = p[:i] + r.To + p[i+len(r.From):]
				break
			}
		}
	}
	var b strings.Builder
	parent := ""
	hashDir := -1 // where a two-digit directory of a hash begins in b
	for i := 0; i < len(p); {
		j := i
		for j < len(p) && isWord(p[j]) {
			j++
		}
		if j == i {
			b.WriteByte(p[i])
			i++
			continue
		}
		word := p[i:j]
		masked := n.word(word, parent)
		if strings.HasPrefix(masked, "<hex>") && hashDir >= 0 { // .git/objects/ab/cdef…
			s := b.String()
			b.Reset()
			b.WriteString(s[:hashDir] + "<hex>/")
		}
		hashDir = -1
		if len(word) == 2 && isHex(word) && n.rules.on(ruleHex) {
			hashDir = b.Len()
			if parent == "objects" { // git's fan-out
				masked = "<hex>"
			}
		}
		b.WriteString(masked)
		parent = word
		i = j
	}
	return b.String()
}

// word masks one component of a name; parent is the component before it.
func (n *names) word(w, parent string) string {
	if t, ok := n.temps[w]; ok {
		return t
	}
	if allDigits(w) {
		switch {
		case parent == "pts":
			return "<n>"
		case (parent == "proc" || parent == "task") && n.rules.on(rulePID):
			return "<pid>"
		}
	}
	if !strings.ContainsAny(w, "0123456789abcdefABCDEF") {
		return w
	}
	var b strings.Builder
	for i := 0; i < len(w); {
		if n.rules.on(ruleUUID) && isUUID(w[i:]) {
			b.WriteString("<uuid>")
			i += 36
			continue
		}
		j := i
		for j < len(w) && isAlnum(w[j]) {
			j++
		}
		if j == i {
			b.WriteByte(w[i])
			i++
			continue
		}
		b.WriteString(n.run(w[i:j]))
		i = j
	}
	return b.String()
}

// run masks a run of letters and digits.
func (n *names) run(s string) string {
	if isHex(s) && n.rules.on(ruleHex) && (len(s) >= 16 || len(s) >= 8 && !allDigits(s) && strings.ContainsAny(s, "0123456789")) {
		return "<hex>"
	}
	if n.rules.on(rulePID) && len(s) <= 7 && len(n.pids) > 0 {
		k := len(s)
		for k > 0 && s[k-1] >= '0' && s[k-1] <= '9' {
			k--
		}
		if k < len(s) && s[k] != '0' {
			if pid, err := strconv.Atoi(s[k:]); err == nil && n.pids[pid] {
				return s[:k] + "<pid>"
			}
		}
	}
	if !n.rules.on(ruleNumber) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		switch {
		case j-i >= 5:
			b.WriteString("<n>")
			i = j
		case j > i:
			b.WriteString(s[i:j])
			i = j
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

// randomLooking reports whether s mixes kinds of characters as no word does:
// not lower, UPPER, Title or one of them with a number behind.
func randomLooking(s string) bool {
	word := strings.TrimRight(s, "0123456789")
	if word == "" {
		return len(s) >= 8 // a number made by the clock or at random
	}
	tail := word[1:]
	return strings.ContainsAny(word, "0123456789") || strings.ToLower(tail) != tail && strings.ToUpper(word) != word
}

func isUUID(s string) bool {
	if len(s) < 36 {
		return false
	}
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !hexDigit(s[i]) {
			return false
		}
	}
	return len(s) == 36 || !isAlnum(s[36])
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isHex(s string) bool {
	for i := range len(s) {
		if !hexDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func allLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isWord reports whether c is part of a component of a name.
func isWord(c byte) bool {
	return isAlnum(c) || c == '.' || c == '-' || c == '_' || c == '+' || c == '~' || c >= 0x80
}
