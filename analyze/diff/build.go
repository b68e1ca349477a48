package diff

import (
	"hash/maphash"
	"strings"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// builder turns the events of a trace into a run.
type builder struct {
	run     *run
	syms    *symbols
	rules   ruleSet
	names   *names
	seed    maphash.Seed
	text    *format.Formatter
	plans   map[*syscalls.Desc]*plan
	procs   map[tracefile.ProcessID]*proc
	threads map[tracefile.ThreadID]*thread
	paths   []string             // of the call being added
	heard   map[*world.File]bool // connections from which something was read
	prints  bool                 // fingerprints of reads are compared
	reading map[*world.File]*listing
}

func newBuilder(name string, syms *symbols, seed maphash.Seed, rs ruleSet, roots []root) *builder {
	n := newNames(rs, roots)
	return &builder{
		run:     &run{name: name, errnos: map[string]int{}, written: map[string]bool{}, made: map[string]bool{}, canon: n.text},
		syms:    syms,
		rules:   rs,
		names:   n,
		seed:    seed,
		text:    format.New(format.Options{Strings: 256}),
		plans:   map[*syscalls.Desc]*plan{},
		procs:   map[tracefile.ProcessID]*proc{},
		threads: map[tracefile.ThreadID]*thread{},
		heard:   map[*world.File]bool{},
		reading: map[*world.File]*listing{},
	}
}

// add takes an event into account.
func (b *builder) add(c *analyze.Call) {
	r, e := b.run, c.Event
	if r.events == 0 {
		r.first = e.Start
	}
	r.events++
	r.first, r.last = min(r.first, e.Start), max(r.last, e.End)
	t := b.thread(e)
	if t.end != 0 {
		t.gap = max(t.gap, e.Start-t.end)
	}
	t.end = max(t.end, e.End)
	switch e.Kind {
	case tracefile.Syscall, tracefile.Unfinished, tracefile.InFlight:
		b.call(t, c)
	case tracefile.Signal:
		b.signal(t.proc, e)
	case tracefile.ThreadStart:
		b.threadStart(t, e)
	case tracefile.Exec:
		b.exec(t, e)
	case tracefile.ThreadExit:
		t.proc.cpu = int64(e.Args[2])
		for p := t.proc; p != nil && e.Args[0] == 1; p = p.was {
			p.ended, p.end, p.endEvent, p.status = true, e.End, e.Num, int32(e.Ret)
			p.known = tracefile.ExitHow(e.Args[1]) == tracefile.ExitWaited
		}
	}
}

func (b *builder) thread(e *tracefile.Event) *thread {
	if t := b.threads[e.Thread.ID]; t != nil {
		return t
	}
	p := b.procs[e.Thread.Process]
	if p == nil {
		p = b.process(e)
	}
	return b.newThread(p, e)
}

func (b *builder) process(e *tracefile.Event) *proc {
	p := &proc{run: b.run, id: e.Thread.Process, pid: e.Thread.TGID, born: e.Num, start: e.Start,
		uses: map[symbol]*use{}, seen: map[symbol]int32{}}
	b.procs[p.id] = p
	b.run.procs = append(b.run.procs, p)
	return p
}

func (b *builder) newThread(p *proc, e *tracefile.Event) *thread {
	t := &thread{proc: p, id: e.Thread.ID, tid: e.Thread.TID, start: e.Start}
	p.threads = append(p.threads, t)
	b.threads[t.id] = t
	b.names.addPID(int(e.Thread.TID))
	b.names.addPID(int(e.Thread.TGID))
	return t
}

func (b *builder) threadStart(t *thread, e *tracefile.Event) {
	p := t.proc
	if creator := b.threads[tracefile.ThreadID(e.Args[1])]; creator != nil && creator.proc != p && p.parent == nil {
		p.parent = creator.proc
		p.parent.children = append(p.parent.children, p)
		p.comm = p.parent.comm
	}
	switch {
	case tracefile.StartHow(e.Args[0]) == tracefile.StartLaunch:
		// Of a launch the facts are those of the recorder's stub, and so is
		// an exec before it.
		p.execs = nil
		return
	case e.Facts == nil:
		return
	}
	if leader := e.Thread.TID == e.Thread.TGID; len(e.Facts.Comm) > 0 && (leader || p.comm == "") {
		p.comm = string(e.Facts.Comm) // the leader's name is the process's
	}
	if p.facts != nil {
		return // the name of one more thread of an attached process
	}
	p.facts = e.Facts
	if p.parent == nil && len(p.execs) == 0 {
		b.execution(p, e)
	}
}

// exec takes note of a program that the process runs from now on.
func (b *builder) exec(t *thread, e *tracefile.Event) {
	p := t.proc
	if len(p.execs) > 0 {
		old := p
		p = b.process(e)
		p.was, p.parent, p.comm, p.facts = old, old, old.comm, old.facts
		old.next, old.end = p, e.End
		old.children = append(old.children, p)
		b.newThread(p, e)
	}
	if e.Facts != nil {
		p.facts = e.Facts
		p.comm = string(e.Facts.Comm)
	}
	b.execution(p, e)
}

func (b *builder) execution(p *proc, e *tracefile.Event) {
	x := execution{event: e.Num, facts: e.Facts}
	if f := e.Facts; f != nil {
		x.path = string(f.Exe)
		for _, a := range f.Argv {
			x.argv = append(x.argv, string(a))
		}
		x.name = b.names.path(x.path)
		x.args = b.names.text(strings.Join(x.argv, " "))
	}
	p.execs = append(p.execs, x)
}

// call adds a system call.
func (b *builder) call(t *thread, c *analyze.Call) {
	e, d := c.Event, c.Desc
	if was := t.proc.was; was != nil && t.last.event == 0 && d != nil && familyOf(d.Name, "").name == "exec" {
		t = was.threads[0] // the execve returns, but it was the old program that made it
	}
	p := t.proc
	dur := e.End - e.Start
	t.busy += dur
	if d == nil {
		return
	}
	if v := d.Select(&e.Args); v != nil {
		d = v
	}
	pl := b.plans[d]
	if pl == nil {
		pl = newPlan(d)
		b.plans[d] = pl
	}
	fam := pl.family
	var errno string
	if n := e.Errno(); n != 0 {
		errno = syscalls.ErrnoName(n)
	}
	b.creates(c, pl)
	object := b.object(c, pl)
	b.makes(pl, e, object)
	if n := socketError(e, d.Name); n != 0 {
		fam, errno = family{"connect", effect}, syscalls.ErrnoName(n)
	} else if fam.name == "connect" && b.rules.on(ruleRetry) && (errno == "EINPROGRESS" || errno == "EALREADY" || errno == "EISCONN") {
		errno = ""
	}
	if !b.rules.on(ruleFamily) {
		fam.name = d.Name
	}
	f := form{Name: d.Name, Family: fam.name, Object: object, Result: errno, Class: fam.class}
	key := b.syms.key(&f)
	u := p.uses[key]
	if u == nil {
		u = &use{first: e.Num}
		p.uses[key] = u
	}
	u.add(e, dur, errno != "")
	restarted := e.Flags&tracefile.Restarted != 0
	unfinished := c.AtLeast() && !d.NoReturn
	t.last = lastCall{event: e.Num, name: d.Name, sym: key, object: object, start: e.Start, end: e.End, unfinished: unfinished || restarted}
	if restarted && b.rules.on(ruleRestart) || unfinished {
		return
	}
	if errno != "" {
		b.run.errnos[errno]++
		if b.rules.on(ruleRetry) && !notable(fam, d.Name, errno) {
			return
		}
	} else {
		b.succeeded(t, e, pl, object)
		if fam.name == "list" && pl.fd >= 0 {
			b.list(p, c, c.Process.File(int32(e.Args[pl.fd])), object)
		}
		wakeup := fam.class == stream && strings.HasPrefix(object, "anon_inode:") // eventfd, timerfd
		if fam.class == wait || (fam.class == quiet || wakeup) && b.rules.on(ruleQuiet) {
			return
		}
	}
	if fam.class == effect || errno != "" {
		f.Detail = pl.detail(e)
	}
	if !b.rules.on(ruleValue) {
		f.Detail += pl.values(e)
	}
	switch {
	case fam.name == "exit":
		f.Object, f.Detail, f.Result = "", "", exitWord(e.Args[0])
		if d.Name == "exit" && len(p.threads) > 1 {
			return // a thread's end, not the process's
		}
	case fam.name == "exec":
		f.Detail = ""
	case fam.name == "kill" && pl.signal(e) == sigurg:
		return // how Go's scheduler pre-empts a thread
	case fam.name == "kill":
		f.Object = b.target(p, e, d)
	case pl.limit >= 0 && e.Args[pl.limit] != 0:
		f.Detail += " " + b.argument(d, e, int(pl.limit))
	}
	if fam.name == "exec" && p.tried == "" {
		p.tried = base(object)
	}
	sym := b.syms.intern(f)
	p.seen[sym]++
	t.steps = append(t.steps, step{sym: sym, attr: b.attr(c, pl, object, &f), num: uint32(e.Num), dur: float32(dur)})
}

func exitWord(code uint64) string {
	if code&0xff == 0 {
		return ""
	}
	return "status " + itoa(int(code&0xff))
}

// creates notes names that the call makes exclusively, before it is named
// itself.
func (b *builder) creates(c *analyze.Call, pl *plan) {
	var private uint64
	switch flags := pl.word(c.Event, "flags"); {
	case pl.family.name == "open" && flags&oExcl != 0 && flags&oCreat != 0:
		private = 0o600
	case pl.family.name == "mkdir":
		private = 0o700
	case pl.family.name == "symlink" || pl.family.name == "link" || pl.family.name == "mknod":
	default:
		return
	}
	paths := c.Paths()
	if n := min(pl.paths, len(paths)); n > 0 {
		b.names.created(paths[n-1], private != 0 && pl.word(c.Event, "mode")&0o777 == private)
	}
}

// succeeded notes what a successful call tells about files and messages.
func (b *builder) succeeded(t *thread, e *tracefile.Event, pl *plan, object string) {
	switch pl.family.name {
	case "open":
		if pl.word(e, "flags")&oTrunc != 0 || pl.desc.Name == "creat" {
			b.write(object)
		}
	case "rename", "truncate", "link", "symlink", "chmod", "chown", "bind", "unlink", "utimes":
		for _, p := range b.paths {
			b.write(b.names.path(p))
		}
		b.write(object)
	case "write", "send":
		if strings.HasPrefix(object, "/") {
			b.write(object)
		}
		b.message(t, e, object)
	case "copy":
		b.write(object)
	case "kill":
		if signo := pl.signal(e); signo != 0 && len(b.run.kills) < maxKills {
			b.run.kills = append(b.run.kills, kill{e.Num, t.proc, int32(e.Args[0]), int(signo)})
		}
	}
}

// write notes that the run itself changed a file.
func (b *builder) write(object string) {
	if object != "" && len(b.run.written) < maxCachedNames {
		b.run.written[object] = true
	}
}

// object names what the call acts on and leaves its path arguments in b.paths.
func (b *builder) object(c *analyze.Call, pl *plan) string {
	b.paths = b.paths[:0]
	at := pl.descriptor(c.Event)
	if pl.paths > 0 && at < 0 {
		all := c.Paths()
		b.paths = append(b.paths, all[:min(pl.paths, len(all))]...)
	}
	if pl.family.class == quiet && !c.Failed() && c.Name != "getsockopt" {
		return ""
	}
	switch len(b.paths) {
	case 0:
	case 1:
		return b.names.path(b.paths[0])
	default:
		return b.names.path(b.paths[0]) + " -> " + b.names.path(b.paths[1])
	}
	if at < 0 {
		return ""
	}
	fd := int32(c.Args[at])
	if pl.addr && pl.family.class == effect {
		if peer := c.Peer(); peer != "" {
			proto := "socket"
			if f := c.Process.File(fd); f != nil && f.Proto != "" {
				proto = f.Proto
			}
			if strings.HasPrefix(proto, "UNIX") || strings.HasPrefix(peer, "/") {
				return proto + " " + b.names.path(peer)
			}
			return proto + " " + b.port(peer)
		}
	}
	return b.file(c.Process, fd)
}

// file names what a descriptor stands for.
func (b *builder) file(p *world.Process, fd int32) string {
	std := fd >= 0 && fd <= 2
	f := p.File(fd)
	if f == nil || std && (f.Kind != world.Named || f.Opened == 0) {
		if std {
			return [...]string{"stdin", "stdout", "stderr"}[fd]
		}
		if b.rules.on(ruleFD) {
			return "fd"
		}
		return "fd " + itoa(int(fd))
	}
	if !b.rules.on(ruleFD) {
		return "fd " + itoa(int(fd))
	}
	if !b.rules.on(ruleInode) && f.Kind != world.Named {
		return f.Link
	}
	switch f.Kind {
	case world.Named:
		return b.names.path(f.Path)
	case world.Pipe:
		return "pipe"
	case world.Memfd:
		return "memfd"
	case world.Socket:
		return b.socket(f)
	}
	return b.names.text(f.Link)
}

// socket names a socket: by its peer, or by its own address if the peer's port
// is the kernel's choice.
func (b *builder) socket(f *world.File) string {
	proto := f.Proto
	if proto == "" {
		proto = "socket"
	}
	if strings.HasPrefix(proto, "UNIX") {
		for _, a := range []string{f.Peer, f.Local} {
			if a != "" && (a[0] < '0' || a[0] > '9') {
				return proto + " " + b.names.path(a)
			}
		}
		return proto
	}
	switch peer := b.port(f.Peer); {
	case peer == "":
		return proto + " " + b.port(f.Local)
	case strings.HasSuffix(peer, ":*"): // a client: which is chance, and its server may listen on any address
		local := b.port(f.Local)
		return proto + " client of " + local[strings.LastIndexByte(local, ':')+1:]
	default:
		return proto + " " + peer
	}
}

// port masks a port that the kernel chose (ip_local_port_range begins at 32768).
func (b *builder) port(addr string) string {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 || !b.rules.on(rulePort) {
		return addr
	}
	n := 0
	for _, c := range addr[i+1:] {
		if c < '0' || c > '9' {
			return addr
		}
		n = n*10 + int(c-'0')
	}
	if n >= 32768 {
		return addr[:i] + ":*"
	}
	return addr
}

// argument returns the text of the argument in register reg.
func (b *builder) argument(d *syscalls.Desc, e *tracefile.Event, reg int) string {
	args := b.text.Args(nil, d, e, nil)
	for i, a := range d.Args {
		if a.Reg == reg && i < len(args) {
			return strings.TrimPrefix(args[i], ", ")
		}
	}
	return ""
}

// target says whom a kill is for.
func (b *builder) target(p *proc, e *tracefile.Event, d *syscalls.Desc) string {
	switch pid := int32(e.Args[0]); {
	case pid == p.pid, p.threadOf(pid) != nil:
		return "self"
	case pid <= 0:
		return "group"
	case p.parent != nil && p.parent.pid == pid:
		return "parent"
	}
	return "other"
}

func (p *proc) threadOf(tid int32) *thread {
	for _, t := range p.threads {
		if t.tid == tid {
			return t
		}
	}
	return nil
}

// attr returns a hash of what is compared between aligned calls only: the
// metadata or the data of what was read.
func (b *builder) attr(c *analyze.Call, pl *plan, object string, f *form) uint32 {
	e := c.Event
	if f.Failed() || object == "" || b.run.written[object] || volatile(object) {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(b.seed)
	word := func(v uint64) {
		var w [8]byte
		for i := range w {
			w[i] = byte(v >> (8 * i))
		}
		h.Write(w[:])
	}
	switch pl.family.name {
	case "stat":
		m, ok := pl.metadata(e)
		if !ok {
			return 0
		}
		word(m.mode)
		word(m.size)
		word(m.uid)
		word(m.gid)
	case "recv":
		answer, ok := b.answer(c, pl)
		if !ok {
			return 0
		}
		h.WriteString(answer)
	case "read", "readlink":
		if answer, ok := b.answer(c, pl); ok {
			h.WriteString(answer)
			break
		}
		if object[0] != '/' && object[0] != '.' && pl.family.name == "read" {
			return 0
		}
		word(uint64(e.Ret))
		data := string(payload(e))
		varies := false
		if printable([]byte(data)) { // a hash or a date in a file is no more than one in a name
			masked := b.names.content(data)
			varies = masked != data
			data = masked
		}
		h.WriteString(data)
		if b.prints && !varies {
			word(uint64(e.Fingerprint))
		}
	case "rlimit", "getrlimit":
		for i := range e.Bufs {
			if b := &e.Bufs[i]; b.Phase == tracefile.AtExit {
				h.Write(b.Data)
			}
		}
	default:
		return 0
	}
	if v := uint32(h.Sum64()); v != 0 {
		return v
	}
	return 1
}

// answer returns what came first out of a connection, its first line if that is
// text. Later data depends on how it was cut up.
func (b *builder) answer(c *analyze.Call, pl *plan) (string, bool) {
	if pl.fd < 0 {
		return "", false
	}
	f := c.Process.File(int32(c.Args[pl.fd]))
	if f == nil || f.Kind != world.Socket || b.heard[f] {
		return "", false
	}
	if len(b.heard) >= maxCachedNames {
		clear(b.heard)
	}
	b.heard[f] = true
	data := payload(c.Event)
	if c.Ret == 0 {
		return "end", true
	}
	if !printable(data) || len(data) == 0 {
		return "", false
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return bare(b.names.text(line)) + statusOf(line), true
}

// statusOf returns the status code of the first line of an HTTP answer.
func statusOf(line string) string {
	if rest, ok := strings.CutPrefix(line, "HTTP/"); ok {
		if _, code, ok := strings.Cut(rest, " "); ok && len(code) >= 3 {
			return code[:3]
		}
	}
	return ""
}

// volatile reports whether an object changes by itself.
func volatile(object string) bool {
	for _, p := range []string{"/proc/", "/sys/", "/dev/", "std", "pipe", "fd"} {
		if strings.HasPrefix(object, p) && !strings.HasPrefix(object, "/dev/shm/") {
			return true
		}
	}
	// Many files go by one masked name.
	return strings.Contains(object, "<temp>") || strings.Contains(object, "<hex>") || strings.Contains(object, "<uuid>")
}

func (u *use) add(e *tracefile.Event, dur int64, failed bool) {
	u.calls++
	u.total += dur
	if failed {
		u.errors++
	} else if e.Ret > 0 {
		u.bytes += e.Ret
	}
	if dur > u.longest {
		u.longest, u.longestEvent = dur, e.Num
	}
}
