package format

import (
	"sysreel/proto/syscalls"
)

// fileMode writes st_mode: S_IFREG|0644.
func (p *printer) fileMode(v uint64) {
	p.styled(func() { p.mode(v) }, func() { p.fileModeNames(v) })
}

func (p *printer) fileModeNames(v uint64) {
	const (
		ifmt  = 0o170000 // include/uapi/linux/stat.h
		isuid = 0o4000
		isgid = 0o2000
		isvtx = 0o1000
	)
	kinds := [16]string{1: "S_IFIFO", 2: "S_IFCHR", 4: "S_IFDIR", 6: "S_IFBLK", 8: "S_IFREG", 10: "S_IFLNK", 12: "S_IFSOCK"}
	from := len(p.b)
	if v&ifmt != 0 {
		kind := kinds[v&ifmt>>12]
		if kind == "" {
			p.mode(v)
			return
		}
		p.s(kind)
		p.c('|')
	}
	for _, bit := range []struct {
		set  uint64
		name string
	}{{isuid, "S_ISUID|"}, {isgid, "S_ISGID|"}, {isvtx, "S_ISVTX|"}} {
		if v&bit.set != 0 {
			p.s(bit.name)
		}
	}
	if perm := v &^ (ifmt | isuid | isgid | isvtx); perm != 0 || len(p.b) > from {
		p.mode(perm)
		return
	}
	p.mode(0)
}

// dev writes a device number: makedev(0x8, 0x1). The encoding is that of
// new_encode_dev and huge_encode_dev in include/linux/kdev_t.h.
func (p *printer) dev(v uint64) {
	p.styled(func() { p.hex(v) }, func() { p.devNumbers(v) })
}

func (p *printer) devNumbers(v uint64) {
	major := v>>8&0xfff | v>>32&^uint64(0xfff)
	minor := v&0xff | v>>12&0xffffff00
	p.s("makedev(")
	p.hex(major)
	p.s(", ")
	p.hex(minor)
	p.c(')')
}

// dirents64 writes the buffer of getdents64, or how many entries it holds.
func dirents64(p *printer, _ *syscalls.Type, v view) {
	p.dirents(v, func(d []byte) dirent {
		return dirent{ino: load(d, 0, 8), off: load(d, 8, 8), kind: d[18], name: d[19:], at: 19}
	}, 8, 19)
}

// dirents writes the buffer of getdents, whose entries have their type in
// their last byte.
func dirents(p *printer, _ *syscalls.Type, v view) {
	w := p.arch.PtrSize()
	p.dirents(v, func(d []byte) dirent {
		return dirent{ino: load(d, 0, w), off: load(d, w, w), kind: d[len(d)-1], name: d[2*w+2 : len(d)-1], at: 2*w + 2}
	}, w, 2*w+3)
}

type dirent struct {
	ino, off uint64
	kind     byte
	name     []byte
	at       int // of the name, in the entry
}

// dirents writes entries: reclen lies behind an inode and an offset of width
// bytes; the shortest entry has least bytes.
func (p *printer) dirents(v view, parse func([]byte) dirent, width, least int) {
	n, data := 0, v.data
	var kinds *syscalls.Consts
	if p.o.Verbose {
		kinds = p.set("dirent_type")
		p.c('[')
	}
	for len(data) >= 2*width+2 {
		at := len(v.data) - len(data)
		size := int(load(data, 2*width, 2))
		if size < least || size > len(data) {
			break
		}
		if p.o.Verbose {
			if n > 0 {
				p.s(", ")
			}
			d := parse(data[:size])
			p.s("{d_ino=")
			p.udec(d.ino)
			p.s(", d_off=")
			p.dec(int64(d.off))
			p.s(", d_reclen=")
			p.udec(uint64(size))
			if width == 8 && least == 19 {
				p.s(", d_type=")
				p.consts(kinds, uint64(d.kind))
			}
			p.s(", d_name=")
			name, _ := trimNUL(d.name)
			p.path(name, false)
			p.pathContext(v, at+d.at)
			if width != 8 || least != 19 {
				p.s(", d_type=")
				p.consts(kinds, uint64(d.kind))
			}
			p.c('}')
		}
		n++
		data = data[size:]
	}
	cut := v.want > len(v.data) || len(data) > 0
	if p.o.Verbose {
		if cut {
			if n > 0 {
				p.s(", ")
			}
			p.s("...")
		}
		p.c(']')
		return
	}
	p.addr(v.addr)
	p.s(" /* ")
	p.udec(uint64(n))
	if cut {
		p.c('+')
	}
	p.s(" entries */")
}

// execve writes the arguments of execve and execveat: the environment is
// only counted unless -v is given.
func execve(p *printer) bool {
	for i := range p.d.Args {
		a := &p.d.Args[i]
		if a.Name != "envp" || p.o.Verbose {
			p.arg(i)
			continue
		}
		p.next()
		addr := p.reg(a)
		p.addr(addr)
		v, ok := p.root(a.Reg, 0)
		w := p.arch.PtrSize()
		if addr == 0 || !ok || !v.has(w) {
			continue
		}
		n, ended := 0, false
		for off := 0; off+w <= len(v.data); off += w {
			if load(v.data, off, w) == 0 {
				ended = true
				break
			}
			n++
		}
		p.s(" /* ")
		p.udec(uint64(n))
		if !ended && !v.faulted {
			p.c('+')
		}
		p.s(" var")
		if n != 1 {
			p.c('s')
		}
		if !ended && v.faulted {
			p.s(", unterminated")
		}
		p.s(" */")
	}
	return true
}

// strings writes an array of strings that ends with a NULL pointer.
func (p *printer) strings(v view) {
	w := p.arch.PtrSize()
	if !v.has(w) {
		p.lost(v)
		return
	}
	p.c('[')
	for off, n := 0, 0; ; off, n = off+w, n+1 {
		if off+w > len(v.data) {
			if n > 0 {
				p.s(", ")
			}
			p.s("...")
			if v.faulted {
				p.s(" /* ")
				p.hex(v.addr + uint64(off))
				p.s(" */")
			}
			break
		}
		addr := load(v.data, off, w)
		if addr == 0 {
			break
		}
		if n > 0 {
			p.s(", ")
		}
		if n >= p.o.Strings && !p.o.Verbose {
			p.s("...")
			break
		}
		if s, ok := p.child(v, off, 0); ok {
			p.string(&stringType, s)
		} else {
			p.hex(addr)
		}
	}
	p.c(']')
}

var stringType = syscalls.Type{Kind: syscalls.String, Name: "str"}
