//go:build linux && (amd64 || arm64)

package sockdiag

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// connect returns both ends of a connection to l, which are closed at the end of the test.
func connect(t *testing.T, l net.Listener) (c, s net.Conn) {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if s, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return c, s
}

// The kernel tells of our own sockets what Go's package net does.
func TestText(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		proto := map[string]string{"127.0.0.1": "TCP", "[::1]": "TCPv6"}[host]
		t.Run(proto, func(t *testing.T) {
			l, err := net.Listen("tcp", host+":0")
			if err != nil {
				t.Skip(err) // no IPv6
			}
			defer l.Close()
			c, s := connect(t, l)
			check(t, l, proto, fmt.Sprintf("%s:[%s]", proto, l.Addr()))
			for _, c := range []net.Conn{c, s} {
				check(t, c, proto, fmt.Sprintf("%s:[%s->%s]", proto, c.LocalAddr(), c.RemoteAddr()))
			}
			if text := Text("UDP", inode(t, l)); text != "" {
				t.Errorf("as a socket of UDP: %s", text)
			}
		})
	}
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	check(t, u, "UDP", fmt.Sprintf("UDP:[%s]", u.LocalAddr()))
}

func TestTextUnix(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "sysreel-sockdiag") // short, whatever TMPDIR is
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	for _, name := range []string{path, "@sysreel " + path} {
		l, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, s := connect(t, l)
		shown := `"` + name + `"`
		if name[0] == '@' {
			shown = `@"` + name[1:] + `"`
		}
		check(t, l, "UNIX-STREAM", fmt.Sprintf("UNIX-STREAM:[%d,%s]", inode(t, l), shown))
		check(t, c, "UNIX-STREAM", fmt.Sprintf("UNIX-STREAM:[%d->%d]", inode(t, c), inode(t, s)))
		check(t, s, "UNIX-STREAM", fmt.Sprintf("UNIX-STREAM:[%d->%d,%s]", inode(t, s), inode(t, c), shown))
	}
}

// A connection that has not been accepted yet has no other end.
func TestTextUnaccepted(t *testing.T) {
	l, err := net.Listen("unix", fmt.Sprintf("@sysreel-unaccepted-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check(t, c, "UNIX-STREAM", fmt.Sprintf("UNIX-STREAM:[%d]", inode(t, c)))
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check(t, c, "UNIX-STREAM", fmt.Sprintf("UNIX-STREAM:[%d->%d]", inode(t, c), inode(t, s)))
}

// What has no address has no text, nor has what is not there.
func TestTextNone(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	for _, proto := range []string{"TCP", "TCPv6", "UDP", "UNIX", "NETLINK", "PACKET", ""} {
		if text := Text(proto, st.Ino); text != "" {
			t.Errorf("%s: %s", proto, text)
		}
	}
}

func check(t *testing.T, socket any, proto, want string) {
	t.Helper()
	if got := Text(proto, inode(t, socket)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func inode(t *testing.T, socket any) uint64 {
	t.Helper()
	raw, err := socket.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if cerr := raw.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return st.Ino
}
