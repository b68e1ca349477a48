//go:build linux && (amd64 || arm64)

package ptrace

import (
	"strconv"
	"strings"

	"sysreel/record/internal/sockdiag"
)

// sockets are the addresses of sockets, as strace -yy has them: what is once known of
// one is not asked for again.
type sockets struct {
	known map[string]string // by link
	// missed are those without an address, and the number of calls before they
	// were looked for: of those that give addresses.
	missed map[string]uint64
	calls  uint64
}

func newSockets() *sockets {
	return &sockets{known: make(map[string]string), missed: make(map[string]uint64)}
}

// addressing are the calls that give a socket an address, or a peer.
var addressing = map[string]bool{
	"bind": true, "connect": true, "listen": true, "accept": true, "accept4": true, "socketpair": true,
	"sendto": true, "sendmsg": true, "sendmmsg": true, "socketcall": true, "io_uring_enter": true,
}

// text returns what the socket behind link is connected to; "" if it is none, or has
// no address. protocol returns the kernel's name of its protocol.
func (s *sockets) text(link string, protocol func() string) string {
	number, ok := strings.CutPrefix(link, "socket:[")
	if !ok {
		return ""
	}
	if text, ok := s.known[link]; ok {
		return text
	}
	if calls, ok := s.missed[link]; ok && calls == s.calls {
		return ""
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
	if err != nil {
		return ""
	}
	if len(s.known)+len(s.missed) >= maxLinks {
		clear(s.known)
		clear(s.missed)
	}
	text := sockdiag.Text(protocol(), inode)
	switch {
	case text == "":
		s.missed[link] = s.calls
	case strings.HasPrefix(text, "UNIX") && !strings.ContainsAny(text, ">,"):
		// Whoever accepts the connection may not be followed.
	default:
		s.known[link] = text
	}
	return text
}
