package world

import (
	"strconv"
	"strings"

	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// FileKind is what a descriptor stands for.
type FileKind uint8

const (
	Other  FileKind = iota // a kernel object with a name of its own, or not known
	Named                  // something with a path: file, directory, device
	Socket                 // Proto, Local and Peer tell more
	Pipe
	Anon  // anon_inode: eventfd, epoll, timerfd, …
	Memfd // memfd_create
)

// File is an open file description: what a descriptor stands for, shared by the
// descriptors that dup, fork or SCM_RIGHTS made of it. Only the addresses of a
// socket change, as calls tell them; what is opened anew is a new File.
type File struct {
	Kind FileKind
	// Path is absolute if the working directory was known; Kind Named only.
	Path string
	// Link is what readlink of /proc/PID/fd/N shows, where a snapshot told it,
	// and otherwise in its form, with the number of the event that made the
	// object in place of the inode: "pipe:[#42]".
	Link  string
	Flags uint32 // of open(2), as known
	// Sockets. Proto is "TCP", "UDPv6", "UNIX-STREAM", … as strace -yy has it.
	Proto       string
	Local, Peer string
	Opened      uint64 // number of the event that made it; 0: before recording
	PID         int32  // of a pidfd; -1: it has been waited for, where that was asked for
	Device      string // of a device, where it was asked for: "char 1:3"; and of an eventfd or signalfd

	object uint64 // pipes and socket pairs: both ends have the same; 0 unknown
	seen   string // what readlink shows in place of Link, where that is numbered
	text   *socketText
}

// socketText is the text of a socket as long as these are as they were.
type socketText struct{ proto, local, peer, link, text string }

// Stored reports whether f holds a file's content, as far as its name tells:
// no device, and nothing that the kernel makes up. f may be nil.
func (f *File) Stored() bool { return f != nil && f.Kind == Named && StoredAt(f.Path) }

// StoredAt reports whether the link of a descriptor names a file with content of
// its own, as far as the name tells.
func StoredAt(link string) bool {
	for _, dir := range [...]string{"/dev/", "/proc/", "/sys/"} {
		if strings.HasPrefix(link, dir) {
			return strings.HasPrefix(link, "/dev/shm/") // a tmpfs
		}
	}
	return strings.HasPrefix(link, "/")
}

// Terminal reports whether f is a terminal of the kernel's own majors, by its
// number where that was asked for, else by its name
// (Documentation/admin-guide/devices.txt). f may be nil.
func (f *File) Terminal() bool {
	if f == nil || f.Kind != Named {
		return false
	}
	if major, ok := strings.CutPrefix(f.Device, "char "); ok {
		major, _, _ = strings.Cut(major, ":")
		n, err := strconv.Atoi(major)
		return err == nil && (n >= 3 && n <= 5 || n >= 136 && n <= 143) // old and new pairs, consoles, serial lines
	}
	switch f.Path {
	case "/dev/ptmx", "/dev/console", "/dev/tty":
		return true
	}
	number, ok := strings.CutPrefix(f.Path, "/dev/tty")
	if ok {
		number = strings.TrimPrefix(number, "S")
	} else if number, ok = strings.CutPrefix(f.Path, "/dev/pts/"); !ok || number == "ptmx" {
		return ok
	}
	_, err := strconv.ParseUint(number, 10, 32)
	return err == nil
}

// Name returns what strace -y prints between < and >.
func (f *File) Name() string {
	if f.Kind == Named {
		return f.Path
	}
	return f.Link
}

// Detail returns what strace -yy prints between < and >: for sockets protocol
// and addresses, else as Name.
func (f *File) Detail() string {
	if f.Kind != Socket || f.Proto == "" {
		return f.Name()
	}
	if t := f.text; t == nil || t.proto != f.Proto || t.local != f.Local || t.peer != f.Peer || t.link != f.Link {
		f.text = &socketText{f.Proto, f.Local, f.Peer, f.Link, f.socketText()}
	}
	return f.text.text
}

func (f *File) socketText() string {
	if f.Proto == "" {
		return ""
	}
	inode := strings.TrimSuffix(strings.TrimPrefix(f.Link, "socket:["), "]")
	var b strings.Builder
	b.WriteString(f.Proto)
	b.WriteString(":[")
	switch {
	case f.Local == "" && f.Peer == "":
		b.WriteString(inode)
	case strings.HasPrefix(f.Proto, "UNIX"):
		b.WriteString(inode)
		if f.Peer != "" {
			b.WriteString("->")
			b.WriteString(quoteUnix(f.Peer))
		}
		if f.Local != "" {
			b.WriteByte(',')
			b.WriteString(quoteUnix(f.Local))
		}
	default:
		if f.Local == "" {
			b.WriteString(inode)
		}
		b.WriteString(f.Local)
		if f.Peer != "" && f.Proto != "NETLINK" {
			b.WriteString("->")
			b.WriteString(f.Peer)
		}
	}
	b.WriteByte(']')
	return b.String()
}

func quoteUnix(s string) string {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return s // an inode
	}
	if name, ok := strings.CutPrefix(s, "@"); ok { // abstract
		return `@"` + name + `"`
	}
	return `"` + s + `"`
}

