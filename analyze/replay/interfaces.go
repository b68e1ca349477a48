package replay

import "sysreel/proto/tracepb"

// Interfaces returns the names of the recording machine's network interfaces by
// their index, for [format.Options]; nil if the trace does not tell any.
func Interfaces(h *tracepb.Header) func(index uint32) string {
	if len(h.GetInterfaces()) == 0 {
		return nil
	}
	names := make(map[uint32]string)
	for _, i := range h.GetInterfaces() {
		names[i.GetIndex()] = string(i.GetName())
	}
	return func(index uint32) string { return names[index] }
}

// Families returns the names of the recording machine's families of generic
// netlink by their number, for [format.Options]; nil if the trace does not tell any.
func Families(h *tracepb.Header) func(id uint16) string {
	if len(h.GetFamilies()) == 0 {
		return nil
	}
	names := make(map[uint16]string)
	for _, f := range h.GetFamilies() {
		names[uint16(f.GetId())] = string(f.GetName())
	}
	return func(id uint16) string { return names[id] }
}
