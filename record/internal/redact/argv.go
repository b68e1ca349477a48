package redact

import "bytes"

// Text blanks the secrets in a text that stands alone: a path, a name. With cut
// it had more. Tokens are looked for only where there is a "=" or ":": nearly all
// such texts are paths and have neither.
func (r *Redactor) Text(b []byte, cut bool) {
	if bytes.IndexByte(b, '=') >= 0 || bytes.IndexByte(b, ':') >= 0 || len(r.rules.own) > 0 {
		r.scan(b, 0, cut, r.text)
	}
}

// Env blanks the secrets among the entries of an environment.
func (r *Redactor) Env(env [][]byte, cut func(int) bool) {
	for i, b := range env {
		if !r.setting(b) {
			r.scan(b, 0, cut != nil && cut(i), r.text)
		}
	}
}

// setting blanks b's value if b is NAME=value as a whole and the name is that
// of a secret: all of it, whatever is in it.
func (r *Redactor) setting(b []byte) bool {
	eq := bytes.IndexByte(b, '=')
	if eq <= 0 || !r.text.has(variable) || nameBefore(b, eq) != 0 {
		return false
	}
	kind := classify(b[:eq])
	if kind == ordinary || kind == key && isPath(b[eq+1:]) {
		return false
	}
	r.whole(variable, b[eq+1:])
	return true
}

func (r *Redactor) whole(n Rule, b []byte) {
	s := scanner{r: r, b: b}
	s.blank(n, 0, len(b))
}

// short are the options of one letter (or a short name) by which programs take
// passwords.
type short struct {
	option string
	how    how
	behind string // only if this argument stands before it: a subcommand
}

type how uint8

const (
	next     how = 1 << iota // the argument that follows
	attached                 // what follows in the same argument
	account                  // user:password: what is behind the colon (percent sign)
	pairs                    // NAME=VALUE; else it is the name of a file
)

var programs = map[string][]short{
	"mysql":      {{"-p", attached, ""}},
	"redis-cli":  {{"-a", next, ""}, {"--pass", next, ""}},
	"sshpass":    {{"-p", next | attached, ""}},
	"curl":       {{"-u", next | attached | account, ""}, {"--user", next | account, ""}, {"-U", next | attached | account, ""}, {"--proxy-user", next | account, ""}, {"-b", next | attached | pairs, ""}, {"--cookie", next | pairs, ""}, {"--oauth2-bearer", next, ""}, {"--pass", next, ""}},
	"ldapsearch": {{"-w", next | attached, ""}},
	"smbclient":  {{"-U", next | attached | account, ""}, {"--user", next | account, ""}},
	"zip":        {{"-P", next | attached, ""}},
	"unzip":      {{"-P", next | attached, ""}},
	"7z":         {{"-p", attached, ""}},
	"docker":     {{"-p", next | attached, "login"}},
	"mongosh":    {{"-p", next, ""}},
	"sqlcmd":     {{"-P", next | attached, ""}},
	"cqlsh":      {{"-p", next, ""}},
	"mosquitto":  {{"-P", next, ""}},
}

func init() {
	for same, name := range map[string]string{
		"7za": "7z", "7zr": "7z", "rar": "7z", "unrar": "7z",
		"podman": "docker", "buildah": "docker", "skopeo": "docker", "helm": "docker", "nerdctl": "docker",
		"mongo": "mongosh", "mongodump": "mongosh", "mongorestore": "mongosh", "mongoexport": "mongosh", "mongoimport": "mongosh",
		"bcp": "sqlcmd", "mosquitto_pub": "mosquitto", "mosquitto_sub": "mosquitto", "valkey-cli": "redis-cli", "keydb-cli": "redis-cli",
		"ldapadd": "ldapsearch", "ldapmodify": "ldapsearch", "ldapdelete": "ldapsearch", "ldapwhoami": "ldapsearch", "ldapcompare": "ldapsearch",
	} {
		programs[same] = programs[name]
	}
}

// program returns the options of the program that an argument names.
func program(arg []byte) []short {
	arg = arg[bytes.LastIndexByte(arg, '/')+1:]
	if bytes.HasPrefix(arg, []byte("mysql")) || bytes.HasPrefix(arg, []byte("mariadb")) {
		return programs["mysql"]
	}
	return programs[string(arg)]
}

// Argv blanks the secrets among the arguments of a command. cut tells which of
// them had more; nil: none.
func (r *Redactor) Argv(args [][]byte, cut func(int) bool) {
	r.arguments(args, cut, true)
}