// unquoteUnix is the inverse of quoteUnix.
func unquoteUnix(s string) string {
	if name, ok := strings.CutPrefix(s, `@"`); ok {
		return "@" + strings.TrimSuffix(name, `"`)
	}
	return strings.Trim(s, `"`)
}

// setSocketText is the inverse of socketText.
func (f *File) setSocketText(s string) {
	proto, body, ok := strings.Cut(s, ":[")
	if !ok {
		return
	}
	f.Proto = proto
	body = strings.TrimSuffix(body, "]")
	if strings.HasPrefix(proto, "UNIX") {
		body, local, bound := strings.Cut(body, ",")
		if bound {
			f.Local = unquoteUnix(local)
		}
		if _, peer, ok := strings.Cut(body, "->"); ok {
			f.Peer = unquoteUnix(peer)
		}
		return
	}
	if proto == "NETLINK" {
		f.setNetlink(body)
		return
	}
	local, peer, _ := strings.Cut(body, "->")
	if strings.IndexByte(local, ':') >= 0 {
		f.Local = local
	}
	f.Peer = peer
}

// fileFromLink makes a File of a /proc/PID/fd link.
func fileFromLink(link string, flags uint32, socket string) *File {
	f := &File{Link: link, Flags: flags}
	switch {
	case strings.HasPrefix(link, "/memfd:"):
		f.Kind = Memfd
	case strings.HasPrefix(link, "/"):
		f.Kind, f.Path = Named, link
	case strings.HasPrefix(link, "socket:["):
		f.Kind = Socket
		f.setSocketText(socket)
	case strings.HasPrefix(link, "pipe:["):
		f.Kind = Pipe
	case strings.HasPrefix(link, "anon_inode:"):
		f.Kind = Anon
	}
	return f
}

// connected takes over what a snapshot tells of the addresses of a socket.
func (f *File) connected(now *File) {
	if now.Kind == Socket && now.Proto != "" {
		f.Proto, f.Local, f.Peer = now.Proto, now.Local, now.Peer
	}
}

func numbered(class string, num uint64) string {
	return class + ":[#" + strconv.FormatUint(num, 10) + "]"
}

// table is a descriptor table. Processes share one after clone(CLONE_FILES).
type table struct {
	owner  tracefile.ProcessID // under which its files appear in a Context
	refs   int
	near   []slot          // descriptors below maxNear
	far    map[int32]*slot // the others
	origin *table          // it is a copy of, made during block born
	born   uint32
}

// slot is a descriptor.
type slot struct {
	file    *File
	set     int64  // when the call that filled it returned
	block   uint32 // last block in whose context it is
	cloexec bool
}

const maxNear = 4096

func (t *table) slot(fd int32) *slot {
	if uint32(fd) < uint32(len(t.near)) {
		return &t.near[fd]
	}
	if fd < maxNear {
		return nil
	}
	return t.far[fd]
}

// grow returns the slot of fd, made if need be; nil if fd is negative.
func (t *table) grow(fd int32) *slot {
	if s := t.slot(fd); s != nil || fd < 0 {
		return s
	}
	if fd < maxNear {
		n := max(16, len(t.near))
		for n <= int(fd) {
			n *= 2
		}
		near := make([]slot, n)
		copy(near, t.near)
		t.near = near
		return &t.near[fd]
	}
	if t.far == nil {
		t.far = make(map[int32]*slot)
	}
	s := &slot{}
	t.far[fd] = s
	return s
}

