package diff

// A symbol stands for a call in canonical form: what was done to what, and how
// it ended, without what varies between healthy runs. Equal calls of different
// runs have equal symbols.
type symbol uint32

// A step is a call as the comparison keeps it: 16 bytes, so that two traces of
// ten million events take 320 MB.
type step struct {
	sym  symbol
	attr uint32  // hash of what is compared between aligned calls only; 0: nothing
	num  uint32  // event number, modulo 2³²: order within a thread restores the rest
	dur  float32 // ns
}

// A class says how much a difference of a call means.
type class uint8

const (
	// effect: a call on a named object. Its presence and its result count.
	effect class = iota
	// stream: data moved on an object. How often is a matter of scheduling.
	stream
	// wait: the call waits for others. Counts mean nothing, time may.
	wait
	// quiet: memory, clocks, locks, masks. Only an unusual error counts.
	quiet
)

// form is what a symbol stands for.
type form struct {
	Name   string // the call, as made the first time
	Family string // what it is one of: "open" for openat
	Object string // what it acts on, canonical; may be empty
	Detail string // flags and modes that tell calls on one object apart
	Result string // "" ok, else an errno name, "killed", or a value class
	Class  class

	key symbol // stands for (Family, Object): equal for calls that differ in detail and result
}

// Failed reports whether the call failed.
func (f *form) Failed() bool { return f.Result != "" && f.Result[0] == 'E' }

// symbols interns forms. It is shared by all runs of a comparison, so memory is
// bounded by the distinct canonical calls, not by the events.
type symbols struct {
	list []form
	ids  map[string]symbol
	keys map[string]symbol
	buf  []byte
}

func newSymbols() *symbols {
	return &symbols{list: make([]form, 1), ids: map[string]symbol{}, keys: map[string]symbol{}}
}

// reserve returns a symbol that stands for no call.
func (t *symbols) reserve() symbol {
	t.list = append(t.list, form{})
	return symbol(len(t.list) - 1)
}

// intern returns the symbol of f; its first use decides Name.
func (t *symbols) intern(f form) symbol {
	b := append(t.buf[:0], f.Family...)
	b = append(append(b, 0), f.Object...)
	keyLen := len(b)
	b = append(append(b, 0), f.Detail...)
	b = append(append(b, 0), f.Result...)
	b = append(b, byte(f.Class))
	t.buf = b
	if s, ok := t.ids[string(b)]; ok {
		return s
	}
	f.key = t.keyOf(b[:keyLen], &f)
	s := t.reserve()
	t.list[s] = f
	t.ids[string(b)] = s
	return s
}

// key returns the symbol that stands for (Family, Object) of f.
func (t *symbols) key(f *form) symbol {
	b := append(t.buf[:0], f.Family...)
	b = append(append(b, 0), f.Object...)
	t.buf = b
	return t.keyOf(b, f)
}

func (t *symbols) keyOf(b []byte, f *form) symbol {
	if k, ok := t.keys[string(b)]; ok {
		return k
	}
	k := t.reserve()
	t.list[k] = form{Name: f.Name, Family: f.Family, Object: f.Object, Class: f.Class, key: k}
	t.keys[string(b)] = k
	return k
}

// form returns what s stands for. The result is valid until the next intern.
func (t *symbols) form(s symbol) *form { return &t.list[s] }
