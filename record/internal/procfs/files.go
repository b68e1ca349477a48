//go:build linux && (amd64 || arm64)

package procfs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// files reads the open descriptors with what is behind them.
func (r *Reader) files(pid int, p *tracepb.Process) {
	dir, err := unix.Open(r.name(pid, "fd"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Close(dir)
	p.FilesKnown = true
	var sockets map[string][]byte
	for _, fd := range numbers(r.name(pid, "fd")) {
		number := strconv.Itoa(fd)
		link := r.link(pid, "fd/"+number)
		if link == nil {
			continue
		}
		f := &tracepb.OpenFile{Fd: int32(fd), Link: link}
		for line := range bytes.Lines(r.file(pid, "fdinfo/"+number)) {
			key, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimSpace(value)
			switch string(key) {
			case "flags":
				f.Flags = uint32(parse(value, 8))
			case "pos":
				f.Pos = int64(parse(value, 10))
			}
		}
		if inode, ok := bytes.CutPrefix(link, []byte("socket:[")); ok {
			if sockets == nil {
				sockets = r.sockets(pid)
			}
			f.Socket = sockets[string(bytes.TrimSuffix(inode, []byte("]")))]
		}
		if link[0] == '/' {
			f.Device = []byte(Detail(r.name(pid, "fd/"+number), link))
		}
		p.Files = append(p.Files, f)
	}
}

// Device returns the kind and the number of the device that a path leads to, as
// "char 1:3"; "" if it is none.
func Device(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return ""
	}
	kind := ""
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		kind = "char"
	case unix.S_IFBLK:
		kind = "block"
	default:
		return ""
	}
	return fmt.Sprintf("%s %d:%d", kind, unix.Major(st.Rdev), unix.Minor(st.Rdev))
}

// ptmx is the device whose descriptors have a terminal each.
const ptmx = "char 5:2"

// Detail returns what strace -yy shows of the descriptor that path, in
// /proc/PID/fd, leads to as link: Device's text, with the terminal where it is the
// master of one, "{eventfd-count=0x1, eventfd-id=2, eventfd-semaphore=0}" or
// "signalfd:[USR1]" or "pid:1", or what a pidfd is when its process has been waited
// for, which strace does not show; "" if there is nothing to tell.
func Detail(path string, link []byte) string {
	switch {
	case string(link) == "anon_inode:[eventfd]":
		i, count := fdinfo(path), "0"
		if n := parse([]byte(i["eventfd-count"]), 16); n != 0 {
			count = "0x" + strconv.FormatUint(n, 16)
		}
		return "{eventfd-count=" + count + ", eventfd-id=" + i["eventfd-id"] + ", eventfd-semaphore=" + i["eventfd-semaphore"] + "}"
	case string(link) == "anon_inode:[signalfd]":
		return "signalfd:" + signalSet(parse([]byte(fdinfo(path)["sigmask"]), 16))
	case string(link) == "anon_inode:[pidfd]":
		text := fdinfo(path)["Pid"]
		if text == "-1" {
			return world.Reaped
		}
		if pid := parse([]byte(text), 10); pid > 0 && pid <= math.MaxInt32 {
			return world.PIDFD + strconv.FormatUint(pid, 10)
		}
		return ""
	case len(link) == 0 || link[0] != '/':
		return ""
	}
	device := Device(path)
	if device == ptmx {
		if index := fdinfo(path)["tty-index"]; index != "" {
			device += " @/dev/pts/" + index
		}
	}
	return device
}

// fdinfo reads what /proc/PID/fdinfo says of a descriptor in /proc/PID/fd.
func fdinfo(path string) map[string]string {
	dir, fd := filepath.Split(path)
	text, err := os.ReadFile(strings.TrimSuffix(dir, "/") + "info/" + fd)
	if err != nil {
		return nil
	}
	m := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		m[key] = strings.TrimSpace(value)
	}
	return m
}

// signalSet writes a set of signals as strace does.
func signalSet(mask uint64) string {
	const most = 64 * 2 / 3 // beyond that the others are told
	not := ""
	if bits.OnesCount64(mask) >= most {
		not, mask = "~", ^mask
	}
	var names []string
	for ; mask != 0; mask &= mask - 1 {
		names = append(names, strings.TrimPrefix(syscalls.SignalName(bits.TrailingZeros64(mask)+1), "SIG"))
	}
	return not + "[" + strings.Join(names, " ") + "]"
}

// sockets describes the sockets of pid's network namespace by inode.
func (r *Reader) sockets(pid int) map[string][]byte {
	all := make(map[string][]byte)
	for _, t := range []struct{ file, name string }{
		{"tcp", "TCP"}, {"tcp6", "TCPv6"}, {"udp", "UDP"}, {"udp6", "UDPv6"}, {"raw", "RAW"}, {"raw6", "RAWv6"},
	} {
		for line := range bytes.Lines(r.file(pid, "net/"+t.file)) {
			// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
			f := bytes.Fields(line)
			if len(f) < 10 {
				continue
			}
			local, ok := address(f[1])
			remote, ok2 := address(f[2])
			if !ok || !ok2 {
				continue
			}
			if remote.Port() == 0 && remote.Addr().IsUnspecified() {
				all[string(f[9])] = fmt.Appendf(nil, "%s:[%s]", t.name, local)
			} else {
				all[string(f[9])] = fmt.Appendf(nil, "%s:[%s->%s]", t.name, local, remote)
			}
		}
	}
	for line := range bytes.Lines(r.file(pid, "net/unix")) {
		// Num RefCount Protocol Flags Type St Inode [Path]
		f := bytes.SplitN(bytes.Join(bytes.Fields(line), []byte(" ")), []byte(" "), 8)
		if len(f) < 7 || string(f[6]) == "Inode" {
			continue
		}
		kind := "UNIX" // as the kernel names the protocol
		if string(f[4]) == "0001" {
			kind = "UNIX-STREAM"
		}
		text := kind + ":[" + string(f[6])
		if len(f) == 8 {
			text += `,"` + string(f[7]) + `"`
		}
		all[string(f[6])] = []byte(text + "]")
	}
	r.netlinks(pid, func(inode, text []byte) { all[string(inode)] = text })
	return all
}

// Netlink describes the netlink socket that readlink shows as link, of pid's
// network namespace: "NETLINK:[0:1234]", its protocol and address. Of a socket
// without address, and of what is none, it returns "".
func (r *Reader) Netlink(pid int, link []byte) (text string) {
	of, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return ""
	}
	of = bytes.TrimSuffix(of, []byte("]"))
	r.netlinks(pid, func(inode, described []byte) {
		if bytes.Equal(inode, of) {
			text = string(described)
		}
	})
	return text
}

// netlinks tells of the netlink sockets of pid's network namespace that have an
// address.
func (r *Reader) netlinks(pid int, tell func(inode, text []byte)) {
	for line := range bytes.Lines(r.file(pid, "net/netlink")) {
		// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
		if f := bytes.Fields(line); len(f) >= 10 && string(f[9]) != "Inode" {
			tell(f[9], fmt.Appendf(nil, "NETLINK:[%s:%s]", f[1], f[2]))
		}
	}
}

// address parses an address of /proc/net/tcp: 32-bit words of the address in
// the machine's byte order (both architectures are little-endian), and a port.
func address(b []byte) (netip.AddrPort, bool) {
	host, port, ok := bytes.Cut(b, []byte(":"))
	if !ok {
		return netip.AddrPort{}, false
	}
	raw := make([]byte, hex.DecodedLen(len(host)))
	if _, err := hex.Decode(raw, host); err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr, uint16(parse(port, 16))), true
}
