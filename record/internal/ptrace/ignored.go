//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Before any code of ours runs, Go's runtime has put handlers in place of all
// ignored signals but SIGHUP, SIGINT and those of job control, so that a
// command would find SIGPIPE at its default where nohup(1) or a service
// manager ignores it. What was there before the runtime keeps to itself, in
// runtime.fwdSig (runtime/signal_unix.go). The linker lets nobody refer to that
// variable; it is found by its name in the symbol table of the executable.
// Where there is none (go build -ldflags=-s), or the variable is not what it
// was, the signals stay lost.

// anchor is a variable whose address is known both here and in the symbol table.
var anchor byte

const sigIgn = 1 // SIG_IGN

// inheritedIgnored returns the signals that were ignored when this process was
// executed: bit N−1 for signal N.
func inheritedIgnored() (mask uint64) {
	const signals = 65 // 0 to 64
	saved, at, ok := symbols("runtime.fwdSig", signals*8, "sysreel/record/internal/ptrace.anchor")
	if !ok {
		return 0
	}
	var actions [signals * 8]byte
	saved += uint64(uintptr(unsafe.Pointer(&anchor))) - at // where the kernel has loaded it
	local := []unix.Iovec{{Base: &actions[0], Len: uint64(len(actions))}}
	remote := []unix.RemoteIovec{{Base: uintptr(saved), Len: len(actions)}}
	if n, err := unix.ProcessVMReadv(os.Getpid(), local, remote, 0); err != nil || n != len(actions) {
		return 0
	}
	for signo := 1; signo < signals; signo++ {
		if binary.NativeEndian.Uint64(actions[8*signo:]) == sigIgn {
			mask |= 1 << (signo - 1)
		}
	}
	return mask
}

// symbols returns the addresses of two variables as this program's symbol
// table has them. The first must have the size given.
func symbols(one string, size uint64, two string) (a, b uint64, ok bool) {
	image, err := mapFile("/proc/self/exe") // a megabyte of symbols: not read
	if err != nil {
		return 0, 0, false
	}
	defer unix.Munmap(image)
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, 0, false
	}
	table := f.SectionByType(elf.SHT_SYMTAB)
	if table == nil || int(table.Link) >= len(f.Sections) {
		return 0, 0, false
	}
	syms, names := content(image, table), content(image, f.Sections[table.Link])
	// Some ten thousand names: looked for as bytes, not made into strings.
	find := func(name string) (s elf.Sym64, ok bool) {
		at := bytes.Index(names, []byte("\x00"+name+"\x00"))
		for rest := syms; at >= 0 && len(rest) >= elf.Sym64Size; rest = rest[elf.Sym64Size:] {
			if f.ByteOrder.Uint32(rest) == uint32(at+1) {
				_, err := binary.Decode(rest, f.ByteOrder, &s)
				return s, err == nil
			}
		}
		return s, false
	}
	first, ok := find(one)
	if !ok || first.Size != size {
		return 0, 0, false
	}
	second, ok := find(two)
	return first.Value, second.Value, ok
}

// mapFile maps a file to be read. It is for unix.Munmap to give back.
func mapFile(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	return unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_PRIVATE)
}

// content returns a section where it stands in a file, nil if it does not.
func content(image []byte, s *elf.Section) []byte {
	if s.Offset > uint64(len(image)) || s.FileSize > uint64(len(image))-s.Offset {
		return nil
	}
	return image[s.Offset:][:s.FileSize]
}
