package syscalls

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// skip gives up on a check that this machine cannot run; in CI nothing may be
// missing.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// moduleDir returns where the module cache keeps a module that go.mod names.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		skip(t, "module %s is not in the module cache: %v", module, err)
	}
	return dir
}

// TestNumbersAgainstSysUnix holds every number against golang.org/x/sys/unix,
// which generates its from the kernel's own headers.
func TestNumbersAgainstSysUnix(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "golang.org/x/sys"), "unix")
	row := regexp.MustCompile(`(?m)^\s+SYS_([A-Z0-9_]+)\s+= (\d+)$`)
	for a, goarch := range map[Arch]string{AMD64: "amd64", ARM64: "arm64", I386: "386"} {
		text, err := os.ReadFile(filepath.Join(dir, "zsysnum_linux_"+goarch+".go"))
		if err != nil {
			t.Fatal(err)
		}
		known := map[int]bool{}
		for _, m := range row.FindAllStringSubmatch(string(text), -1) {
			name := strings.ToLower(m[1])
			nr, _ := strconv.Atoi(m[2])
			known[nr] = true
			if name == "arch_specific_syscall" { // where numbers of others begin: no call
				continue
			}
			d := Lookup(a, uint32(nr))
			switch {
			case d == nil:
				t.Errorf("%v: %s (%d) is missing", a, name, nr)
			case d.Name != name:
				t.Errorf("%v: %d is %s, the kernel says %s", a, nr, d.Name, name)
			case d.NR != uint32(nr) || d.Arch != a || ByName(a, name) != d:
				t.Errorf("%v: %s: description is of %v %d", a, name, d.Arch, d.NR)
			}
		}
		if len(known) < 300 {
			t.Fatalf("%v: only %d numbers found in x/sys/unix", a, len(known))
		}
		for _, d := range All(a) {
			if !known[int(d.NR)] {
				t.Errorf("%v: %s (%d) is not a call of the kernel's", a, d.Name, d.NR)
			}
		}
	}
}

// TestRowsReprint: what the parser understood of a row is the row.
func TestRowsReprint(t *testing.T) {
	rows, err := loadRows()
	if err != nil {
		t.Fatal(err)
	}
	check := func(line int, proto string) {
		r, err := parseProto(proto)
		if err != nil {
			t.Errorf("linux.txt:%d: %v", line, err)
		} else if s := r.String(); s != proto {
			t.Errorf("linux.txt:%d:\n%s\nprints as\n%s", line, proto, s)
		}
	}
	for _, r := range rows.rows {
		check(r.line, r.proto)
		for _, v := range r.variants {
			_, proto := v.split()
			check(v.line, proto)
		}
	}
	if len(rows.rows) < 470 {
		t.Errorf("only %d rows", len(rows.rows))
	}
}
