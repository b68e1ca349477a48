package world

import (
	"cmp"
	"reflect"
	"strconv"
	"testing"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// names is a call that says what descriptors are.
func names(kind tracefile.Kind, cwd string, files ...*tracepb.OpenFile) *tracefile.Event {
	return &tracefile.Event{Kind: kind, Thread: tracefile.Thread{ID: 1, Process: 1, TID: 7, TGID: 7},
		Facts: &tracepb.Process{Cwd: []byte(cwd), Files: files}}
}

func is(fd int32, link string) *tracepb.OpenFile {
	return &tracepb.OpenFile{Fd: fd, Link: []byte(link)}
}

func TestNamed(t *testing.T) {
	w := ForReading()
	p := func() *Process { return w.Process(1) }
	check := func(fd int32, want string) {
		t.Helper()
		got := ""
		if f := p().File(fd); f != nil {
			got = f.Detail()
		}
		if got != want {
			t.Errorf("descriptor %d is %q, not %q", fd, got, want)
		}
	}
	w.Named(names(tracefile.Syscall, "/d", is(3, "/a"), is(4, "socket:[5]")))
	p().File(4).Proto, p().File(4).Peer = "TCP", "[::1]:80"
	check(3, "/a")
	check(4, "TCP:[5->[::1]:80]")

	// The same socket, by its number; then another one.
	w.Named(names(tracefile.Syscall, "", is(4, "socket:[6]")))
	check(4, "TCP:[6->[::1]:80]")
	for range 2 { // twice is as once
		w.Named(names(tracefile.Syscall, "", is(4, ""), is(4, "socket:[8]"), is(3, "")))
		check(4, "socket:[8]")
		check(3, "")
	}
	// Which netlink socket it is may become known later.
	w.Named(names(tracefile.Syscall, "", is(6, "socket:[9]")))
	check(6, "socket:[9]")
	for text, want := range map[string]string{"0:77": "ROUTE:77", "ROUTE:2345": "ROUTE:2345", "16": "GENERIC", "30:56": "30:56", "SOCK_DIAG": "SOCK_DIAG", "1234567": ""} {
		inode := "1" + strconv.Itoa(len(text))
		w.Named(names(tracefile.Syscall, "", is(6, ""), is(6, "socket:["+inode+"]")))
		w.Named(names(tracefile.Syscall, "", &tracepb.OpenFile{Fd: 6, Link: []byte("socket:[" + inode + "]"), Socket: []byte("NETLINK:[" + text + "]")}))
		check(6, "NETLINK:["+cmp.Or(want, inode)+"]")
		if _, known := p().File(6).Netlink(); known != (want != "") {
			t.Errorf("%s: protocol known: %v", text, known)
		}
	}
	if p().Cwd() != "/d" {
		t.Errorf("in %q", p().Cwd())
	}

	// Of a call in flight it changes nothing.
	w.Named(names(tracefile.Syscall, "", is(7, "socket:[70]")))
	flying := names(tracefile.InFlight, "/e", is(4, ""), is(4, "/b"), is(3, "/c"), is(5000, "/f"),
		&tracepb.OpenFile{Fd: 7, Link: []byte("socket:[70]"), Socket: []byte("NETLINK:[0:1]")})
	err := w.Aside(flying, func() error {
		check(4, "/b")
		check(3, "/c")
		check(7, "NETLINK:[ROUTE:1]")
		check(5000, "/f")
		if p().Cwd() != "/e" {
			t.Errorf("in %q", p().Cwd())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	w.Apply(flying)
	check(4, "socket:[8]")
	check(3, "")
	check(7, "socket:[70]")
	check(5000, "")
	if p().Cwd() != "/d" {
		t.Errorf("in %q", p().Cwd())
	}
}

func TestKnows(t *testing.T) {
	w := New()
	id := tracefile.Thread{ID: 1, Process: 1, TID: 7, TGID: 7}
	knows := func(fd int32, link string, want bool) {
		t.Helper()
		if got := w.Knows(id, fd, []byte(link)); got != want {
			t.Errorf("%d is %q: %v", fd, link, got)
		}
	}
	w.Named(names(tracefile.Syscall, "/d", is(3, "/a")))
	knows(Cwd, "/d", true)
	knows(Cwd, "/", false)
	knows(3, "/a", true)
	knows(3, "/a (deleted)", true)
	knows(3, "", false)
	knows(4, "", true)
	knows(4, "/a", false)

	// What a call has made has a number of its own, and one that readlink shows.
	w.num = 9
	w.open(w.Process(1), 5, &File{Kind: Socket, Link: numbered("socket", 9), Opened: 9}, false)
	w.Seen(id, 5, []byte("/x"))
	knows(5, "/x", false)
	w.Seen(id, 5, []byte("socket:[77]"))
	knows(5, "socket:[77]", true)
	knows(5, "socket:[78]", false)
}

func TestRefsOf(t *testing.T) {
	for name, want := range map[string]Refs{
		"read":     {FDs: []int8{0}, Polls: -1},
		"openat":   {FDs: []int8{0}, Polls: -1, Files: []PathRef{{1, 0}}},
		"chdir":    {Polls: -1, Paths: []int8{0}, Files: []PathRef{{0, -1}}},
		"ppoll":    {Polls: 0},
		"pselect6": {Polls: -1, Sets: []int8{1, 2, 3}},
		"sendmsg":  {FDs: []int8{0}, Polls: -1, Rights: true},
		"renameat": {FDs: []int8{0, 2}, Polls: -1, Files: []PathRef{{1, 0}, {3, 2}}},
		"getpid":   {Polls: -1},
		"pipe2":    {Polls: -1},
	} {
		if got := RefsOf(syscalls.ByName(syscalls.AMD64, name)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
	}
}
