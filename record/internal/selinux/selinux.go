//go:build linux

// Package selinux tells which security context the policy gives a file, from the
// tables of patterns that restorecon(8) uses (selinux(8), selabel_file(5)).
package selinux

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// Unknown is the expected context of files where there is no policy.
const Unknown = "??"

// Files are the contexts that a policy gives files. It is used by one goroutine.
type Files struct {
	exact    map[string][]*spec // by path
	patterns []*spec            // in order: the last that fits counts
	subs     [2][]sub           // applied one after the other
	known    map[asked]string
	absent   bool
}

// spec is a line of a table.
type spec struct {
	pattern string
	prefix  string         // that a path must have
	re      *regexp.Regexp // of pattern, once it was needed
	broken  bool           // it does not compile
	kind    uint32         // S_IF*; 0: any
	context string
}

// sub says that paths below one are labelled as those below another.
type sub struct{ from, to string }

type asked struct {
	path string
	kind uint32
}

// maxKnown bounds the answers that are remembered.
const maxKnown = 4096

// Absent returns the Files of a machine without a policy: all are Unknown.
func Absent() *Files { return &Files{absent: true} }

// Open reads the policy of this machine, whose files lie in dir (/etc/selinux).
func Open(dir string) (*Files, error) {
	base := filepath.Join(dir, policy(filepath.Join(dir, "config")), "contexts/files/file_contexts")
	f := &Files{exact: make(map[string][]*spec), known: make(map[asked]string)}
	for i, suffix := range []string{"", ".homedirs", ".local"} {
		err := eachLine(base+suffix, f.add)
		if err != nil && (i == 0 || !os.IsNotExist(err)) {
			return nil, err
		}
	}
	for i, suffix := range []string{".subs", ".subs_dist"} {
		err := eachLine(base+suffix, func(words []string) error {
			if len(words) != 2 {
				return fmt.Errorf("%d words, not 2", len(words))
			}
			f.subs[i] = append(f.subs[i], sub{words[0], words[1]})
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	return f, nil
}

// policy returns the name of the policy that a configuration chooses.
func policy(config string) string {
	name := "targeted" // selinux_config(5)
	_ = eachLine(config, func(words []string) error {
		if v, ok := strings.CutPrefix(words[0], "SELINUXTYPE="); ok && v != "" {
			name = v
		}
		return nil
	})
	return name
}

// eachLine calls fn with the words of each line that is no comment.
func eachLine(name string, fn func(words []string) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		words := strings.Fields(sc.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := fn(words); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return sc.Err()
}

// kinds are the words for kinds of files.
var kinds = map[string]uint32{
	"--": syscall.S_IFREG, "-d": syscall.S_IFDIR, "-l": syscall.S_IFLNK, "-c": syscall.S_IFCHR,
	"-b": syscall.S_IFBLK, "-s": syscall.S_IFSOCK, "-p": syscall.S_IFIFO,
}

// none stands for files that are to be left alone.
const none = "<<none>>"

// add takes a line: a pattern, perhaps a kind of file, a context.
func (f *Files) add(words []string) error {
	s := &spec{pattern: words[0], context: words[len(words)-1]}
	switch len(words) {
	case 2:
	case 3:
		var ok bool
		if s.kind, ok = kinds[words[1]]; !ok {
			return fmt.Errorf("%q is no kind of file", words[1])
		}
	default:
		return fmt.Errorf("%d words, not 2 or 3", len(words))
	}
	if s.context == none {
		s.context = ""
	}
	if literal, ok := unescaped(s.pattern); ok {
		f.exact[literal] = append(f.exact[literal], s)
		return nil
	}
	s.prefix = prefixOf(s.pattern)
	f.patterns = append(f.patterns, s)
	return nil
}

// meta are the characters that mean something in a regular expression.
const meta = `.^$?*+|[({`

// unescaped returns the path that a pattern without any meta character stands for.
func unescaped(pattern string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.IndexByte(meta, c) >= 0:
			return "", false
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteByte(pattern[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// prefixOf returns with what directories the paths begin that a pattern fits.
func prefixOf(pattern string) string {
	end := strings.IndexAny(pattern, meta+`\`)
	if end < 0 {
		end = len(pattern)
	}
	if strings.Contains(pattern, "|") { // of the whole, perhaps
		return ""
	}
	return pattern[:strings.LastIndexByte(pattern[:end], '/')+1]
}

// fits tells whether the pattern is of a path.
func (s *spec) fits(path string) bool {
	if s.broken || !strings.HasPrefix(path, strings.TrimSuffix(s.prefix, "/")) {
		return false
	}
	if s.re == nil {
		var err error
		if s.re, err = regexp.Compile(`(?s)\A(?:` + s.pattern + `)\z`); err != nil {
			s.broken = true // it needs what only PCRE has
			return false
		}
	}
	return s.re.MatchString(path)
}

// Context returns what context a path is to have, of a file of a kind (S_IF*); "" if
// the policy gives it none.
func (f *Files) Context(path string, kind uint32) string {
	if f.absent {
		return Unknown
	}
	key := asked{path, kind}
	if c, ok := f.known[key]; ok {
		return c
	}
	if len(f.known) >= maxKnown {
		clear(f.known)
	}
	c := f.look(path, kind)
	f.known[key] = c
	return c
}

func (f *Files) look(path string, kind uint32) string {
	for _, list := range f.subs {
		path = substituted(list, path)
	}
	of := func(s *spec) bool { return s.kind == 0 || s.kind == kind }
	for list, i := f.exact[path], len(f.exact[path])-1; i >= 0; i-- {
		if of(list[i]) {
			return list[i].context
		}
	}
	for i := len(f.patterns) - 1; i >= 0; i-- {
		if s := f.patterns[i]; of(s) && s.fits(path) {
			return s.context
		}
	}
	return ""
}

// substituted returns a path with its beginning replaced.
func substituted(list []sub, path string) string {
	for i := len(list) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(path, list[i].from); ok && (rest == "" || rest[0] == '/') {
			return strings.TrimSuffix(list[i].to, "/") + rest
		}
	}
	return path
}

// Expected returns what context the file is to have that a path below /proc/PID
// leads to: by the path that it has in truth, for the policy knows no others. Of a
// symbolic link that is not to be followed it is the link's own. It is "" if that
// cannot be told.
func (f *Files) Expected(path string, follow bool) string {
	var info fs.FileInfo
	var real string
	var err error
	if follow {
		// What the link says may be another file by now, or of another root.
		if real, err = os.Readlink(path); err == nil {
			info, err = os.Stat(real)
		}
	} else if info, err = os.Lstat(path); err == nil {
		real, err = realPath(path, info.Mode()&fs.ModeSymlink != 0)
	}
	if err != nil || len(real) == 0 || real[0] != '/' {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return f.Context(real, st.Mode&syscall.S_IFMT)
}

// realPath resolves a path, but for its last part if that is a link itself.
func realPath(path string, link bool) (string, error) {
	if !link {
		return filepath.EvalSymlinks(path)
	}
	path = string(bytes.TrimRight([]byte(path), "/"))
	dir, base := filepath.Split(path)
	dir, err := filepath.EvalSymlinks(dir)
	return filepath.Join(dir, base), err
}
