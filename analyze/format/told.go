package format

// told writes the arguments as the log that the call was made from did.
func (p *printer) told() {
	from := len(p.b)
	p.plain(p.text.Args)
	if p.text.Rest != nil {
		p.pause()
		p.plain(p.text.Rest)
	}
	ScanArgs(p.b[from:], &p.commas)
	for i := range p.commas {
		p.commas[i] += from
	}
}

// plain writes text as it is, but for what a terminal must not get.
func (p *printer) plain(text []byte) {
	for _, c := range text {
		if c < ' ' || c >= 0x7f {
			p.c('\\')
			p.c('0' + c>>6)
			p.oct3(c & 0o77)
			continue
		}
		p.c(c)
	}
}

// ScanArgs looks for the end of a list of arguments in strace's notation. b
// begins behind the opening parenthesis. It returns the place of the closing one,
// −1 if there is none, and appends to commas, if that is not nil, the places of
// those between arguments.
func ScanArgs(b []byte, commas *[]int) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = quoted(b, i)
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth == 0 && b[i] == ')' {
				return i
			}
			depth = max(0, depth-1)
		case ',':
			if commas != nil && depth == 0 && i+1 < len(b) && b[i+1] == ' ' {
				*commas = append(*commas, i)
			}
		case '<':
			if n := ScanName(b[i:]); n > 0 && i > 0 && (b[i-1] >= '0' && b[i-1] <= '9' || b[i-1] == 'D') { // of AT_FDCWD
				i += n - 1
			}
		}
	}
	return -1
}

// quoted returns the place of the quote that ends the string which begins at i,
// or the end.
func quoted(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

// ScanName returns the length of the name in angle brackets that b begins with, 0
// if that is none. In names that are no paths ("TCP:[127.0.0.1:1->127.0.0.1:2]")
// arrows are no ends; after a device's path comes one more name in brackets.
func ScanName(b []byte) int {
	if len(b) < 2 || b[0] != '<' || b[1] == '<' || b[1] == ' ' || b[1] == '=' {
		return 0
	}
	path := b[1] == '/'
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '<':
			depth++
		case '>':
			if !path && b[i-1] == '-' {
				continue
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case '\\':
			i++
		case '"':
			if !path {
				i = quoted(b, i)
			}
		}
	}
	return 0
}
