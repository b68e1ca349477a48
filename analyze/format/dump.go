package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// dumped is where a call has the data that -e read= and -e write= dump.
type dumped struct {
	written bool
	shape   dataShape
}

type dataShape uint8

const (
	plainData  dataShape = iota // argument 1 points to it
	vectorData                  // argument 1 is an array of struct iovec
	message                     // argument 1 is a struct msghdr
	messages                    // argument 1 is an array of struct mmsghdr
)

// dumps are the calls whose data strace dumps.
var dumps = map[string]dumped{
	"read": {}, "pread64": {}, "recv": {}, "recvfrom": {}, "mq_timedreceive": {}, "mq_timedreceive_time64": {},
	"readv": {shape: vectorData}, "preadv": {shape: vectorData}, "preadv2": {shape: vectorData},
	"recvmsg": {shape: message}, "recvmmsg": {shape: messages}, "recvmmsg_time64": {shape: messages},
	"write": {written: true}, "pwrite64": {written: true}, "send": {written: true}, "sendto": {written: true},
	"mq_timedsend": {written: true}, "mq_timedsend_time64": {written: true},
	"writev": {written: true, shape: vectorData}, "pwritev": {written: true, shape: vectorData},
	"pwritev2": {written: true, shape: vectorData}, "vmsplice": {written: true, shape: vectorData},
	"sendmsg": {written: true, shape: message}, "sendmmsg": {written: true, shape: messages},
}

// Dump appends the data of a call that succeeded as lines of hexadecimal digits
// and characters, if the options ask for it.
func (f *Formatter) Dump(dst []byte, d *syscalls.Desc, e *tracefile.Event) []byte {
	p := &f.p
	if f.base.DumpRead == nil && f.base.DumpWritten == nil || d == nil {
		return dst
	}
	what, ok := dumps[d.Name]
	wanted := f.base.DumpRead
	if what.written {
		wanted = f.base.DumpWritten
	}
	if !ok || wanted == nil || !wanted(int32(e.Args[0])) {
		return dst
	}
	p.begin(d, e, nil)
	if !p.done() {
		return dst
	}
	phase := tracefile.AtExit
	if what.written {
		phase = tracefile.AtEnter
	}
	v, ok := p.root(1, phase)
	if !ok {
		v, ok = p.root(1, tracefile.AtEnter) // a vector of the caller's
	}
	if !ok {
		return dst
	}
	left := int(min(e.Ret, 1<<31-1))
	if what.written {
		left = 1<<31 - 1
	}
	switch what.shape {
	case plainData:
		p.hexdump(v.data[:min(len(v.data), left)])
	case vectorData:
		p.dumpVector(v, phase, &left)
	case message:
		p.dumpMessage(v, phase, &left)
	case messages:
		// struct mmsghdr: a msghdr and the length of the message.
		w := p.arch.PtrSize()
		size := 7*w + w
		for off, n := 0, 0; off+size <= len(v.data) && (what.written || n < int(e.Ret)); off, n = off+size, n+1 {
			p.s(" = ")
			p.udec(uint64(n))
			p.s(" buffers in message\n")
			got := int(load(v.data, off+7*w, 4))
			p.dumpMessage(v.at(off, size), phase, &got)
		}
	}
	return append(dst, p.b...)
}

// dumpMessage dumps the data of a struct msghdr.
func (p *printer) dumpMessage(v view, phase tracefile.Phase, left *int) {
	if iov, ok := p.child(v, 2*p.arch.PtrSize(), phase); ok {
		p.dumpVector(iov, phase, left)
	}
}

// dumpVector dumps the buffers of an array of struct iovec, so many bytes.
func (p *printer) dumpVector(v view, phase tracefile.Phase, left *int) {
	w := p.arch.PtrSize()
	for off, i := 0, 0; off+2*w <= len(v.data) && *left > 0; off, i = off+2*w, i+1 {
		n := int(min(load(v.data, off+w, w), uint64(*left)))
		*left -= n
		buf, _ := p.child(v, off, phase)
		p.s(" * ")
		p.udec(uint64(n))
		p.s(" bytes in buffer ")
		p.udec(uint64(i))
		p.c('\n')
		p.hexdump(buf.data[:min(len(buf.data), n)])
	}
}

// hexdump writes " | 00000  68 69 …  hi |", 16 bytes a line.
func (p *printer) hexdump(data []byte) {
	const perLine = 16
	for from := 0; from < len(data); from += perLine {
		line := data[from:min(len(data), from+perLine)]
		p.s(" | ")
		at := len(p.b)
		p.b = appendHexDigits(p.b, uint64(from))
		for len(p.b) < at+5 {
			p.b = append(p.b[:at+1], p.b[at:]...)
			p.b[at] = '0'
		}
		p.s("  ")
		for i := range perLine {
			if i < len(line) {
				p.b = append(p.b, hexDigits[line[i]>>4], hexDigits[line[i]&15], ' ')
			} else {
				p.s("   ")
			}
			if i%8 == 7 {
				p.c(' ')
			}
		}
		for i := range perLine {
			switch {
			case i >= len(line):
				p.c(' ')
			case line[i] >= ' ' && line[i] < 0x7f:
				p.c(line[i])
			default:
				p.c('.')
			}
		}
		p.s(" |\n")
	}
}
