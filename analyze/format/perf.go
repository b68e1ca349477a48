package format

import "sysreel/proto/syscalls"

// Values of enum perf_type_id and of perf_event_attr.sample_type
// (include/uapi/linux/perf_event.h).
const (
	perfHardware   = 0
	perfSoftware   = 1
	perfTracepoint = 2
	perfHWCache    = 3
	perfBreakpoint = 5

	perfSampleBranchStack = 1 << 11
	perfSampleStackUser   = 1 << 13
)

// perfSkid is what precise_ip means.
var perfSkid = [...]string{"arbitrary skid", "constant skid", "requested to have 0 skid", "must have 0 skid"}

// perfReserved are comments on members that Linux does not use yet.
var perfReserved = map[string]string{"__reserved_1": "Bits 63..38", "__reserved_3": "Bits 931..959"}

// perfEventAttr writes struct perf_event_attr, as far as the caller states its
// size: what members mean depends on others. Without -v flags that are 0 and what
// follows them are left out.
func perfEventAttr(p *printer, t *syscalls.Type, v view) bool {
	return perfOpenAttr(p, t, v, view{buf: -1})
}

// perfOpenAttr is perfEventAttr for a call that tells in out which size it would
// take, if it knows less.
func perfOpenAttr(p *printer, t *syscalls.Type, v, out view) bool {
	const tooBig = -7 // E2BIG
	const least = 64  // PERF_ATTR_SIZE_VER0; 0 means that too
	size := 0
	if f := fieldOf(t, "size"); f != nil && v.has(f.Off+f.Type.Size) {
		size = int(load(v.data, f.Off, f.Type.Size))
	}
	stated := size
	if size == 0 && v.has(8) {
		size = least
	}
	size = min(size, t.Size)
	looked := size
	if f := fieldOf(t, "wakeup_events"); f != nil && !p.o.Verbose {
		looked = f.Off
	}
	if size < least || !v.has(looked) {
		p.lost(v)
		return true
	}
	v = filled(v.at(0, size), t.Size)
	get := func(name string) uint64 {
		f := fieldOf(t, name)
		if f == nil {
			return 0
		}
		return f.Get(load(v.data, f.Off, f.Type.Size))
	}
	kind, samples := get("type"), get("sample_type")
	first := true
	p.c('{')
	for i := range t.Fields {
		f := &t.Fields[i]
		if !p.o.Verbose && !f.Terse {
			p.s(", ...}")
			return true
		}
		name, n := f.Name, f.Get(load(v.data, f.Off, f.Type.Size))
		switch {
		case f.Off >= size, f.NonZero && n == 0,
			f.Bits == 1 && n == 0 && !p.o.Verbose,
			name == "bp_type" && kind != perfBreakpoint,
			name == "branch_sample_type" && samples&perfSampleBranchStack == 0,
			name == "sample_stack_user" && samples&perfSampleStackUser == 0,
			name == "clockid" && get("use_clockid") == 0:
			continue
		case name == "__reserved_2":
			p.s(" /* bytes 110..111: ")
			p.hex(n)
			p.s(" */")
			continue
		case name == "sample_period" && get("freq") != 0:
			name = "sample_freq"
		case name == "wakeup_events" && get("watermark") != 0:
			name = "wakeup_watermark"
		case name == "config1" && kind == perfBreakpoint:
			name = "bp_addr"
		case name == "config2" && kind == perfBreakpoint:
			name = "bp_len"
		}
		if !first {
			p.s(", ")
		}
		first = false
		p.s(name)
		p.c('=')
		switch {
		case name == "config":
			p.perfConfig(kind, n)
		case name == "precise_ip":
			p.udec(n)
			p.comment(perfSkid[n&3])
		case name == "bp_len":
			p.udec(n)
		case name == "bp_type" && n > 4: // no one of enum bp_type, perhaps a mixture
			p.hex(n)
			if n < 8 {
				p.comment("HW_BREAKPOINT_INVALID")
			} else {
				p.comment("HW_BREAKPOINT_???")
			}
		case f.Bits == 1:
			p.udec(n)
		default:
			p.field(f, v, v.at(f.Off, f.Type.Size), nil)
		}
		if name == "size" && p.ended() && p.e.Ret == tooBig && out.has(f.Off+f.Type.Size) {
			p.s(" => ")
			p.field(f, out, out.at(f.Off, f.Type.Size), nil)
		}
		if c := perfReserved[name]; c != "" {
			p.comment(c)
		}
	}
	if stated > size {
		p.s(", ...")
	}
	p.c('}')
	return true
}

// perfConfig writes which event of its type is counted.
func (p *printer) perfConfig(kind, n uint64) {
	switch kind {
	case perfHardware:
		if n>>32 != 0 { // which of several PMUs
			p.hex(n >> 32)
			p.s("<<32|")
		}
		p.named("perf_hw_id", int64(n&0xffffffff))
	case perfSoftware:
		p.consts(p.set("perf_sw_ids"), n)
	case perfTracepoint:
		p.udec(n)
	case perfHWCache:
		if n>>32 != 0 { // which of several PMUs
			p.hex(n >> 32)
			p.s("<<32|")
		}
		if n>>24&0xff != 0 {
			p.hex(n >> 24 & 0xff)
			p.s("<<24|")
		}
		p.named("perf_hw_cache_op_result_id", int64(n>>16&0xff))
		p.s("<<16|")
		p.named("perf_hw_cache_op_id", int64(n>>8&0xff))
		p.s("<<8|")
		p.named("perf_hw_cache_id", int64(n&0xff))
	default:
		p.hex(n)
	}
}

// perfQuery writes PERF_EVENT_IOC_QUERY_BPF: how many programs there is room for
// and, of a call that ended well, which they are.
func perfQuery(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(4) || p.done() && out.has(8) {
		return false
	}
	p.s("{ids_len=")
	p.udec(load(in.data, 0, 4))
	p.pause()
	p.s(", ...}")
	return true
}
