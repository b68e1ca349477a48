package redact

import (
	"bytes"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// session feeds events of one thread to an Events as the encoder does. Its
// descriptor 3 is a socket, 4 a file, 5 its log.
type session struct {
	x     *Events
	known *world.World
}

func newSession(t *testing.T, list string) *session {
	s := &session{known: world.New()}
	s.x = NewEvents(parse(t, list), s.known)
	s.event(&tracefile.Event{Kind: tracefile.ThreadStart, Facts: &tracepb.Process{FilesKnown: true, Files: []*tracepb.OpenFile{
		{Fd: 3, Link: []byte("socket:[7]")}, {Fd: 4, Link: []byte("/etc/app.conf")}, {Fd: 5, Link: []byte("/var/log/app")},
	}}})
	return s
}

func (s *session) event(e *tracefile.Event) {
	e.Thread = tracefile.Thread{ID: 1, Process: 1, TID: 9, TGID: 9}
	s.x.Event(e)
	s.known.Apply(e)
}

const (
	read     = 0
	write1   = 1
	recvfrom = 45
)

// data makes a call with one piece of data, of which all but the last cut bytes
// were kept; it returns what is left of it.
func (s *session) data(nr uint32, fd uint64, text string, cut int, ret int64, change func(*tracefile.Event)) string {
	b := tracefile.Buf{Arg: 1, Parent: -1, Want: uint32(len(text)), Data: []byte(text[:len(text)-cut])}
	if nr != write1 {
		b.Phase = tracefile.AtExit
	}
	e := &tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.AMD64, NR: nr, Args: [6]uint64{fd, 0x1000, uint64(len(text))}, Ret: ret, Bufs: []tracefile.Buf{b}}
	if change != nil {
		change(e)
	}
	s.event(e)
	return string(e.Bufs[0].Data)
}

func (s *session) write(fd uint64, text string) string {
	return s.data(write1, fd, text, 0, int64(len(text)), nil)
}

func TestStreams(t *testing.T) {
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	const head, rest, hidden = "X: y\r\nCookie: a=b", "c=d\r\nZ: 1\r\n", "***\r\nZ: 1\r\n"

	s := newSession(t, "")
	check(s.write(3, head), "X: y\r\nCookie: ***")
	check(s.write(4, rest), rest) // elsewhere
	check(s.write(3, rest), hidden)
	check(s.write(3, rest), rest)

	// A call that failed is made again: its data is not there twice.
	s = newSession(t, "")
	s.data(write1, 3, head, 0, -11, nil)
	check(s.write(3, rest), rest)
	check(s.write(3, head), "X: y\r\nCookie: ***")
	check(s.write(3, rest), hidden)

	// Nor is that of a call in flight, which is not counted either.
	s = newSession(t, "")
	s.data(write1, 3, head, 0, 0, func(e *tracefile.Event) { e.Kind = tracefile.InFlight })
	if c := counts(s.x.Redactor); c != "" {
		t.Errorf("in flight: %s", c)
	}
	check(s.write(3, rest), rest)

	// After a part was written, or data was cut off, nobody knows.
	s = newSession(t, "")
	s.data(write1, 3, head, 0, 5, nil)
	check(s.write(3, rest), rest)
	check(s.data(write1, 3, head+"bcd", 3, int64(len(head)+3), nil), "X: y\r\nCookie: ***")
	check(s.write(3, rest), rest)

	// What was peeked at is read again.
	s = newSession(t, "")
	peek := func(e *tracefile.Event) { e.Args[3] = 2 }
	check(s.data(recvfrom, 3, head, 0, int64(len(head)), peek), "X: y\r\nCookie: ***")
	check(s.data(recvfrom, 3, rest, 0, int64(len(rest)), nil), rest)

	// Files: what is read stays, what is written goes. A key goes always, also
	// where it goes on behind what was kept.
	s = newSession(t, "")
	check(s.data(read, 4, head, 0, int64(len(head)), nil), head)
	check(s.write(5, head), "X: y\r\nCookie: ***")
	pem, more := "-----BEGIN PRIVATE KEY-----\nMIIEabcdef", strings.Repeat("QUJD", 10)
	check(s.data(read, 4, pem, 6, int64(len(pem)), nil), "-----BEGIN PRIVATE KEY-----\n****")
	check(s.data(read, 4, more, 0, int64(len(more)), nil), mark+strings.Repeat("*", 30))
	check(s.data(read, 4, "\n-----END PRIVATE KEY-----\n", 0, 27, nil), "*-----END PRIVATE KEY-----\n")
	check(s.data(read, 4, "QUJDQUJD a", 0, 10, nil), "QUJDQUJD a")
	s = newSession(t, "+files")
	check(s.data(read, 4, head, 0, int64(len(head)), nil), "X: y\r\nCookie: ***")
}

func TestFacts(t *testing.T) {
	list := func(s ...string) (all [][]byte) {
		for _, v := range s {
			all = append(all, []byte(v))
		}
		return all
	}
	p := &tracepb.Process{
		Argv: list("mysql", "-psecret"), Env: list("A_TOKEN=secret", "HOME=/"), Comm: []byte("token=secret"),
		Files: []*tracepb.OpenFile{{Fd: 1, Link: []byte("/tmp/https://me:secret@host")}},
	}
	s := newSession(t, "")
	s.event(&tracefile.Event{Kind: tracefile.Exec, Facts: p})
	h := &tracepb.Header{Target: &tracepb.Target{Command: list("prog", "--token", "secret")}}
	s.x.Header(h)
	if text := p.String() + h.String(); strings.Contains(text, "secret") || !strings.Contains(text, "HOME=/") {
		t.Error(text)
	}
	if argv := s.known.ByTGID(9).Argv; len(argv) != 2 || argv[1] != "-p******" {
		t.Errorf("the world knows %q", argv)
	}
	var total uint64
	s.x.Take(func(_ string, n uint64) { total += n })
	s.x.Take(func(rule string, n uint64) { t.Errorf("%s is counted twice", rule) })
	if total != 5 {
		t.Errorf("%d replacements, want 5", total)
	}
}

// TestExecve: arguments and environment of a call, each string a buffer.
func TestExecve(t *testing.T) {
	s := newSession(t, "")
	e := &tracefile.Event{Kind: tracefile.Syscall, Arch: syscalls.AMD64, NR: 59, Args: [6]uint64{1, 2, 3}}
	buf := func(arg, parent, off int, data string) {
		e.Bufs = append(e.Bufs, tracefile.Buf{Arg: int8(arg), Parent: int16(parent), Off: uint32(off), Want: uint32(len(data)), Data: []byte(data)})
	}
	buf(0, -1, 0, "/bin/x\x00")
	buf(1, -1, 0, string(make([]byte, 24)))
	buf(2, -1, 0, string(make([]byte, 16)))
	buf(1, 1, 0, "x\x00")
	buf(1, 1, 8, "--password\x00")
	buf(1, 1, 16, "secret\x00")
	buf(2, 2, 0, "A_SECRET=b c\x00")
	s.event(e)
	var all [][]byte
	for _, b := range e.Bufs[3:] {
		all = append(all, b.Data)
	}
	if got := string(bytes.Join(all, nil)); got != "x\x00--password\x00******\x00A_SECRET=***\x00" {
		t.Errorf("%q", got)
	}
}
