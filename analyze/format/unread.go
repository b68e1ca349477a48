package format

import (
	"math/bits"

	"sysreel/proto/syscalls"
)

// atExit are the arguments that strace looks at when the call has ended, and
// only if it did well, though the kernel reads them: bits by register.
var atExit = map[string]uint8{
	"adjtimex": 1, "stime": 1, "clock_adjtime": 1 << 1, "clock_adjtime64": 1 << 1,
	"epoll_pwait": 1 << 4, "epoll_pwait2": 1<<3 | 1<<4, "recvmmsg": 1 << 1, "recvmmsg_time64": 1 << 1,
}

// atOnce are the arguments of which one is 0 where strace prints the whole call when
// it begins: bits by register. With returns it looks at its end all the same.
var atOnce = map[string]uint8{
	"accept": 1<<1 | 1<<2, "accept4": 1<<1 | 1<<2, "getsockname": 1<<1 | 1<<2, "getpeername": 1<<1 | 1<<2,
	"rt_sigtimedwait": 1<<1 | returns, "rt_sigtimedwait_time64": 1<<1 | returns, "sendfile": 1 << 2, "sendfile64": 1 << 2,
}

const returns = 1 << 7

// most are the numbers of elements or bytes beyond which the kernel refuses an
// array without a look at it.
var most = map[string]uint64{
	"kexec_load":  16,                       // KEXEC_SEGMENT_MAX, include/uapi/linux/kexec.h
	"setgroups":   65536,                    // NGROUPS_MAX, include/uapi/linux/limits.h
	"setgroups32": 65536, "sethostname": 64, // __NEW_UTS_LEN, include/uapi/linux/utsname.h
	"setdomainname": 64,
	"setxattr":      65536, "lsetxattr": 65536, "fsetxattr": 65536, // XATTR_SIZE_MAX, include/uapi/linux/limits.h
	"fsconfig": 1 << 20, // of FSCONFIG_SET_BINARY, fs/fsopen.c
}

// emptyAnyway are the calls of which an array without room for an element is
// written as [] when they fail too.
var emptyAnyway = map[string]bool{"listmount": true, "listns": true, "mincore": true, "move_pages": true, "get_mempolicy": true, "sendmmsg": true}

// attributes are the calls whose data are the value of an extended attribute.
var attributes = map[string]bool{
	"setxattr": true, "lsetxattr": true, "fsetxattr": true, "setxattrat": true, "getxattr": true, "lgetxattr": true, "fgetxattr": true, "getxattrat": true,
}

// unread tells whether strace prints the address of what register reg points to
// and not the value.
func (p *printer) unread(t *syscalls.Type, reg int) bool {
	name, code := p.d.Name, p.known()
	if code.atExit>>reg&1 != 0 && p.ended() && p.failed() {
		return true
	}
	if t.Name == "nodemask" {
		_, ok := p.nodeWords()
		return !ok
	}
	switch name {
	case "rseq":
		return p.e.Args[0]%32 != 0
	case "accept", "accept4", "getsockname", "getpeername":
		return reg == 2 && p.e.Args[1] == 0
	case "recvfrom":
		return reg == 5 && p.e.Args[4] == 0
	case "bind", "connect":
		return int32(p.e.Args[2]) < 0
	case "sendto":
		return reg == 4 && int32(p.e.Args[5]) < 0
	}
	if t.Kind != syscalls.Array && code.most == 0 || t.Elem == nil && t.Kind == syscalls.Array {
		return false
	}
	for i := range p.d.Copies {
		c := &p.d.Copies[i]
		if c.Parent >= 0 || int(c.Arg) != reg || c.Mode != syscalls.Counted || c.Count[0].From != syscalls.LenArg || c.Count[0].Val > 5 {
			continue
		}
		n := p.e.Args[c.Count[0].Val]
		if p.arch.PtrSize() == 4 || c.Count[0].Size == 4 {
			n = uint64(uint32(n))
		}
		if name == "io_submit" && p.arch.PtrSize() == 4 { // takes a long
			n = uint64(int32(n))
		}
		hi, _ := bits.Mul64(n, uint64(c.Unit))
		limit := code.most
		return limit != 0 && n > limit || hi != 0
	}
	return false
}

// overlong tells whether of what a member of v points to the address is all that
// strace prints, because no memory can be as long as another member says.
func (p *printer) overlong(t *syscalls.Type, v view, addr uint64) bool {
	l := t.Len
	if l.From != syscalls.LenField || t.Kind != syscalls.Array && t.Kind != syscalls.Bytes {
		return false
	}
	n := load(v.data, int(l.Val), int(l.Size))
	if t.Kind == syscalls.Bytes {
		const most = 65536 // XATTR_SIZE_MAX, include/uapi/linux/limits.h
		return p.d != nil && p.d.Name == "setxattrat" && n > most
	}
	hi, size := bits.Mul64(n, uint64(t.Elem.Size))
	return hi != 0 || size != 0 && addr+size <= addr
}

// least is the size of the first version of a structure that has grown since; a
// caller that states less is refused.
var least = map[string]int{"mount_attr": 32, "open_how": 24, "xattr_args_in": 16, "xattr_args_out": 16}
