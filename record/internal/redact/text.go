package redact

import "bytes"

// Redactor blanks secrets as its rules say, and counts them.
type Redactor struct {
	rules  *Rules
	text   rules // for everything but what is read from files
	file   rules // for what is read from files
	counts []uint64
	quiet  bool // do not count: it comes again

	scratch []byte // a line of a stream put together
}

// rules is a set of built-in rules.
type rules uint16

// script stands among rules for a command line: its lines begin with settings
// for one command, not with those of an environment.
const script Rule = 15

func (r rules) has(n Rule) bool { return r>>n&1 != 0 }

// New returns a Redactor. The rules may be shared.
func New(r *Rules) *Redactor {
	x := &Redactor{rules: r, counts: make([]uint64, int(builtin)+len(r.own))}
	for i, on := range r.on {
		if on && Rule(i) != files {
			x.text |= 1 << i
		}
	}
	x.file = x.text & (1 << privateKey)
	if r.on[files] {
		x.file = x.text
	}
	return x
}

// until is how the end of a value is told.
type until uint8

const (
	closed      until = iota // no value is open
	lineEnd                  // CR, LF or NUL
	wordEnd                  // white space, quotes and what parts lists
	doubleQuote              // a line's end too
	singleQuote
	escapedQuote // \"
	atSign       // or what cannot be in the first part of a URL
	keyEnd       // the dashes of -----END
	keyBreak     // what cannot be in a key's lines
)

// valueEnd returns where a value that goes on at i ends, and whether that is
// for certain.
func valueEnd(b []byte, i int, u until) (int, bool) {
	for ; i < len(b); i++ {
		c := b[i]
		switch u {
		case keyEnd:
			if c == '-' && (i+1 == len(b) || b[i+1] == '-') {
				return i, true
			}
			continue
		case keyBreak:
			if !inKey[c] {
				return i, true
			}
			continue
		case wordEnd:
			if wordStop[c] {
				return i, true
			}
		case doubleQuote:
			if c == '"' {
				return i, true
			}
			if c == '\\' && i+1 < len(b) && b[i+1] >= ' ' {
				i++
			}
		case singleQuote:
			if c == '\'' {
				return i, true
			}
		case escapedQuote:
			if c == '\\' && i+1 < len(b) && b[i+1] == '"' {
				return i, true
			}
		case atSign:
			if c == '@' || hostStop[c] {
				return i, true
			}
		}
		if c == '\n' || c == '\r' || c == 0 {
			return i, true
		}
	}
	return len(b), false
}

var wordStop, hostStop, inKey [256]bool

func init() {
	for c := range wordStop {
		wordStop[c] = c <= ' ' || c == 0x7f
		hostStop[c] = c <= ' ' || c == 0x7f
		inKey[c] = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
	}
	for _, c := range "&;,\"'`<>|\\" {
		wordStop[c] = true
	}
	for _, c := range "/?#\"'`<>|\\" {
		hostStop[c] = true
	}
	for _, c := range "+/=\r\n" {
		inKey[c] = true
	}
}

// trigger are the characters that a secret's surroundings show, each with the
// characters that may stand before it: a bit for each by its low 5 bits. They
// are the last two of a token's head; before "=" and ":" anything may stand, and
// the second "-" may be that of a key's head.
var trigger [256]uint32

// triggered are the forms by their trigger.
var triggered [256][]form

func init() {
	trigger['='], trigger[':'] = ^uint32(0), ^uint32(0)
	for _, f := range forms {
		c := f.head[f.back]
		trigger[c] |= 1 << (f.head[f.back-1] & 31)
		triggered[c] = append(triggered[c], f)
	}
	trigger['-'] |= 1 << ('-' & 31)
}

// scan blanks the secrets in b, of which the first floor bytes are past: they
// are in the trace already. With more the text may go on behind b: a value that
// reaches its end is then still open, and scan returns it.
func (r *Redactor) scan(b []byte, floor int, more bool, on rules) value {
	s := scanner{r: r, b: b, floor: floor, more: more, on: on}
	for i := 1; i < len(b); i++ {
		if trigger[b[i]]>>(b[i-1]&31)&1 == 0 {
			continue
		}
		next := i
		switch b[i] {
		case '=':
			next = s.assignment(i)
		case ':':
			next = s.colon(i)
		case '-':
			if bytes.HasPrefix(b[i-1:], pemHead) {
				next = s.pem(i - 1)
				break
			}
			fallthrough
		default:
			next = s.token(i)
		}
		if s.open.until != closed {
			break
		}
		i = max(i, next-1)
	}
	for i, re := range r.rules.own {
		for _, m := range re.FindAllSubmatchIndex(b, -1) {
			from, to := m[0], m[1]
			if len(m) > 2 && m[2] >= 0 {
				from, to = m[2], m[3]
			}
			s.blank(builtin+Rule(i), from, to)
		}
	}
	return s.open
}

