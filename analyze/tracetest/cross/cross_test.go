package cross_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/analyze/tracetest/cross"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// traces returns the recordings of testdata that were made on amd64. More may
// be named: SYSREEL_TRACES=/tmp/a.reel,/tmp/b.reel.
func traces(t *testing.T) []string {
	all, err := filepath.Glob("../../../testdata/traces/*.reel")
	if err != nil || len(all) == 0 {
		t.Fatal("no traces", err)
	}
	var names []string
	for _, name := range all {
		if b := filepath.Base(name); !strings.Contains(b, "i386") && !strings.Contains(b, "arm64") {
			names = append(names, name)
		}
	}
	if more := os.Getenv("SYSREEL_TRACES"); more != "" {
		names = append(names, strings.Split(more, ",")...)
	}
	return names
}

// text replays a trace.
func text(t *testing.T, trace []byte, o replay.Options) []string {
	t.Helper()
	r, err := tracefile.NewReader(bytes.NewReader(trace), tracefile.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.PIDs, o.Column, o.Numbers = replay.AllPIDs, -1, true
	var out bytes.Buffer
	p := replay.New(o, &out)
	pass := analyze.Options{Need: analyze.NeedWorld, BlockEnd: p.Flush}
	if err := analyze.Run(t.Context(), r, pass, p.Add); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Split(out.String(), "\n")
}

// differing are the parts of lines that are not to be the same: what fcntl
// returns before its names; a number that has a name on arm64; registers.
var differing = regexp.MustCompile(`0x[0-9a-f]+ \(flags|0x10 /\* PROT_\?\?\? \*/|\|0x10\b|\|?PROT_BTI|\(PTRACE_P(?:EEK|OKE)USER, .*`)

// untwin takes back the names that calls have on i386 only.
func untwin(line string) string {
	for name, twin := range cross.Twins {
		for _, end := range []string{"(", " resumed>"} {
			line = strings.Replace(line, " "+twin+end, " "+name+end, 1)
		}
	}
	return line
}

// The tables of the architectures say the same about the same call: recordings
// of amd64, translated by the tables, have the same text.
func TestSameText(t *testing.T) {
	for _, to := range []syscalls.Arch{syscalls.ARM64, syscalls.I386} {
		for _, name := range traces(t) {
			t.Run(to.String()+"/"+filepath.Base(name), func(t *testing.T) {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				r, err := tracefile.NewReader(bytes.NewReader(data), tracefile.ReaderOptions{})
				if err != nil {
					t.Fatal(err)
				}
				var here, there bytes.Buffer
				dropped, err := cross.Rewrite(r, &here, &there, to)
				if err != nil {
					t.Fatal(err)
				}
				why := make(map[string]int)
				for _, d := range dropped {
					why[d.Err.Error()]++
					if to == syscalls.ARM64 && !errors.Is(d.Err, cross.ErrNoTwin) && !strings.HasSuffix(d.Err.Error(), "epoll_event: cut short") {
						t.Errorf("#%d: %v", d.Event, d.Err)
					}
				}
				t.Logf("not translated: %v", why)
				for _, o := range []replay.Options{
					{Names: replay.Protocols},
					{Names: replay.Paths, Format: format.Options{Verbose: true, Strings: 4096}},
				} {
					compare(t, text(t, here.Bytes(), o), text(t, there.Bytes(), o))
				}
			})
		}
	}
}

func compare(t *testing.T, here, there []string) {
	t.Helper()
	if len(here) != len(there) {
		t.Errorf("%d lines here, %d there", len(here), len(there))
	}
	wrong := 0
	for i := range min(len(here), len(there)) {
		a, b := differing.ReplaceAllString(here[i], ""), differing.ReplaceAllString(untwin(there[i]), "")
		if a != b {
			if wrong++; wrong <= 10 {
				t.Errorf("here  %s\nthere %s", a, b)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d lines differ", wrong, len(here))
	}
}
