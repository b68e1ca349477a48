package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// importRules are the architecture: which package may import which. A rule is
// about the files under dir, tests apart unless tests is set.
var importRules = []struct {
	dir    string
	denied string   // import path or prefix ending in "/..."
	except []string // directories in which it is allowed
	tests  bool     // the rule holds for _test.go files too
	why    string
}{
	{dir: "analyze", denied: "sysreel/record/...", tests: false, why: "analysers know no recorder"},
	{dir: "record", denied: "sysreel/analyze/...", tests: false, why: "the recorder knows no formatting"},
	{dir: "proto", denied: "sysreel/record/...", tests: true, why: "proto is what recorder and analysers agree on"},
	{dir: "proto", denied: "sysreel/analyze/...", tests: true, why: "proto is what recorder and analysers agree on"},
	{dir: ".", denied: "sysreel/cmd/...", tests: true, why: "flags are parsed in cmd only"},
	{dir: ".", denied: "golang.org/x/sys/...", except: []string{"record"}, why: "only the recorder knows the kernel"},
	{dir: ".", denied: "github.com/klauspost/compress/...", except: []string{"proto/tracefile"}, tests: true, why: "the container is tracefile's"},
	{dir: ".", denied: "github.com/spf13/...", except: []string{"cmd"}, tests: true, why: "flags are parsed in cmd only"},
	{dir: "proto/syscalls", denied: "sysreel/...", why: "the table depends on nothing"},
	{dir: "analyze", denied: "syscall", tests: true, why: "names and layouts come from the trace, not from the host"},
	{dir: "analyze", denied: "unsafe", why: "bytes of a trace are decoded, never cast"},
}

func TestImports(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || rel == "testdata" || rel == "demo" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			for _, rule := range importRules {
				if strings.HasSuffix(rel, "_test.go") && !rule.tests {
					continue
				}
				if !under(rel, rule.dir) || !matches(imported, rule.denied) {
					continue
				}
				allowed := false
				for _, dir := range rule.except {
					allowed = allowed || under(rel, dir)
				}
				if !allowed {
					t.Errorf("%s imports %s: %s", rel, imported, rule.why)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("only %d Go files seen under %s: the walk is broken", files, root)
	}
}

func under(file, dir string) bool { return dir == "." || strings.HasPrefix(file, dir+"/") }

func matches(imported, rule string) bool {
	prefix, tree := strings.CutSuffix(rule, "/...")
	return imported == prefix || tree && strings.HasPrefix(imported, prefix+"/")
}
