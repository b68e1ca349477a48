package format

import (
	"math"

	"sysreel/proto/syscalls"
)

// The ioctls of the device mapper (include/uapi/linux/dm-ioctl.h): a header,
// and data behind it that is of another kind for each request.

// mapperData is how the data of a request looks.
type mapperData uint8

const (
	noData mapperData = iota
	mapperString
	mapperTargets
	mapperNames
	mapperVersions
	mapperDeps
	mapperMessage
)

// mapperRequest is what a request takes and gives.
type mapperRequest struct {
	in, out mapperData
	// anonymous requests are of no device, event ones tell the event that they
	// know of; counted ones answer with counts.
	anonymous, event, counted bool
}

// mapperRequests are the requests by the low byte of their number (DM_*_CMD).
var mapperRequests = [...]mapperRequest{
	1:  {anonymous: true},                                // DM_REMOVE_ALL
	2:  {anonymous: true, out: mapperNames},              // DM_LIST_DEVICES
	3:  {counted: true},                                  // DM_DEV_CREATE
	4:  {event: true},                                    // DM_DEV_REMOVE
	5:  {event: true, counted: true, in: mapperString},   // DM_DEV_RENAME
	6:  {event: true, counted: true},                     // DM_DEV_SUSPEND
	7:  {counted: true},                                  // DM_DEV_STATUS
	8:  {event: true, counted: true, out: mapperTargets}, // DM_DEV_WAIT
	9:  {counted: true, in: mapperTargets},               // DM_TABLE_LOAD
	10: {counted: true},                                  // DM_TABLE_CLEAR
	11: {counted: true, out: mapperDeps},                 // DM_TABLE_DEPS
	12: {counted: true, out: mapperTargets},              // DM_TABLE_STATUS
	13: {anonymous: true, out: mapperVersions},           // DM_LIST_VERSIONS
	14: {counted: true, in: mapperMessage},               // DM_TARGET_MSG
	15: {in: mapperString},                               // DM_DEV_SET_GEOMETRY
	16: {},
}

// Offsets in struct dm_ioctl.
const (
	dmDataSize, dmDataStart, dmTargetCount, dmOpenCount = 12, 16, 20, 24

	dmFlags, dmEventNr, dmDev, dmName, dmUUID, dmData = 28, 32, 40, 48, 176, 305
)

// mapper writes the argument of a request: as it was before the call and, if
// that ended well, as it was then.
func mapper(p *printer, t *syscalls.Type, in, out view) bool {
	if !in.has(dmData) {
		return false
	}
	p.mapperArg(t, in, false)
	p.pause()
	if p.done() && out.has(dmData) {
		p.s(" => ")
		p.mapperArg(t, out, true)
	}
	return true
}

func (p *printer) mapperArg(t *syscalls.Type, v view, after bool) {
	const request, major = 1, 4 // DM_VERSION_MAJOR
	var r mapperRequest
	nr := int(byte(p.e.Args[request]))
	if nr < len(mapperRequests) {
		r = mapperRequests[nr]
	}
	p.s("[{version=[")
	for i := range 3 {
		if i > 0 {
			p.s(", ")
		}
		p.udec(load(v.data, 4*i, 4))
	}
	p.c(']')
	if load(v.data, 0, 4) != major {
		p.s(" /* unsupported device mapper ABI version */}]")
		return
	}
	size := load(v.data, dmDataSize, 4)
	p.s(", data_size=")
	p.udec(size)
	if size < dmData {
		p.s(" /* data_size too small */}]")
		return
	}
	if r.in != noData || r.out != noData {
		p.s(", data_start=")
		p.udec(load(v.data, dmDataStart, 4))
	}
	if !r.anonymous {
		p.mapperDevice(v)
	}
	const suspend = 2 // DM_SUSPEND_FLAG
	count := func(name string, off int) {
		p.s(name)
		p.udec(load(v.data, off, 4))
	}
	switch {
	case after && r.counted:
		count(", target_count=", dmTargetCount)
		p.s(", open_count=")
		p.dec(signExtend(load(v.data, dmOpenCount, 4), 4))
		count(", event_nr=", dmEventNr)
	case !after && r.in == mapperTargets:
		count(", target_count=", dmTargetCount)
	case !after && r.event && (nr != 6 || load(v.data, dmFlags, 4)&suspend == 0):
		count(", event_nr=", dmEventNr)
	}
	p.s(", flags=")
	p.consts(p.set("dm_flags"), load(v.data, dmFlags, 4))
	p.c('}')
	kind := r.in
	if after {
		kind = r.out
	}
	p.mapperData(kind, v, after)
	p.c(']')
}