// arguments does the work; scripts: an argument may itself be a command line.
func (r *Redactor) arguments(args [][]byte, cut func(int) bool, scripts bool) {
	var known []short
	behind := -1 // index in args of the program
	openssl := false
	for i := 0; i < len(args); i++ {
		a := args[i]
		if len(a) == 0 {
			continue
		}
		if scripts && i > 0 && isScript(args, i) {
			r.arguments(commandWords(a), nil, false)
			r.scan(a, 0, cut != nil && cut(i), r.text|1<<script)
			continue
		}
		if p := program(a); p != nil {
			known, behind = p, i
			continue
		}
		openssl = openssl || isProgram(a, "openssl")
		if r.text.has(option) && a[0] == '-' {
			done, taken := r.option(args, i, behind, known)
			if taken {
				i++ // the next one was its value
			}
			if done {
				continue
			}
		}
		if r.text.has(option) && openssl && bytes.HasPrefix(a, []byte("pass:")) {
			r.whole(option, a[len("pass:"):])
			continue
		}
		if scripts && r.setting(a) {
			continue
		}
		if scripts {
			r.scan(a, 0, cut != nil && cut(i), r.text)
		}
	}
}

// option looks at args[i], which begins with a dash. done: it was redacted;
// taken: so was the next argument.
func (r *Redactor) option(args [][]byte, i, behind int, known []short) (done, taken bool) {
	a := args[i]
	var following []byte
	if i+1 < len(args) && len(args[i+1]) > 0 && args[i+1][0] != '-' {
		following = args[i+1]
	}
	for k := range known {
		o := &known[k]
		if !bytes.HasPrefix(a, []byte(o.option)) || o.behind != "" && !hasWord(args[behind+1:i], o.behind) {
			continue
		}
		switch {
		case len(a) == len(o.option):
			if o.how&next != 0 && following != nil {
				r.part(following, o.how)
				return true, true
			}
			return true, false
		case a[len(o.option)] == '=' && len(o.option) > 2:
			r.part(a[len(o.option)+1:], o.how)
			return true, false
		case o.how&attached != 0 && len(o.option) == 2:
			r.part(a[2:], o.how)
			return true, false
		}
	}
	name, v, assigned := bytes.Cut(bytes.TrimLeft(a, "-"), []byte("="))
	kind := classify(name)
	if kind == ordinary {
		return false, false
	}
	switch {
	case assigned && (kind == secret || !isPath(v)):
		r.whole(option, v)
		return true, false
	case !assigned && following != nil && (kind == secret || !isPath(following)):
		r.whole(option, following)
		return true, true
	}
	return false, false
}

// part blanks an option's value, or the password in it.
func (r *Redactor) part(v []byte, h how) {
	if h&account != 0 {
		i := bytes.IndexAny(v, ":%")
		if i < 0 {
			return
		}
		v = v[i+1:]
	}
	if h&pairs == 0 || bytes.IndexByte(v, '=') >= 0 {
		r.whole(option, v)
	}
}

// isProgram tells whether an argument is the name or the path of a program.
func isProgram(arg []byte, name string) bool {
	return string(arg[bytes.LastIndexByte(arg, '/')+1:]) == name
}

// hasWord looks for a subcommand.
func hasWord(args [][]byte, word string) bool {
	for _, a := range args[:min(len(args), 16)] {
		if string(a) == word {
			return true
		}
	}
	return false
}

// isScript tells whether args[i] is a command line: what follows the -c of a
// shell, or what ssh is to run.
func isScript(args [][]byte, i int) bool {
	before := args[i-1]
	if len(before) > 1 && before[0] == '-' && before[1] != '-' && before[len(before)-1] == 'c' {
		return true
	}
	return bytes.IndexByte(args[i], ' ') > 0 && isProgram(args[0], "ssh")
}

// commandWords parts a command line into words: roughly as a shell would, each within
// the original bytes.
func commandWords(b []byte) [][]byte {
	var all [][]byte
	for i := 0; i < len(b); {
		c := b[i]
		if c <= ' ' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' {
			i++
			continue
		}
		from, to := i, i
		if c == '\'' || c == '"' {
			from++
			if n := bytes.IndexByte(b[from:], c); n >= 0 {
				to = from + n
			} else {
				to = len(b)
			}
			i = to + 1
		} else {
			for to < len(b) && b[to] > ' ' && bytes.IndexByte([]byte(";&|()"), b[to]) < 0 {
				to++
			}
			i = to
		}
		if to > from {
			all = append(all, b[from:to])
		}
	}
	return all
}
