package replay

import (
	"encoding/binary"
	"testing"

	"sysreel/analyze"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
	"sysreel/proto/world"
)

// linkMessage is a message of rtnetlink that tells the name of an interface.
func linkMessage(kind uint16, index uint32, name string) []byte {
	size := 32 + 4 + len(name) + 1
	d := binary.LittleEndian.AppendUint32(nil, uint32(size))
	d = binary.LittleEndian.AppendUint16(d, kind)
	d = append(d, make([]byte, 14)...)
	d = binary.LittleEndian.AppendUint32(d, index)
	d = append(d, make([]byte, 8)...)
	d = binary.LittleEndian.AppendUint16(d, uint16(4+len(name)+1))
	d = binary.LittleEndian.AppendUint16(d, iflaIfname)
	d = append(append(d, name...), 0)
	for len(d)%4 != 0 {
		d = append(d, 0)
	}
	return d
}

// Names of interfaces are learned from what calls answer, but not where the caller
// is in another network namespace.
func TestInterfaces(t *testing.T) {
	n := NewInterfaces(&tracepb.Header{Interfaces: []*tracepb.Interface{{Index: 1, Name: []byte("lo")}}})
	process := &world.Process{}
	call := func(p *world.Process, name string, args ...uint64) *analyze.Call {
		e := &tracefile.Event{Kind: tracefile.Syscall}
		copy(e.Args[:], args)
		return &analyze.Call{Event: e, Name: name, Process: p}
	}
	request := func(p *world.Process, name string, index uint32) {
		c := call(p, "ioctl", 3, siocGIFIndex)
		data := make([]byte, 40)
		copy(data, name)
		binary.LittleEndian.PutUint32(data[16:], index)
		c.Bufs = []tracefile.Buf{{Arg: 2, Parent: -1, Phase: tracefile.AtExit, Data: data}}
		n.see(c)
	}
	want := func(index uint32, name string) {
		t.Helper()
		if got := n.Name(index); got != name {
			t.Errorf("interface %d is %q, want %q", index, got, name)
		}
	}
	want(1, "lo")
	request(process, "d0", 7)
	want(7, "d0")
	n.messages(call(process, "recvmsg"), append(linkMessage(rtmNewLink, 8, "d1"), linkMessage(rtmNewLink, 9, "bridge0")...))
	want(8, "d1")
	want(9, "bridge0")
	n.messages(call(process, "recvmsg"), linkMessage(rtmDelLink, 8, "d1"))
	want(8, "")

	child := &world.Process{Parent: process}
	n.see(call(child, "unshare", cloneNewNet))
	request(child, "other", 7)
	request(&world.Process{Parent: child}, "other", 7)
	request(process, "d2", 10)
	want(7, "d0")
	want(10, "d2")

	whole := linkMessage(rtmNewLink, 8, "d1")
	for size := range whole { // of a message that is cut nothing wrong is learned
		n.messages(call(process, "recvmsg"), whole[:size])
	}
	if got := n.Name(8); got != "" && got != "d1" {
		t.Errorf("of a message that was cut: %q", got)
	}
}
