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