// value is one whose end was not seen.
type value struct {
	rule  Rule
	until until // closed: there is none
	begun bool  // some of it was seen, and counted
}

// scanner is a scan going on.
type scanner struct {
	r     *Redactor
	b     []byte
	floor int
	more  bool
	on    rules
	open  value
}

func (s *scanner) blank(n Rule, from, to int) {
	if from < s.floor { // was counted when it was seen
		if to > s.floor {
			blank(s.b[s.floor:to])
		}
		return
	}
	if from >= to || blanked(s.b[from:to]) {
		return
	}
	blank(s.b[from:to])
	s.r.count(n)
}

func (r *Redactor) count(n Rule) {
	if !r.quiet {
		r.counts[n]++
	}
}

// value blanks the value that begins at i; it returns where that ends.
func (s *scanner) value(n Rule, i int, u until) int {
	end, done := valueEnd(s.b, i, u)
	s.blank(n, i, end)
	if !done && s.more && end > i {
		s.open = value{n, u, true}
	}
	return end
}

// assignment looks at NAME=value; i is at the "=".
func (s *scanner) assignment(i int) int {
	if !s.on.has(variable) {
		return i
	}
	from := nameBefore(s.b, i)
	kind := classify(s.b[from:i])
	v := i + 1
	if kind == ordinary || v >= len(s.b) || bytes.IndexByte([]byte("=~>"), s.b[v]) >= 0 {
		return i
	}
	if kind == key && isPath(s.b[v:]) {
		return i
	}
	u := wordEnd
	switch q := s.b[v]; {
	case q == '"':
		u, v = doubleQuote, v+1
	case q == '\'':
		u, v = singleQuote, v+1
	case q == '\\' && v+1 < len(s.b) && s.b[v+1] == '"':
		u, v = escapedQuote, v+2
	case !s.on.has(script) && s.variableLine(from, i):
		u = lineEnd
	}
	return s.value(variable, v, u)
}

