// Package format writes system calls as text, in the notation of strace(1),
// from the registers and the pieces of memory that a trace holds.
//
// How a value looks is decided by its type in the syscall table; only the
// types that C cannot describe (socket addresses, wait statuses, signal sets,
// ...) and the calls whose text is irregular are code, found by name. Nothing
// here reads the host: errno, signal and flag names and the layout of
// structures are those of Linux on the architecture of the recorded call.
//
// Whatever bytes a trace holds, the text is printable ASCII without control
// characters.
package format

import (
	"bytes"
	"time"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// DefaultStrings is strace's limit of a printed string, in bytes.
const DefaultStrings = 32

// Hex says which strings are written as hexadecimal escapes.
type Hex uint8

const (
	HexNone     Hex = iota
	HexNonASCII     // -x: those that are not text
	HexAll          // -xx: all
	HexChars        // --strings-in-hex=non-ascii-chars: the characters that are escaped
)

// Options choose among strace's renderings.
type Options struct {
	Verbose bool // -v: structures and environments whole
	Strings int  // -s: longest string printed, in bytes; 0 means DefaultStrings, negative means none
	Hex     Hex
	// Whole, if set, are the calls whose structures are written whole, in place
	// of Verbose (-e abbrev=). Pointed, if set, those of which what arguments
	// point to is shown (-e verbose=); strings always are. Raw are those of which
	// the registers are shown, no more (-e raw=).
	Whole, Pointed, Raw *syscalls.Set
	Constants           Constants
	// ArgNames writes the name of each argument in front of it (-N).
	ArgNames bool
	// Comm returns the name of a process or thread, written behind its ID (-Y); ""
	// if it is not known. atExit tells whether that is when the call returns, and not
	// when it begins. May be nil.
	Comm func(id int32, atExit bool) string
	// Outer returns what a process or thread is called outside of the PID namespace of
	// the call's thread; 0 if it is not known. nil: there is no other. With OuterPIDs
	// that is written behind the ID where it is another (--decode-pids=pidns).
	Outer     func(id int32, atExit bool) int32
	OuterPIDs bool
	// NewNamespaces writes behind the result of a call which namespaces it has entered,
	// where the trace tells (-e namespace=new).
	NewNamespaces bool
	VCPUs         VCPUs
	// Secontexts writes security contexts behind descriptors and paths, where the trace
	// tells them.
	Secontexts Secontexts
	// Interface returns the name of the network interface that has an index; "" if
	// it is not known. May be nil.
	Interface func(index uint32) string
	// Family returns the name of the family of generic netlink that has a number;
	// "" if it is not known. May be nil.
	Family func(id uint16) string
	// DumpRead and DumpWritten tell of which descriptors Dump writes what is
	// read and written; may be nil.
	DumpRead, DumpWritten func(fd int32) bool
	// Zone of the dates that -v writes behind times; nil means UTC.
	Zone *time.Location
}

// Names knows what descriptors and directories are, and what they are called
// for -y and -yy.
// It is asked about the state as it stood before the call.
type Names interface {
	// FD appends the name of a descriptor (without the angle brackets), or
	// nothing when it is not known.
	FD(dst []byte, fd int32) []byte
	// Cwd appends the current directory, or nothing.
	Cwd(dst []byte) []byte
	// Netlink returns the protocol of a netlink socket (NETLINK_ROUTE is 0),
	// NotNetlink of all else.
	Netlink(fd int32) int
}

// Devices may be implemented by Names that know the numbers of devices.
type Devices interface {
	// Device returns the kind and number of the device that a descriptor is,
	// "char 1:3", or "" if it is none.
	Device(fd int32) string
}

// Terminals may be implemented by Names that know which descriptors are
// terminals: a terminal has no requests of sound devices.
type Terminals interface {
	Terminal(fd int32) bool
}

// A Formatter writes calls as text. It may be used for any number of calls,
// one at a time; it keeps no reference to them.
type Formatter struct {
	p     printer
	base  Options
	flags map[flagKey]string // rendered flag sets; bounded by maxCachedFlags
	types []*typeCode        // by Type.Sym
	other typeCode           // of a type without
	calls [callCodes]callCode
	stat  statMembers // of the structure written last
	// seconds are dates; see [printer.second].
	seconds [cachedSeconds]second
}

// New returns a Formatter.
func New(o Options) *Formatter {
	switch {
	case o.Strings == 0:
		o.Strings = DefaultStrings
	case o.Strings < 0:
		o.Strings = 0
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	f := &Formatter{flags: make(map[flagKey]string)}
	f.p.o, f.base = o, o
	f.p.f = f
	return f
}

// Text is a call as text, in the parts that strace may print apart.
type Text struct {
	// Call is "name(arguments", without the closing parenthesis.
	Call []byte
	// Name is the length of the name at its start.
	Name int
	// Enter is how many bytes of Call strace writes when the call begins,
	// before its output arguments are known. It equals len(Call) when the
	// whole of it is known then.
	Enter int
	// More tells whether strace has something to say of the call when it returns,
	// besides the result, if only perhaps.
	More bool
	// Result is what follows "= ": "3", "-1 ENOENT (No such file or
	// directory)", "?".
	Result []byte
	// FD is the new descriptor that Result consists of, −1 if it does not. It
	// has no name in Result, because it had none before the call.
	FD int32
}

// AppendName appends what -y writes behind a descriptor: the name in angle
// brackets, with the device that it is if there is one.
func (f *Formatter) AppendName(dst, name []byte, device string) []byte {
	p := &f.p
	p.b = p.b[:0]
	p.bracketed(name, device)
	return append(dst, p.b...)
}

// Call formats the event e, of kind Syscall, Unfinished or InFlight, of the
// call d (nil when the call is not known). names may be nil. The slices are
// the Formatter's own and valid until the next use of it.
func (f *Formatter) Call(d *syscalls.Desc, e *tracefile.Event, names Names) Text {
	p := &f.p
	p.begin(d, e, names)
	p.call()
	n := len(p.b)
	enter := p.enter
	if enter < 0 {
		enter = n
	} else if !p.begunComma { // what goes before an argument is written with it
		if p.o.ArgNames {
			enter = p.beforeName(enter)
		}
		if bytes.HasSuffix(p.b[:enter], []byte(", ")) {
			enter -= len(", ")
		}
	}
	more := p.more || enter < n
	p.fd0, p.enter = -1, enter
	if p.text.Result != nil {
		p.plain(p.text.Result)
	} else {
		p.o.Constants = Abbreviated
		p.result()
	}
	return Text{FD: p.fd0, Name: p.name - len("("), Call: p.b[:n:n], Enter: enter, More: more, Result: p.b[n:]}
}

// Args appends the text of each argument of the call, as in Call, to args;
// for machine-readable output. The strings are the caller's.
func (f *Formatter) Args(args []string, d *syscalls.Desc, e *tracefile.Event, names Names) []string {
	p := &f.p
	p.begin(d, e, names)
	p.call()
	from := p.name
	for _, to := range p.commas {
		args = append(args, string(p.b[from:to]))
		from = to + len(", ")
	}
	if from < len(p.b) || len(p.commas) > 0 {
		args = append(args, string(p.b[from:]))
	}
	return args
}

// Siginfo appends a siginfo_t as strace prints it: "{si_signo=SIGCHLD, ...}".
// data is the structure in the layout of a 64-bit kernel, perhaps cut short.
func (f *Formatter) Siginfo(dst []byte, data []byte) []byte {
	p := &f.p
	p.begin(nil, &tracefile.Event{Arch: syscalls.AMD64}, nil)
	siginfo(p, nil, view{data: data, want: len(data), buf: -1})
	return append(dst, p.b...)
}

// Plain appends text of a log, without what a terminal must not get.
func (f *Formatter) Plain(dst, text []byte) []byte {
	p := &f.p
	p.b = p.b[:0]
	p.plain(text)
	return append(dst, p.b...)
}

// Exit appends the end of a thread, by its wait status, as strace prints it:
// "+++ exited with 0 +++".
func (f *Formatter) Exit(dst []byte, status int32) []byte {
	p := &f.p
	p.begin(nil, &tracefile.Event{Arch: syscalls.AMD64}, nil)
	s := uint32(status)
	if sig := s & 0x7f; sig == 0 {
		p.s("+++ exited with ")
		p.udec(uint64(s >> 8 & 0xff))
	} else {
		p.s("+++ killed by ")
		p.signalName(uint64(sig))
		if s&0x80 != 0 {
			p.s(" (core dumped)")
		}
	}
	p.s(" +++")
	return append(dst, p.b...)
}

// printer is the state of the formatting of one call.
type printer struct {
	o      Options
	f      *Formatter
	d      *syscalls.Desc
	e      *tracefile.Event
	names  Names
	arch   syscalls.Arch
	b      []byte // the text so far
	name   int    // length of "name("
	room   []byte // for the name of a descriptor
	commas []int  // where the ", " between arguments stand
	begun  int    // arguments

	nameless bool // the arguments have no names of their own

	enter  int    // see Text.Enter; −1: not reached
	more   bool   // see Text.More
	note   []byte // follows the result: "(Timeout)"
	cursor int    // where the search for the next Buf begins
	depth  int    // of nested values
	fd0    int32  // see Text.FD
	twinOf int    // the Buf whose twin was looked up last; −1: none
	twinIs int

	netlink  int  // protocol of the call's netlink socket, or NotNetlink
	diagHead byte // address family of a NETLINK_SOCK_DIAG message
	link     link
	// genlFamily is the generic family that the attributes are of.
	genlFamily string

	searched int // steps in search of children

	text tracefile.Text // of the log that the call was made from

	// limited says that of the payload only left0 more bytes mean something.
	limited bool
	shallow bool // only strings are shown behind pointers
	grows   bool // within a structure that Grows
	// leftovers says that what a failed call has left in memory is shown.
	leftovers bool
	// begunComma says that what follows where the call pauses begins behind the
	// comma, which is written before.
	begunComma bool
	union      bool // the last argument of semctl lay in memory
	left0      int
}

func (p *printer) begin(d *syscalls.Desc, e *tracefile.Event, names Names) {
	p.d, p.e, p.names, p.arch = d, e, names, e.Arch
	p.b, p.note, p.commas = p.b[:0], p.note[:0], p.commas[:0]
	p.text = e.Text()
	p.enter, p.cursor, p.depth, p.name, p.twinOf = -1, 0, 0, 0, -1
	p.searched, p.limited, p.grows, p.union, p.leftovers, p.begunComma = 0, false, false, false, false, false
	p.begun, p.nameless, p.more = 0, false, false
	p.diagHead, p.link, p.genlFamily = 0, link{}, ""
	base := &p.f.base
	p.o.Constants, p.o.Verbose, p.shallow = base.Constants, base.Verbose, false
	if d == nil {
		return
	}
	if base.Whole != nil {
		p.o.Verbose = base.Whole.Has(d)
	}
	p.shallow = base.Pointed != nil && !base.Pointed.Has(d)
}

// call writes "name(arguments".
func (p *printer) call() {
	d := p.d
	if d == nil {
		p.unknown()
		return
	}
	p.s(d.Name)
	p.c('(')
	p.name = len(p.b)
	if p.text.Args != nil {
		p.told()
		return
	}
	if p.raw() {
		p.registers()
		return
	}
	meant := d
	if p.arch == syscalls.I386 {
		meant = p.unfold(d)
	}
	if meant == d {
		meant = selected(d, p.e)
	}
	d, p.d = meant, meant
	p.netlinkFD()
	// What an ioctl's argument is, a pointer or not, only the code for it knows.
	if fn := p.known().irregular; fn != nil && (!p.shallow || d.Name == "ioctl") && fn(p) {
		return
	}
	for i := range d.Args {
		p.arg(i)
	}
}

// raw tells whether only the registers of the call are shown.
func (p *printer) raw() bool {
	return p.d != nil && p.f.base.Raw != nil && p.f.base.Raw.Has(p.d)
}

// registers writes the arguments as they were in the registers.
func (p *printer) registers() {
	n := 0
	for i := range p.d.Args {
		if r := p.d.Args[i].Reg + 1; r <= len(p.e.Args) {
			n = max(n, r)
		}
	}
	p.nameless = true
	for _, v := range p.e.Args[:n] {
		p.next()
		p.hex(v)
	}
}

// unknown writes a call that no table describes.
func (p *printer) unknown() {
	p.s("syscall_0x")
	p.b = appendHexDigits(p.b, uint64(p.e.NR))
	p.c('(')
	p.name = len(p.b)
	if p.text.Args != nil {
		p.told()
		return
	}
	for _, v := range p.e.Args {
		p.next()
		p.hex(v)
	}
}

// next starts an argument.
func (p *printer) next() {
	if len(p.b) > p.name {
		p.commas = append(p.commas, len(p.b))
		p.s(", ")
	}
	if p.o.ArgNames {
		p.argName(p.begun)
	}
	p.begun++
}

// pause marks the place where strace stops at the beginning of the call,
// because what follows is known only at its end.
func (p *printer) pause() {
	if p.enter >= 0 {
		return
	}
	if mask := p.known().atOnce; mask != 0 {
		for reg, v := range p.e.Args {
			if mask>>reg&1 != 0 && v == 0 {
				p.more = mask&returns != 0
				return
			}
		}
	}
	p.enter = len(p.b)
}

// arg writes argument i of the call.
func (p *printer) arg(i int) {
	a := &p.d.Args[i]
	if !a.If.Holds(&p.e.Args) {
		return
	}
	if t := a.Type; a.Label && (t.Dir == syscalls.Out || t.Dir == syscalls.InOut) {
		p.pause() // clone: before the comma
	}
	p.next()
	if a.Label && !p.o.ArgNames {
		p.s(a.Name)
		p.c('=')
	}
	if t := a.Type; t.Kind == syscalls.Pointer {
		if t.Dir == syscalls.Out || t.Dir == syscalls.InOut && !t.Elem.Split {
			p.pause()
		}
		p.pointerArg(t, a.Reg)
		return
	}
	p.word(a.Type, p.reg(a))
}

// reg returns the value of an argument.
func (p *printer) reg(a *syscalls.Arg) uint64 {
	if a.Reg < 0 || a.Reg > 5 {
		return 0
	}
	v := p.e.Args[a.Reg]
	if a.Wide && a.Hi >= 0 && a.Hi <= 5 {
		return v&0xffffffff | p.e.Args[a.Hi]<<32
	}
	return v
}

// done tells whether the call has ended well, so that what it wrote counts.
func (p *printer) done() bool {
	e := p.e
	if e.Kind != tracefile.Syscall || e.Flags&(tracefile.NoResult|tracefile.Restarted) != 0 {
		return false
	}
	return !p.failed()
}

// ended tells whether the call has a result.
func (p *printer) ended() bool {
	return p.e.Kind == tracefile.Syscall && p.e.Flags&tracefile.NoResult == 0
}

// failed tells whether the result is an error number.
func (p *printer) failed() bool { return p.e.Ret < 0 && p.e.Ret >= -4095 }
