//go:build linux

package syscalls

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// headerWords are the words of all headers that a compiler may find, whatever
// conditions stand around them: a name that is not among them no preamble
// brings about. It is safe for concurrent use.
type headerWords struct {
	mu    sync.Mutex
	roots map[string]map[string]bool // by include directory
}

var allWords headerWords

// of returns the words of the headers in and below an include directory.
func (w *headerWords) of(root string) (map[string]bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if words, ok := w.roots[root]; ok {
		return words, nil
	}
	words := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil && path == root {
			return err
		}
		if strings.HasSuffix(path, ".h") {
			text, _ := os.ReadFile(path) // none of a link to what is not installed
			addWords(words, text)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if w.roots == nil {
		w.roots = map[string]map[string]bool{}
	}
	w.roots[root] = words
	return words, nil
}

// addWords adds the identifiers of C, and numbers with them.
func addWords(words map[string]bool, text []byte) {
	start := -1
	for i, c := range text {
		word := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		switch {
		case word && start < 0:
			start = i
		case !word && start >= 0:
			if !words[string(text[start:i])] {
				words[string(text[start:i])] = true
			}
			start = -1
		}
	}
	if start >= 0 {
		words[string(text[start:])] = true
	}
}

// loadWords reads the headers of the include directories that the target has.
func (h *headerTarget) loadWords() error {
	dirs := []string{"/usr/include"}
	for i, arg := range h.args {
		if arg == "-isystem" {
			dirs = append(dirs, h.args[i+1])
		}
	}
	for _, dir := range dirs {
		words, err := allWords.of(dir)
		if err != nil {
			return err
		}
		h.words = append(h.words, words)
	}
	return nil
}

var (
	cName   = regexp.MustCompile(`\b[A-Za-z_]\w*`)
	cSyntax = map[string]bool{"unsigned": true, "long": true, "struct": true, "union": true, "sizeof": true, "offsetof": true}
)

// has reports whether all names of an expression are words of the headers.
func (h *headerTarget) has(expr string) bool {
	for _, name := range cName.FindAllString(expr, -1) {
		if !cSyntax[name] && !slices.ContainsFunc(h.words, func(w map[string]bool) bool { return w[name] }) {
			return false
		}
	}
	return true
}
