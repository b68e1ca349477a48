//go:build linux && (amd64 || arm64)

package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Family is a family of NETLINK_GENERIC, which the kernel numbers as they come.
type Family struct {
	ID   uint16
	Name string
}

// Families asks the kernel for those it has now (CTRL_CMD_GETFAMILY of
// include/uapi/linux/genetlink.h). It does not wait; what goes wrong ends the list.
func Families() (list []Family) {
	const header, genl = unix.SizeofNlMsghdr, 4
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_GENERIC)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var ask [header + genl]byte
	binary.NativeEndian.PutUint32(ask[:], header+genl)
	binary.NativeEndian.PutUint16(ask[4:], unix.GENL_ID_CTRL)
	binary.NativeEndian.PutUint16(ask[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	ask[header], ask[header+1] = unix.CTRL_CMD_GETFAMILY, 1
	if unix.Sendto(fd, ask[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return nil
	}
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return list
		}
		for b := buf[:n]; len(b) >= header; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < header+genl || size > len(b) || binary.NativeEndian.Uint16(b[4:]) != unix.GENL_ID_CTRL {
				return list // the end, or an error
			}
			if f := familyOf(b[header+genl : size]); f.Name != "" {
				list = append(list, f)
			}
			b = b[min(align4(size), len(b)):]
		}
	}
}

// familyOf reads the attributes of a family.
func familyOf(b []byte) (f Family) {
	const head = unix.SizeofNlAttr
	for len(b) >= head {
		size := int(binary.NativeEndian.Uint16(b))
		if size < head || size > len(b) {
			break
		}
		switch v := b[head:size]; binary.NativeEndian.Uint16(b[2:]) {
		case unix.CTRL_ATTR_FAMILY_ID:
			if len(v) >= 2 {
				f.ID = binary.NativeEndian.Uint16(v)
			}
		case unix.CTRL_ATTR_FAMILY_NAME:
			f.Name = unix.ByteSliceToString(v)
		}
		b = b[min(align4(size), len(b)):]
	}
	return f
}

func align4(n int) int { return (n + 3) &^ 3 }