// variableLine tells whether a line begins with the name of an environment
// variable: as env(1) writes it, with blanks in its value and no quotes.
func (s *scanner) variableLine(from, to int) bool {
	if from > 0 && s.b[from-1] != '\n' && s.b[from-1] != 0 {
		return false
	}
	for _, c := range s.b[from:to] {
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// colon looks at scheme://…, Name: value and "name":"value"; i is at the ":".
func (s *scanner) colon(i int) int {
	if bytes.HasPrefix(s.b[i+1:], []byte("//")) {
		if s.on.has(url) {
			return s.url(i)
		}
		return i
	}
	if i == 0 {
		return i
	}
	if q := s.b[i-1]; q == '"' || q == '\'' {
		return s.quoted(i, q)
	}
	from := nameBefore(s.b, i)
	if !s.on.has(header) || !isHeader(s.b[from:i]) {
		return i
	}
	u := lineEnd
	if from > 0 {
		switch s.b[from-1] { // an argument in quotes
		case '"':
			u = doubleQuote
		case '\'':
			u = singleQuote
		}
	}
	v := i + 1
	for v < len(s.b) && (s.b[v] == ' ' || s.b[v] == '\t') {
		v++
	}
	return s.value(header, v, u)
}

// quoted looks at "name":"value"; the name's closing quote q is before i.
func (s *scanner) quoted(i int, q byte) int {
	to, u := i-1, doubleQuote
	if q == '\'' {
		u = singleQuote
	}
	if to > 0 && s.b[to-1] == '\\' {
		if q == '\'' {
			return i
		}
		to, u = to-1, escapedQuote
	}
	from := nameBefore(s.b, to)
	if from == 0 || s.b[from-1] != q {
		return i
	}
	n := variable
	switch name := s.b[from:to]; {
	case isHeader(name) && s.on.has(header):
		n = header
	case classify(name) == ordinary || !s.on.has(variable):
		return i
	}
	v := i + 1
	for v < len(s.b) && s.b[v] == ' ' {
		v++
	}
	if u == escapedQuote {
		if !bytes.HasPrefix(s.b[v:], []byte(`\"`)) {
			return i
		}
		v++
	} else if v >= len(s.b) || s.b[v] != q {
		return i
	}
	return s.value(n, v+1, u)
}

// maxURL is how far behind a URL's scheme the at sign is looked for.
const maxURL = 2048

// url looks at scheme://user:password@host; i is at the first ":".
func (s *scanner) url(i int) int {
	if from := nameBefore(s.b, i); from == i {
		return i
	}
	user := i + 3
	end, most := user, min(len(s.b), user+maxURL)
	for end < most && !hostStop[s.b[end]] {
		end++
	}
	pass := bytes.IndexByte(s.b[user:end], ':')
	if pass < 0 || s.b[user] == '[' {
		return i
	}
	pass += user + 1
	at := bytes.LastIndexByte(s.b[user:end], '@') + user
	if at >= pass {
		s.blank(url, pass, at)
		return at
	}
	if at >= user || isPort(s.b[pass:end]) { // user@host:port, host:port
		return i
	}
	// No port: a password with what should have been encoded, if an at sign
	// follows, or the rest of it does.
	for end < most && (!hostStop[s.b[end]] || s.b[end] == '/' || s.b[end] == '?' || s.b[end] == '#') {
		end++
	}
	switch at := bytes.LastIndexByte(s.b[pass:end], '@') + pass; {
	case at >= pass:
		s.blank(url, pass, at)
		return at
	case end == len(s.b) && s.more && bytes.IndexByte(s.b[pass:], '/') < 0:
		return s.value(url, pass, atSign)
	}
	return i
}

func isPort(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) <= 5
}

var pemHead = []byte("-----BEGIN ")

// pem looks at -----BEGIN … PRIVATE KEY-----; i is at the first dash.
func (s *scanner) pem(i int) int {
	if !s.on.has(privateKey) {
		return i
	}
	head := s.b[i:min(i+64, len(s.b))]
	n := bytes.Index(head, []byte("PRIVATE KEY"))
	if n < 0 || bytes.IndexByte(head[:n], '\n') >= 0 {
		return i
	}
	head = head[n+len("PRIVATE KEY"):]
	head = bytes.TrimPrefix(head, []byte(" BLOCK"))
	if !bytes.HasPrefix(head, []byte("-----")) {
		return i
	}
	v := i + bytes.Index(s.b[i+5:], []byte("-----")) + 10
	for v < len(s.b) && (s.b[v] == '\r' || s.b[v] == '\n') {
		v++
	}
	end := s.value(privateKey, v, keyEnd)
	if end == len(s.b) && s.more {
		s.open = value{privateKey, keyEnd, end > v}
	}
	return end
}

// form is how an issuer's tokens begin: head ends with the trigger.
type form struct {
	head string
	back int // bytes of head before the trigger
	tail func(c byte) bool
	size int // bytes that follow, at least
}

var forms = []form{
	{"AKIA", 3, alnum, 16}, {"ASIA", 3, alnum, 16}, // AWS access key IDs
	{"ghp_", 3, alnum, 36}, {"gho_", 3, alnum, 36}, {"ghu_", 3, alnum, 36}, {"ghs_", 3, alnum, 36}, {"ghr_", 3, alnum, 36},
	{"github_pat_", 10, word, 22},
	{"glpat-", 5, word, 20},
	{"npm_", 3, alnum, 36},
	{"xoxb-", 4, word, 10}, {"xoxp-", 4, word, 10}, {"xoxa-", 4, word, 10}, {"xoxr-", 4, word, 10}, {"xoxs-", 4, word, 10},
	{"sk_live_", 7, alnum, 16}, {"rk_live_", 7, alnum, 16},
	{"AIzaSy", 5, word, 33},
	{".eyJ", 3, jwt, 8}, // the second part of a JSON web token; the first is no secret
}

func alnum(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }
func word(c byte) bool  { return alnum(c) || c == '_' || c == '-' }
func jwt(c byte) bool   { return word(c) || c == '.' }

// token looks at what may be the end of a token's head.
func (s *scanner) token(i int) int {
	if !s.on.has(token) || i < 3 {
		return i
	}
	candidates := triggered[s.b[i]]
	for k := range candidates {
		f := &candidates[k]
		if i < f.back || string(s.b[i-f.back:i+1]) != f.head {
			continue
		}
		if from := i - f.back; from > 0 && alnum(s.b[from-1]) && f.head[0] != '.' {
			continue
		}
		end := i + 1
		for end < len(s.b) && f.tail(s.b[end]) {
			end++
		}
		if end-i-1 < f.size && !(end == len(s.b) && s.more && end-i > 4) {
			continue
		}
		s.blank(token, i+1, end)
		if end == len(s.b) && s.more {
			s.open = value{token, wordEnd, true}
		}
		return end
	}
	return i
}
