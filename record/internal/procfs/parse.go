//go:build linux && (amd64 || arm64)

package procfs

import (
	"bytes"
	"strconv"

	"sysreel/proto/tracepb"
)

// status takes credentials and the like from /proc/PID/status.
func status(b []byte, p *tracepb.Process) {
	if b == nil {
		return
	}
	c := &tracepb.Credentials{}
	for line := range bytes.Lines(b) {
		key, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			continue
		}
		f := bytes.Fields(value)
		if len(f) == 0 {
			continue
		}
		switch string(key) {
		case "Name":
			p.Comm = bytes.Clone(bytes.TrimSpace(value))
		case "Umask":
			p.Umask = uint32(parse(f[0], 8))
		case "PPid":
			p.Ppid = int32(parse(f[0], 10))
		case "Uid":
			four(f, &c.Uid, &c.Euid, &c.Suid, &c.Fsuid)
		case "Gid":
			four(f, &c.Gid, &c.Egid, &c.Sgid, &c.Fsgid)
		case "Groups":
			for _, g := range f {
				c.Groups = append(c.Groups, uint32(parse(g, 10)))
			}
		case "CapEff":
			c.CapEffective = parse(f[0], 16)
		case "NoNewPrivs":
			c.NoNewPrivs = parse(f[0], 10) != 0
		case "Seccomp":
			c.Seccomp = uint32(parse(f[0], 10))
		}
	}
	p.Credentials = c
}

func four(f [][]byte, into ...*uint32) {
	for i, v := range into {
		if i < len(f) {
			*v = uint32(parse(f[i], 10))
		}
	}
}

func parse(b []byte, base int) uint64 {
	v, _ := strconv.ParseUint(string(b), base, 64)
	return v
}

// stat takes what only /proc/PID/stat has. Its second field, the command in
// parentheses, may hold anything.
func stat(b []byte, p *tracepb.Process) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return
	}
	f := bytes.Fields(b[i+1:]) // f[0] is field 3
	if len(f) < 20 {
		return
	}
	p.Pgid = int32(parse(f[5-3], 10))
	p.Sid = int32(parse(f[6-3], 10))
	p.StartTicks = parse(f[22-3], 10)
}

// limits parses /proc/PID/limits, whose columns are aligned and whose names
// have spaces.
func limits(b []byte) []*tracepb.Limit {
	names := map[string]string{
		"Max cpu time": "CPU", "Max file size": "FSIZE", "Max data size": "DATA", "Max stack size": "STACK",
		"Max core file size": "CORE", "Max resident set": "RSS", "Max processes": "NPROC",
		"Max open files": "NOFILE", "Max locked memory": "MEMLOCK", "Max address space": "AS",
		"Max file locks": "LOCKS", "Max pending signals": "SIGPENDING", "Max msgqueue size": "MSGQUEUE",
		"Max nice priority": "NICE", "Max realtime priority": "RTPRIO", "Max realtime timeout": "RTTIME",
	}
	var all []*tracepb.Limit
	for line := range bytes.Lines(b) {
		if len(line) < 26 {
			continue
		}
		name := names[string(bytes.TrimSpace(line[:26]))]
		f := bytes.Fields(line[26:])
		if name == "" || len(f) < 2 {
			continue
		}
		all = append(all, &tracepb.Limit{Name: name, Soft: amount(f[0]), Hard: amount(f[1])})
	}
	return all
}

func amount(b []byte) uint64 {
	if string(b) == "unlimited" {
		return 1<<64 - 1
	}
	return parse(b, 10)
}

// cgroup returns the path of the unified hierarchy, or the whole file where
// there are others.
func cgroup(b []byte) []byte {
	if rest, ok := bytes.CutPrefix(b, []byte("0::")); ok && bytes.Count(b, []byte("\n")) == 1 {
		return bytes.Clone(bytes.TrimSuffix(rest, []byte("\n")))
	}
	return bytes.Clone(b)
}

// Mapping returns where the first memory is that is mapped of a file of that name;
// no bytes: there is none.
func (r *Reader) Mapping(pid int, name []byte) (addr, size uint64) {
	for line := range bytes.Lines(r.file(pid, "maps")) {
		span, rest, _ := bytes.Cut(line, []byte(" "))
		for range 4 { // permissions, offset, device, inode
			_, rest, _ = bytes.Cut(rest, []byte(" "))
		}
		if !bytes.Equal(bytes.TrimSpace(rest), name) {
			continue
		}
		low, high, _ := bytes.Cut(span, []byte("-"))
		addr = parse(low, 16)
		return addr, parse(high, 16) - addr
	}
	return 0, 0
}

// maps summarises /proc/PID/maps.
func maps(b []byte) *tracepb.Maps {
	if b == nil {
		return nil
	}
	m := &tracepb.Maps{}
	var last []byte
	seen := make(map[string]bool)
	for line := range bytes.Lines(b) {
		// 7f0c1000-7f0c2000 r-xp 00000000 08:02 173521  /usr/lib/x.so
		span, rest, _ := bytes.Cut(line, []byte(" "))
		low, high, ok := bytes.Cut(span, []byte("-"))
		if !ok {
			continue
		}
		m.Count++
		m.Bytes += parse(high, 16) - parse(low, 16)
		i := bytes.IndexByte(rest, '/')
		if i < 0 {
			continue
		}
		name := bytes.TrimSuffix(rest[i:], []byte("\n"))
		if bytes.Equal(name, last) || seen[string(name)] {
			continue
		}
		last = name
		seen[string(name)] = true
		m.Files = append(m.Files, bytes.Clone(name))
	}
	return m
}
