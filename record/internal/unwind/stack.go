//go:build linux && (amd64 || arm64)

package unwind

// memory reads a thread's stack: in large pieces, since a read costs more than
// its bytes.
type memory struct {
	// read copies memory into a buffer and returns how much of it there was.
	read    func(addr uint64, into []byte) int
	windows [maxWindows]window
	used    int
	next    int // that is given up for another
	first   uint64
	far     uint64 // end of what was needed of the first window
}

// window is a piece of memory that has been read.
type window struct {
	addr  uint64
	data  []byte
	short bool // it ends where memory cannot be read
}

const (
	maxWindows = 8
	grain      = 512      // bytes that a read is a multiple of
	maxGrow    = 64 << 10 // by which a window grows at most
	maxWindow  = 1 << 20
)

// reset forgets what was read, and reads size bytes from addr on.
func (m *memory) reset(addr, size uint64) {
	m.used, m.next = 0, 0
	m.first, m.far = addr, addr
	m.open(addr, size)
}

// open reads a new window.
func (m *memory) open(addr, size uint64) *window {
	w := &m.windows[m.next]
	if m.used < maxWindows {
		w = &m.windows[m.used]
		m.used++
	} else {
		m.next = 1 + m.next%(maxWindows-1)
	}
	w.addr, w.data = addr, w.data[:0]
	m.grow(w, size)
	return w
}

// grow reads more of a window.
func (m *memory) grow(w *window, size uint64) {
	size = (size + grain - 1) &^ (grain - 1)
	at := len(w.data)
	if need := at + int(size); need > cap(w.data) {
		b := make([]byte, at, max(need, 2*cap(w.data)))
		copy(b, w.data)
		w.data = b
	}
	n := max(0, m.read(w.addr+uint64(at), w.data[at:at+int(size)]))
	w.data = w.data[:at+n]
	w.short = n == 0 // less than asked for may be a matter of how it is read
}

// word reads a number of 1, 2, 4 or 8 bytes.
func (m *memory) word(addr uint64, size int) (uint64, bool) {
	end := addr + uint64(size)
	if end < addr {
		return 0, false
	}
	for i := range m.used {
		w := &m.windows[i]
		if addr < w.addr || addr-w.addr > uint64(len(w.data))+maxGrow/2 {
			continue
		}
		for end > w.addr+uint64(len(w.data)) && !w.short && len(w.data) < maxWindow {
			m.grow(w, min(max(uint64(len(w.data)), end-w.addr-uint64(len(w.data))), maxGrow))
		}
		if end <= w.addr+uint64(len(w.data)) {
			if i == 0 {
				m.far = max(m.far, end)
			}
			d := data{b: w.data, at: int(addr - w.addr)}
			return d.uint(size), true
		}
		if addr-w.addr < uint64(len(w.data)) || w.short {
			return 0, false
		}
	}
	w := m.open(addr&^(grain-1), grain)
	if addr < w.addr || end > w.addr+uint64(len(w.data)) {
		return 0, false
	}
	d := data{b: w.data, at: int(addr - w.addr)}
	return d.uint(size), true
}
