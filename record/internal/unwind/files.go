//go:build linux && (amd64 || arm64)

package unwind

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sysreel/proto/tracefile"
)

// files are the mapped files that are known, of all processes.
type files struct {
	known map[fileID]*file
	vdso  map[string]*file // by the ELF header
	size  int
	buf   []byte
}

// fileID tells files apart: one that is written to becomes another.
type fileID struct {
	dev, ino uint64
	size     int64
	mtime    unix.Timespec
	name     string
}

type file struct {
	image   *image
	objects map[int64]*tracefile.Object // by bias
}

const (
	// maxSize bounds the bytes of call frame information that are kept.
	maxSize = 256 << 20
	// maxFiles bounds the number of files.
	maxFiles = 1 << 12
	// maxMapsText bounds what is read of /proc/PID/maps.
	maxMapsText = 16 << 20
)

// load reads what a process has mapped.
func (f *files) load(t *Target) {
	s := t.Space
	s.known, s.grown = true, false
	text := f.read("/proc/" + strconv.Itoa(t.TID) + "/maps")
	s.maps = parseMaps(text)
	if f.size > maxSize || len(f.known) > maxFiles {
		f.known, f.vdso, f.size = nil, nil, 0
	}
	for i := range s.maps {
		m := &s.maps[i]
		switch {
		case m.name == "[vdso]":
			f.attach(m, f.vDSO(m, t))
		case m.inode != 0:
			f.attach(m, f.file(m, t.TID))
		}
	}
}

// read returns the content of a file of /proc, valid until the next call.
func (f *files) read(name string) []byte {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	if f.buf == nil {
		f.buf = make([]byte, 16<<10)
	}
	for n := 0; ; {
		if n == len(f.buf) {
			if n >= maxMapsText {
				return f.buf[:n]
			}
			f.buf = append(f.buf, make([]byte, n)...)
		}
		m, err := unix.Read(fd, f.buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || m <= 0 {
			return f.buf[:n]
		}
		n += m
	}
}

// attach says what is mapped.
func (f *files) attach(m *mapping, file *file) {
	if file == nil {
		m.object = &tracefile.Object{Path: m.name}
		return
	}
	bias := file.image.bias(m.off)
	o := file.objects[bias]
	if o == nil {
		o = &tracefile.Object{Path: m.name, BuildID: file.image.buildID, Bias: bias}
		if o.BuildID == "" {
			o.Size, o.Mtime = file.image.fileSize, file.image.mtime
		}
		file.objects[bias] = o
	}
	m.object, m.image = o, file.image
}

// file returns the file of a mapping, nil if it cannot be read.
func (f *files) file(m *mapping, tid int) *file {
	// The file itself, whatever has become of its name. This takes
	// CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
	proc := "/proc/" + strconv.Itoa(tid)
	name := proc + "/map_files/" + strconv.FormatUint(m.from, 16) + "-" + strconv.FormatUint(m.to, 16)
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil {
		name = proc + "/root" + m.name
		if !strings.HasPrefix(m.name, "/") || unix.Stat(name, &st) != nil {
			return nil
		}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil // to open a device can have effects
	}
	id := fileID{uint64(st.Dev), st.Ino, st.Size, st.Mtim, m.name}
	if known := f.known[id]; known != nil {
		return known
	}
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	content := os.NewFile(uintptr(fd), name)
	defer content.Close()
	im := parse(content)
	im.fileSize, im.mtime = uint64(st.Size), st.Mtim.Nano()
	if f.known == nil {
		f.known = make(map[fileID]*file)
	}
	f.known[id] = f.add(im)
	return f.known[id]
}

func (f *files) add(im *image) *file {
	f.size += im.size
	return &file{image: im, objects: make(map[int64]*tracefile.Object)}
}

// vDSO returns the file that the kernel maps into processes.
func (f *files) vDSO(m *mapping, t *Target) *file {
	const most = 64 << 10
	if t.Read == nil {
		return nil
	}
	head := make([]byte, 64)
	if t.Read(m.from, head) != len(head) {
		return nil
	}
	if known := f.vdso[string(head)]; known != nil {
		return known
	}
	content := make([]byte, min(m.to-m.from, most))
	content = content[:max(0, t.Read(m.from, content))]
	if f.vdso == nil {
		f.vdso = make(map[string]*file)
	}
	f.vdso[string(head)] = f.add(parse(io.ReaderAt(bytes.NewReader(content))))
	return f.vdso[string(head)]
}
