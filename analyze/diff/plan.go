package diff

import (
	"encoding/binary"
	"strconv"
	"strings"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// plan is what a call's description means to the comparison, worked out once.
type plan struct {
	desc   *syscalls.Desc
	family family
	fd     int8 // register of the descriptor the call acts on, −1 none
	words  []syscalls.Arg
	stat   *statLayout // of the structure that it fills
	paths  int         // number of arguments that are paths
	path   int8        // register of the first of them
	dir    int8        // register of the descriptor it is relative to, −1 none
	addr   bool        // an argument is a socket address given by the caller
	limit  int8        // argument that is a new resource limit
}

// statLayout says where a stat or statx structure keeps what is compared.
type statLayout struct {
	reg                  int8
	mode, size, uid, gid syscalls.Field
}

func newPlan(d *syscalls.Desc) *plan {
	pl := &plan{desc: d, fd: -1, dir: -1, limit: -1}
	name := d.Name
	pl.family = familyOf(name, d.Variant)
	for i := range d.Args {
		a := d.Args[i]
		t := a.Type
		if t == nil {
			continue
		}
		if isPath(t) {
			if pl.paths == 0 {
				pl.path = int8(a.Reg)
			}
			pl.paths++
		} else if t.Name == "dirfd" && pl.paths == 0 {
			pl.dir = int8(a.Reg)
		}
		switch {
		case t.Name == "fd":
			if pl.fd < 0 {
				pl.fd = int8(a.Reg)
			}
		case t.Kind == syscalls.Flags, t.Kind == syscalls.Enum, t.Name == "mode", t.Name == "mode16", t.Name == "signo",
			t.Name == "uid", t.Name == "gid", t.Name == "uid16", t.Name == "gid16":
			pl.words = append(pl.words, a)
		case t.Kind == syscalls.Pointer && t.Elem != nil:
			switch e := t.Elem; {
			case t.Dir != syscalls.In && e.Kind == syscalls.Struct:
				if l := newStatLayout(a.Reg, e); l != nil {
					pl.stat = l
				}
			case t.Dir == syscalls.In && e.Name == "sockaddr":
				pl.addr = true
			case t.Dir == syscalls.In && strings.HasPrefix(e.Name, "rlimit"):
				pl.limit = int8(a.Reg)
			}
		}
	}
	switch pl.family.name {
	case "stat", "fork", "readlink", "send", "recv", "read", "write", "exec", "exit":
		pl.words = nil // what varies in them is not what is done
	}
	return pl
}

func newStatLayout(reg int, t *syscalls.Type) *statLayout {
	l := &statLayout{reg: int8(reg)}
	for _, f := range t.Fields {
		switch strings.TrimPrefix(strings.TrimPrefix(f.Name, "st_"), "stx_") {
		case "mode":
			l.mode = f
		case "size":
			l.size = f
		case "uid":
			l.uid = f
		case "gid":
			l.gid = f
		}
	}
	if l.mode.Type == nil || l.size.Type == nil {
		return nil
	}
	return l
}

// descriptor returns the register of the descriptor that the call acts on, −1
// if it acts on none. An empty path stands for the directory descriptor
// (AT_EMPTY_PATH): that is how newer C libraries make fstat.
func (pl *plan) descriptor(e *tracefile.Event) int8 {
	if pl.paths == 0 {
		return pl.fd
	}
	if pl.dir >= 0 {
		if b := buffer(e, int(pl.path), tracefile.AtEnter); b != nil && len(b.Data) > 0 && b.Data[0] == 0 {
			return pl.dir
		}
	}
	return -1
}

// metadata is what stat(2) said of a file, as far as it is compared.
type metadata struct{ mode, size, uid, gid uint64 }

// stat returns the metadata that a successful call of the stat family gave.
func (pl *plan) metadata(e *tracefile.Event) (m metadata, ok bool) {
	if pl.stat == nil || e.Kind != tracefile.Syscall || e.Ret != 0 {
		return m, false
	}
	b := buffer(e, int(pl.stat.reg), tracefile.AtExit)
	if b == nil {
		return m, false
	}
	m.mode, ok = number(b.Data, pl.stat.mode)
	if !ok {
		return m, false
	}
	m.size, _ = number(b.Data, pl.stat.size)
	m.uid, _ = number(b.Data, pl.stat.uid)
	m.gid, _ = number(b.Data, pl.stat.gid)
	if m.mode&0o170000 != 0o100000 { // the size of a directory or a device says nothing
		m.size = 0
	}
	return m, true
}

// number reads a little-endian integer field of at most 8 bytes.
func number(data []byte, f syscalls.Field) (uint64, bool) {
	if f.Type == nil || f.Type.Size <= 0 || f.Type.Size > 8 || f.Off < 0 || f.Off+f.Type.Size > len(data) {
		return 0, false
	}
	var w [8]byte
	copy(w[:], data[f.Off:f.Off+f.Type.Size])
	return binary.LittleEndian.Uint64(w[:]), true
}

// buffer returns the memory that argument arg of the call leads to directly.
func buffer(e *tracefile.Event, arg int, phase tracefile.Phase) *tracefile.Buf {
	for i := range e.Bufs {
		if b := &e.Bufs[i]; b.Parent < 0 && int(b.Arg) == arg && b.Phase == phase {
			return b
		}
	}
	return nil
}

// payload returns the data that a write-like or read-like call moved, as far
// as it was kept.
func payload(e *tracefile.Event) []byte {
	var whole []byte
	for i := range e.Bufs {
		switch b := &e.Bufs[i]; {
		case b.Parent >= 0:
			if p := e.Bufs[b.Parent]; p.Parent >= 0 || p.Phase == b.Phase {
				whole = append(whole, b.Data...)
			}
		case b.Arg == 1 && len(e.Bufs) == 1:
			return b.Data
		case b.Arg == 1 && i+1 < len(e.Bufs) && e.Bufs[i+1].Parent < 0:
			return b.Data // sendto: data, then address
		}
	}
	return whole
}

// word returns the value of the flags, enumeration or mode argument of that
// name, 0 if there is none.
func (pl *plan) word(e *tracefile.Event, name string) uint64 {
	for _, a := range pl.words {
		if a.Name == name {
			return e.Args[a.Reg%6] & 0xffffffff
		}
	}
	return 0
}

// values returns the plain numbers among the arguments.
func (pl *plan) values(e *tracefile.Event) string {
	var b strings.Builder
	for _, a := range pl.desc.Args {
		if a.Type != nil && a.Type.Kind != syscalls.Flags && a.Type.Kind != syscalls.Enum && !isPath(a.Type) && a.Type.Name != "fd" && a.Type.Name != "dirfd" {
			b.WriteString(" " + a.Name + "=" + strconv.FormatUint(e.Args[a.Reg%6], 16))
		}
	}
	return b.String()
}

const sigurg = 23

// signal returns the signal number that the call sends, 0 if it sends none.
func (pl *plan) signal(e *tracefile.Event) uint64 {
	for _, a := range pl.words {
		if a.Type.Name == "signo" {
			return e.Args[a.Reg%6] & 0xffffffff
		}
	}
	return 0
}

// detail returns the flags, modes and identities that tell calls on one object
// apart.
func (pl *plan) detail(e *tracefile.Event) string {
	if pl.family.name == "open" {
		if pl.desc.Name == "creat" {
			return openWord(1 | oCreat | oTrunc)
		}
		return openWord(pl.word(e, "flags"))
	}
	var b strings.Builder
	for _, a := range pl.words {
		v := e.Args[a.Reg%6]
		if a.Type.Size == 4 || a.Type.Kind == syscalls.Enum {
			v &= 0xffffffff
		}
		if v == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.Name)
		b.WriteByte('=')
		b.WriteString(strconv.FormatUint(v, 16))
	}
	return b.String()
}

// socketError returns the error that getsockopt(SO_ERROR) reported: the
// outcome of a connect that did not wait.
func socketError(e *tracefile.Event, name string) int {
	const solSocket, soError = 1, 4 // include/uapi/asm-generic/socket.h
	if name != "getsockopt" || uint32(e.Args[1]) != solSocket || uint32(e.Args[2]) != soError || e.Ret != 0 {
		return 0
	}
	if b := buffer(e, 3, tracefile.AtExit); b != nil && len(b.Data) >= 4 {
		return int(binary.LittleEndian.Uint32(b.Data))
	}
	return 0
}
