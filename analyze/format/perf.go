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

// perfEventAttr writes struct perf_event_attr: what members mean depends on
// others. Without -v flags that are 0 and what follows them are left out.
func perfEventAttr(p *printer, t *syscalls.Type, v view) bool {
	get := func(name string) uint64 {
		f := fieldOf(t, name)
		if f == nil {
			return 0
		}
		return f.Get(load(v.data, f.Off, f.Type.Size))
	}
	if !v.has(8) {
		return false // type and size
	}
	const least = 64 // PERF_ATTR_SIZE_VER0; 0 means that too
	if size := get("size"); size >= least && size < uint64(len(v.data)) {
		v = v.at(0, int(size))
	}
	kind, samples := get("type"), get("sample_type")
	first := true
	p.c('{')
	for i := range t.Fields {
		f := &t.Fields[i]
		switch {
		case f.Hidden:
			continue
		case !p.o.Verbose && !f.Terse:
			p.s(", ...}")
			return true
		case !v.has(f.Off + f.Type.Size):
			p.c('}')
			return true
		}
		name, n := f.Name, f.Get(load(v.data, f.Off, f.Type.Size))
		switch name {
		case "sample_period":
			if get("freq") != 0 {
				name = "sample_freq"
			}
		case "wakeup_events":
			if get("watermark") != 0 {
				name = "wakeup_watermark"
			}
		case "config1":
			if kind == perfBreakpoint {
				name = "bp_addr"
			}
		case "config2":
			if kind == perfBreakpoint {
				name = "bp_len"
			}
		}
		switch {
		case f.Bits == 1 && n == 0 && !p.o.Verbose,
			name == "bp_type" && kind != perfBreakpoint,
			name == "branch_sample_type" && samples&perfSampleBranchStack == 0,
			name == "sample_stack_user" && samples&perfSampleStackUser == 0,
			name == "clockid" && get("use_clockid") == 0:
			continue
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
			p.s(" /* ")
			p.s(perfSkid[n&3])
			p.s(" */")
		case name == "bp_len":
			p.udec(n)
		case f.Bits != 0:
			p.udec(n)
		default:
			p.field(f, v, v.at(f.Off, f.Type.Size), nil)
		}
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
		p.named("perf_sw_ids", int64(n))
	case perfTracepoint, perfBreakpoint:
		p.udec(n)
	case perfHWCache:
		if n>>24 != 0 {
			p.hex(n >> 24)
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
