//go:build linux && arm64

package record

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// arm32 writes a 32-bit ARM program that writes "arm" to standard output and ends
// with status 7.
func arm32(t *testing.T) string {
	code := []uint32{
		0xe3a07004, // mov r7, #4: write
		0xe3a00001, // mov r0, #1
		0xe28f1010, // add r1, pc, #16: the text
		0xe3a02004, // mov r2, #4
		0xef000000, // svc 0
		0xe3a07001, // mov r7, #1: exit
		0xe3a00007, // mov r0, #7
		0xef000000, // svc 0
		0x0a6d7261, // "arm\n"
	}
	const base, head = 0x10000, 52 + 32
	w := binary.LittleEndian
	b := append([]byte("\x7fELF\x01\x01\x01"), make([]byte, 9)...)
	for _, v := range []uint16{2 /* ET_EXEC */, 40 /* EM_ARM */} {
		b = w.AppendUint16(b, v)
	}
	for _, v := range []uint32{1, base + head, 52, 0, 0x5000000 /* EABI 5 */} {
		b = w.AppendUint32(b, v)
	}
	for _, v := range []uint16{52, 32, 1, 0, 0, 0} {
		b = w.AppendUint16(b, v)
	}
	size := uint32(head + 4*len(code))
	for _, v := range []uint32{1 /* PT_LOAD */, 0, base, base, size, size, 5 /* r-x */, 0x1000} {
		b = w.AppendUint32(b, v)
	}
	for _, v := range code {
		b = w.AppendUint32(b, v)
	}
	path := filepath.Join(t.TempDir(), "arm32")
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path).Output(); string(out) != "arm\n" {
		t.Skipf("no 32-bit programs here: %v", err) // CONFIG_COMPAT, and a processor that runs them
	}
	return path
}

// The calls of 32-bit ARM programs have no names here: they are recorded by number,
// which is said, and what other programs do is not affected.
func TestForeign(t *testing.T) {
	path := arm32(t)
	r := record(t, Options{}, "sh", "-c", path+"; echo $?")
	if r.stdout != "arm\n7\n" || !strings.Contains(r.stderr, path+" (process ") || !strings.Contains(r.stderr, "is a 32-bit ARM program: its calls are recorded by number") {
		t.Errorf("%q, %q", r.stdout, r.stderr)
	}
	var calls []uint32
	for i := range r.events {
		if e := &r.events[i]; (e.Kind == tracefile.Syscall || e.Kind == tracefile.Unfinished) && e.Arch == 0 {
			calls = append(calls, e.NR)
		}
	}
	if len(calls) != 2 || calls[0] != 4 || calls[1] != 1 || len(r.calls("write")) != 1 {
		t.Errorf("calls %d, and %d of write", calls, len(r.calls("write")))
	}
	for _, o := range []Options{{Trace: "write", Seccomp: SeccompOff}, filtered("write")} {
		r := record(t, o, "sh", "-c", path+"; echo $?")
		if got := r.lost(tracepb.Loss_UNSEEN_CALLS); r.stdout != "arm\n7\n" || len(r.calls("write")) != 1 || len(got) != 1 || !strings.Contains(r.stderr, "none of its calls are recorded") {
			t.Errorf("%+v: %q, %q, losses %v, %d calls", o, r.stdout, r.stderr, got, len(r.calls("write")))
		}
	}
}
