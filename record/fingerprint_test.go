//go:build linux && (amd64 || arm64)

package record

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// fingerprintOf is what FORMAT.md says.
func fingerprintOf(data []byte, ret int) uint16 {
	limit := fingerprint
	if ret%4096 == 0 {
		limit = fingerprintPages
	}
	sum := crc32.Checksum(data[:min(len(data), limit)], crc32.MakeTable(crc32.Castagnoli))
	if v := uint16(sum) + uint16(sum>>16); v != 0 {
		return v
	}
	return 65535
}

// readPrints records reads.c on a file with this content and returns the
// fingerprints of its reads, from the first of more than 32 bytes of the file.
func readPrints(t *testing.T, o Options, content []byte) (prints []uint16, r recording) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	r = record(t, o, prog(t, "reads"), file)
	if r.status != 0 || r.stdout != "ok\n" {
		t.Fatalf("status %d: %s%s", r.status, r.stdout, r.stderr)
	}
	opened := false
	for i := range r.events {
		e := &r.events[i]
		if e.Kind != tracefile.Syscall {
			continue
		}
		switch name := syscalls.Lookup(e.Arch, e.NR).Name; name {
		case "openat", "open":
			opened = opened || len(e.Bufs) > 0 && bytes.HasPrefix(e.Bufs[0].Data, []byte(file))
		case "read", "pread64", "readv", "preadv":
			if opened {
				prints = append(prints, e.Fingerprint)
			}
		default:
			if e.Fingerprint != 0 {
				t.Errorf("#%d %s has a fingerprint", e.Num, name)
			}
		}
	}
	return prints, r
}

func TestFingerprints(t *testing.T) {
	content := make([]byte, 300_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(rng.Uint32())
	}
	got, r := readPrints(t, Options{}, content)
	want := []uint16{
		fingerprintOf(content, len(content)), fingerprintOf(content[100:5100], 5000),
		fingerprintOf(content[:7010], 7010), fingerprintOf(content[7:7017], 7010),
		0, fingerprintOf(content[:8192], 8192), // kept whole; by another descriptor
		0, 0, 0, 0, // a pipe, a device twice, the kernel's
	}
	if !slices.Equal(got, want) {
		t.Errorf("fingerprints %v, want %v", got, want)
	}
	if p := r.header.Policy; p.Fingerprint != fingerprint || p.FingerprintPages != fingerprintPages {
		t.Errorf("the header says %d and %d", p.Fingerprint, p.FingerprintPages)
	}
	// One bit far behind what is kept changes those that cover it and no other.
	content[6000] ^= 4
	changed, _ := readPrints(t, Options{}, content)
	for i, differs := range []bool{true, false, true, true, false, true, false, false, false, false} {
		if (changed[i] != got[i]) != differs {
			t.Errorf("read %d: fingerprints %d and %d", i, got[i], changed[i])
		}
	}
}

// Some data has none.
func TestNoFingerprints(t *testing.T) {
	text := bytes.Repeat([]byte("what is in here is nobody's business\n"), 300)
	key := bytes.Clone(text)
	copy(key[4090:], "-----BEGIN OPENSSH PRIVATE KEY-----\n")
	early := bytes.Clone(text)
	copy(early, "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA")
	for _, c := range []struct {
		name    string
		o       Options
		content []byte
		none    bool
	}{
		{"text", Options{}, text, false},
		{"text and no rules", Options{Redact: "off"}, text, false},
		{"a key", Options{}, key, true},
		{"a key at the beginning", Options{}, early, true},
		{"not wanted", Options{NoFingerprints: true}, text, true},
		{"no data wanted", Options{Snap: -1}, text, true},
		{"an expression of the user's", Options{Redact: "/hunter2/"}, text, true},
		{"secrets in files", Options{Redact: "+files"}, text, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			prints, r := readPrints(t, c.o, c.content)
			if none := !slices.ContainsFunc(prints[:1], func(p uint16) bool { return p != 0 }); none != c.none {
				t.Errorf("fingerprints %v", prints)
			}
			if c.name != "a key" && c.name != "a key at the beginning" && (r.header.Policy.Fingerprint == 0) != c.none {
				t.Errorf("the header says %d", r.header.Policy.Fingerprint)
			}
		})
	}
}