// each calls fn with every open descriptor.
func (t *table) each(fn func(fd int32, s *slot)) {
	for i := range t.near {
		if t.near[i].file != nil {
			fn(int32(i), &t.near[i])
		}
	}
	for fd, s := range t.far {
		if s.file != nil {
			fn(fd, s)
		}
	}
}

func (t *table) release() { t.refs-- }

// fork returns a copy for another process, made during a block; block is 0 where
// no context is noted.
func (t *table) fork(owner tracefile.ProcessID, block uint32) *table {
	c := &table{owner: owner, refs: 1, born: block}
	if block != 0 {
		c.origin = t
	}
	if t.born != block {
		t.origin = nil // of no more use: let it be collected
	}
	c.near = append([]slot(nil), t.near...)
	for fd, s := range t.far {
		if s.file != nil {
			own := *s
			if c.far == nil {
				c.far = make(map[int32]*slot, len(t.far))
			}
			c.far[fd] = &own
		}
	}
	return c
}

// exec returns the table after execve(2): unshared, without what was marked
// close-on-exec.
func (t *table) exec(owner tracefile.ProcessID, block uint32) *table {
	c := t.fork(owner, block)
	t.release()
	c.each(func(_ int32, s *slot) {
		if s.cloexec {
			*s = slot{block: s.block}
		}
	})
	return c
}

// File returns what the descriptor stands for, or nil if not known.
func (p *Process) File(fd int32) *File {
	if s := p.files.slot(fd); s != nil {
		return s.file
	}
	return nil
}

// CloseOnExec reports the descriptor's close-on-exec flag as known.
func (p *Process) CloseOnExec(fd int32) bool {
	s := p.files.slot(fd)
	return s != nil && s.cloexec
}

// Files calls fn with every descriptor known to be open, in no order.
func (p *Process) Files(fn func(fd int32, f *File)) {
	p.files.each(func(fd int32, s *slot) { fn(fd, s.file) })
}

// open makes fd stand for f.
func (w *World) open(p *Process, fd int32, f *File, cloexec bool) {
	w.touch(p.files, fd)
	if s := p.files.grow(fd); s != nil {
		*s = slot{file: f, set: w.time, block: w.block, cloexec: cloexec}
	}
}

// close takes fd away, unless another thread's call has filled the descriptor
// anew while this one, begun at start, was on its way out.
func (w *World) close(p *Process, fd int32, start int64) {
	if s := p.files.slot(fd); s != nil && s.file != nil && s.set <= start {
		*s = slot{block: s.block}
	}
}

// snapshotFiles replaces the descriptors of p. Files that are the same as
// before stay the same, with what is known of them.
func (w *World) snapshotFiles(p *Process, files []*tracepb.OpenFile) {
	old := p.files
	t := &table{owner: p.ID, refs: 1, origin: old, born: w.block}
	if !w.tracking {
		t.origin = nil
	}
	seen := make(map[string]*File, len(files))
	for _, o := range files {
		s := t.grow(o.Fd)
		if s == nil {
			continue
		}
		link := string(o.Link)
		f := seen[link]
		if f == nil {
			f = FileOf(o)
			if was := old.slot(o.Fd); was != nil && was.file != nil && f.Kind == was.file.Kind {
				f.keep(was.file)
			}
			if f.Kind != Named { // one path may be open many times over
				seen[link] = f
			}
		}
		*s = slot{file: f, set: w.time, block: w.block, cloexec: o.Flags&oCloexec != 0}
	}
	old.release()
	p.files = t
}

// keep takes over from what was known before what a snapshot does not tell.
func (f *File) keep(was *File) {
	f.Opened, f.object, f.PID = was.Opened, was.object, was.PID
	if f.Kind == Socket {
		if f.Proto == "" {
			f.Proto = was.Proto
		}
		if f.Local == "" {
			f.Local = was.Local
		}
		if f.Peer == "" {
			f.Peer = was.Peer
		}
	}
}