// mapperDevice writes what names a device there is.
func (p *printer) mapperDevice(v view) {
	if dev := load(v.data, dmDev, 8); dev != 0 {
		p.s(", dev=")
		p.dev(dev)
	}
	for _, f := range [...]struct {
		name    string
		off, to int
	}{{", name=", dmName, dmUUID}, {", uuid=", dmUUID, dmData}} {
		if s, ended := trimNUL(v.data[f.off:f.to]); len(s) > 0 {
			if !ended {
				s = s[:len(s)-1]
			}
			p.s(f.name)
			p.path(s, !ended)
		}
	}
}

// mapperData writes what stands behind the header: without -v only that there
// is something.
func (p *printer) mapperData(kind mapperData, v view, after bool) {
	start, size := load(v.data, dmDataStart, 4), load(v.data, dmDataSize, 4)
	count := uint64(math.MaxUint64)
	switch kind {
	case noData:
		return
	case mapperTargets:
		if count = load(v.data, dmTargetCount, 4); count == 0 {
			return
		}
	case mapperNames, mapperVersions, mapperDeps, mapperMessage:
		if start == size {
			return
		}
	}
	if !p.o.Verbose {
		p.s(", ...")
		return
	}
	misplaced := func(what string) {
		p.s(", ??? /* misplaced ")
		p.s(what)
		p.s(" */")
	}
	// text is a string that begins at an offset and ends where the data does.
	text := func(off uint64) {
		if off >= min(uint64(len(v.data)), size) {
			p.s(`""`)
			return
		}
		s, ended := trimNUL(v.data[off:min(uint64(len(v.data)), size)])
		n := len(s)
		if !ended {
			n++
		}
		p.str(s, n, p.o.Strings)
	}
	fits := func(off, need uint64) bool { return off+need <= size && off+need <= uint64(len(v.data)) }
	field := func(name string, off uint64, n int) {
		p.s(name)
		p.udec(load(v.data, int(off), n))
	}
	entry := mapperEntries[kind]
	switch kind {
	case mapperString:
		if start > size {
			misplaced(entry.name)
			return
		}
		p.s(", {string=")
		text(start)
		p.c('}')
		return
	case mapperMessage:
		if !fits(start, entry.size) {
			misplaced(entry.name)
			return
		}
		field(", {sector=", start, 8)
		p.s(", message=")
		text(start + entry.size)
		p.c('}')
		return
	case mapperDeps:
		n := uint64(0)
		if fits(start, entry.size) {
			n = load(v.data, int(start), 4)
		}
		if !fits(start, entry.size+8*n) {
			misplaced(entry.name)
			return
		}
		field(", {count=", start, 4)
		p.s(", deps=[")
		for i := range n {
			if i > 0 {
				p.s(", ")
			}
			p.dev(load(v.data, int(start+entry.size+8*i), 8))
		}
		p.s("]}")
		return
	}
	end := uint64(0)
	for i, off := uint64(0), start; i < count; i++ {
		if i > 0 && off <= end || !fits(off, entry.size) {
			misplaced(entry.name)
			return
		}
		if i >= uint64(p.o.Strings) {
			p.s(", ...")
			return
		}
		end = off + entry.size
		next := load(v.data, int(off)+entry.next, 4)
		switch kind {
		case mapperTargets:
			field(", {sector_start=", off, 8)
			field(", length=", off+8, 8)
			if after {
				p.s(", status=")
				p.dec(signExtend(load(v.data, int(off)+16, 4), 4))
			}
			p.s(", target_type=")
			s, ended := trimNUL(v.data[off+24 : off+40])
			p.path(s, !ended)
			p.s(", string=")
			text(end)
			if after { // status counts from the first
				off = start
			}
		case mapperNames:
			p.s(", {dev=")
			p.dev(load(v.data, int(off), 8))
			p.s(", name=")
			text(end)
		case mapperVersions:
			p.s(", {name=")
			text(end)
			field(", version=[", off+4, 4)
			field(", ", off+8, 4)
			field(", ", off+12, 4)
			p.c(']')
		}
		p.c('}')
		if kind != mapperTargets && next == 0 {
			return
		}
		off += next
	}
}

// mapperEntries are the structures that the data consists of: their sizes
// without the text that follows, and where they say how far the next one is.
var mapperEntries = [...]struct {
	name string
	size uint64
	next int
}{
	mapperString:   {name: "string"},
	mapperTargets:  {"struct dm_target_spec", 40, 20},
	mapperNames:    {"struct dm_name_list", 12, 8},
	mapperVersions: {"struct dm_target_versions", 16, 0},
	mapperDeps:     {"struct dm_target_deps", 8, 0},
	mapperMessage:  {"struct dm_target_msg", 8, 0},
}
