package paint

// Call appends a part of a call, "read(3, \"abc\"..., 100" without the closing
// parenthesis. The whole of it says what the part is.
func (p *Painter) Call(dst, call []byte, from, to int) []byte {
	r := reader{p: p, s: call, from: from, to: to, dst: dst}
	r.call()
	return r.dst
}

// End appends the closing parenthesis.
func (p *Painter) End(dst []byte) []byte {
	dst = append(dst, p.start[punctuation]...)
	dst = append(dst, ')')
	return append(dst, Reset...)
}

// Line appends a line that is not a call: "--- SIGCHLD {si_signo=SIGCHLD, ...} ---".
func (p *Painter) Line(dst, line []byte) []byte {
	r := reader{p: p, s: line, to: len(line), dst: dst}
	r.values()
	return r.dst
}

// Punct appends punctuation that is followed by a value.
func (p *Painter) Punct(dst []byte, s string) []byte {
	dst = append(dst, p.start[punctuation]...)
	dst = append(dst, s...)
	return append(dst, p.start[argValue]...)
}

// Result appends the equals sign and what a call returned: "-1 ENOENT (No such file
// or directory) (INJECTED)".
func (p *Painter) Result(dst, text []byte) []byte {
	dst = append(dst, p.start[punctuation]...)
	dst = append(dst, '=')
	dst = append(dst, Reset...)
	failed := false
	for first := true; len(text) > 0; first = false {
		word := resultWord(text)
		color := result
		switch {
		case first:
		case isName(word):
			color, failed = failure, true
		case failed && word[0] == '(':
			color, failed = failure, false // of those in parentheses, what follows is strace's
		}
		dst = append(dst, Reset...)
		dst = append(dst, ' ')
		dst = append(dst, p.start[color]...)
		if word[0] == '(' {
			dst = append(dst, word...)
		} else {
			r := reader{p: p, s: word, to: len(word), dst: dst, plain: true}
			r.values()
			dst = r.dst
		}
		if text = text[len(word):]; len(text) > 0 {
			text = text[1:]
		}
	}
	return dst
}

// Next begins what follows a result, as how long the call took.
func (p *Painter) Next(dst []byte) []byte {
	dst = append(dst, Reset...)
	dst = append(dst, ' ')
	return append(dst, p.start[result]...)
}

// Columns returns how wide painted text is.
func Columns(text []byte) int {
	n := 0
	for i := 0; i < len(text); i++ {
		if text[i] == '\x1b' {
			for i < len(text) && text[i] != 'm' {
				i++
			}
			continue
		}
		n++
	}
	return n
}

// resultWord returns what text begins with, up to a space outside of brackets.
func resultWord(text []byte) []byte {
	depth := 0
	for i, c := range text {
		switch c {
		case '(', '<', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '>':
			if i > 0 && text[i-1] != '-' {
				depth--
			}
		case ' ':
			if depth <= 0 && i > 0 {
				return text[:i]
			}
		}
	}
	return text
}

// isName tells the name of an error.
func isName(word []byte) bool {
	for _, c := range word {
		if !isWordByte(c) {
			return false
		}
	}
	return len(word) > 1 && word[0] == 'E'
}
