package format

import (
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
)

// VCPUs says what is written of the virtual CPU that ioctl(KVM_RUN) has run, as far
// as the trace has it (-e kvm=).
type VCPUs uint8

const (
	NoVCPUs    VCPUs = iota
	VCPUExits        // behind the result why it came back (vcpu)
	VCPUStates       // and its struct kvm_run before the call and after it (vcpu+)
)

// vcpu is a virtual CPU as it was at one moment of a call.
type vcpu struct {
	number uint32
	addr   uint64 // where its memory is mapped
	run    view   // its struct kvm_run
	t      *syscalls.Type
}

// vcpu returns the virtual CPU of the call, if the trace has it; see FORMAT.md.
func (p *printer) vcpu(phase tracefile.Phase) (c vcpu, ok bool) {
	const kvmRun = 0xae80 // include/uapi/linux/kvm.h
	if p.d == nil || p.d.Name != "ioctl" || uint32(p.e.Args[1]) != kvmRun {
		return c, false
	}
	where, ok := p.root(0, phase)
	if !ok || len(where.data) < 12 {
		return c, false
	}
	c.addr, c.number = load(where.data, 0, 8), uint32(load(where.data, 8, 4))
	if c.run, ok = p.childAt(where, 0, c.addr); !ok {
		return c, false
	}
	c.t = syscalls.TypeByName(p.arch, "kvm_run")
	return c, c.t != nil
}

// childAt returns the piece that belongs to an offset in v, which is at addr.
func (p *printer) childAt(v view, off int, addr uint64) (view, bool) {
	for i := range p.e.Bufs {
		if b := &p.e.Bufs[i]; int(b.Parent) == v.buf && int(b.Off) == off {
			return p.view(i, addr), true
		}
	}
	return view{buf: -1, addr: addr}, false
}

// vcpuExit returns why KVM_RUN has come back, "" if it has not or the trace does not
// tell.
func (p *printer) vcpuExit() string {
	if !p.done() {
		return ""
	}
	c, ok := p.vcpu(tracefile.AtExit)
	if !ok {
		return ""
	}
	f := fieldOf(c.t, "exit_reason")
	reason := load(c.run.data, f.Off, f.Type.Size)
	if !hasValue(f.Type.Consts, reason) {
		return "KVM_EXIT_???"
	}
	return f.Type.Consts.Format(reason)
}

// VCPU returns the number of the virtual CPU that a call has run and why it came
// back; ok is false where the trace does not tell.
func (f *Formatter) VCPU(d *syscalls.Desc, e *tracefile.Event) (number uint32, reason string, ok bool) {
	if d == nil || d.Name != "ioctl" {
		return 0, "", false
	}
	p := &f.p
	p.begin(d, e, nil)
	if reason = p.vcpuExit(); reason == "" {
		return 0, "", false
	}
	c, _ := p.vcpu(tracefile.AtExit)
	return c.number, reason, true
}

// States appends, if the options ask for it, the states of the virtual CPU that the
// call has run, a line each.
func (f *Formatter) States(dst []byte, d *syscalls.Desc, e *tracefile.Event) []byte {
	p := &f.p
	if f.base.VCPUs < VCPUStates {
		return dst
	}
	if p.begin(d, e, nil); p.raw() {
		return dst
	}
	for _, at := range [...]struct {
		phase tracefile.Phase
		mark  string
	}{{tracefile.AtEnter, "< "}, {tracefile.AtExit, "> "}} {
		c, ok := p.vcpu(at.phase)
		if !ok || at.phase == tracefile.AtExit && !p.done() {
			continue
		}
		p.s(" VCPU:")
		p.udec(uint64(c.number))
		p.s(at.mark)
		p.state(&c)
		p.c('\n')
	}
	return append(dst, p.b...)
}

// state writes a struct kvm_run. Its union has no name; of that strace knows the
// members of two reasons.
func (p *printer) state(c *vcpu) {
	if !c.run.has(fieldOf(c.t, "io").Off) {
		p.lost(c.run)
		return
	}
	p.c('{')
	first := true
	for i := range c.t.Fields {
		f := &c.t.Fields[i]
		switch {
		case f.Hidden || !f.If.Holds(c.run.data):
		case f.Type.Kind != syscalls.Struct:
			p.memberOf(f, c.run, &first)
		default:
			p.s(", {")
			p.s(f.Name)
			p.c('=')
			p.vcpuExchange(c, f)
			p.c('}')
		}
	}
	p.c('}')
}

// vcpuExchange writes what the guest wants: for KVM_EXIT_IO with the data, which lies
// behind struct kvm_run.
func (p *printer) vcpuExchange(c *vcpu, f *syscalls.Field) {
	v := c.run.at(f.Off, f.Type.Size)
	offset := fieldOf(f.Type, "data_offset")
	if offset == nil || !v.has(f.Type.Size) {
		p.value(f.Type, v)
		return
	}
	first := true
	p.c('{')
	for i := range f.Type.Fields {
		p.memberOf(&f.Type.Fields[i], v, &first)
	}
	p.s(", data=")
	n := memberValue(f.Type, v, "size") * memberValue(f.Type, v, "count")
	data, ok := p.childAt(c.run, f.Off+offset.Off, c.addr+memberValue(f.Type, v, "data_offset"))
	switch {
	case n == 0:
		p.s("[]")
	case p.shallow || !ok:
		p.hex(data.addr)
	default:
		p.array(&syscalls.Type{Kind: syscalls.Array, Elem: octet}, data)
	}
	p.c('}')
}

// octet is a byte that is written as a number.
var octet = &syscalls.Type{Kind: syscalls.Int, Name: "x8", Size: 1, Base: syscalls.Hex}

// exitReason writes why KVM_RUN came back, in one style only.
func exitReason(p *printer, c *syscalls.Consts, v uint64) {
	p.udec(v)
	if hasValue(c, v) {
		p.comment(c.Format(v))
	}
}
