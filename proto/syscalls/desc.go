// Package syscalls describes Linux system calls: which memory a recorder copies
// and what type each argument has. It depends on no operating system.
//
// The text files beside it are the only source: linux.txt (prototypes; its
// head defines the notation), flags.txt, types.txt, errno.txt, signals.txt.
// They are embedded, and parsed piece by piece as calls are looked up. All
// functions are safe for concurrent use.
package syscalls

import (
	"slices"
	"sync"
)

// Arch is a system-call architecture: the numbering and data layout that a
// call uses. The values are written to traces: never renumber.
type Arch uint8

const (
	AMD64 Arch = 1
	ARM64 Arch = 2
	I386  Arch = 3 // also int 0x80 in a 64-bit process
	X32   Arch = 4 // AMD64 numbers with bit 30 set; named, not described
)

// PtrSize returns the size of a pointer and of a long, in bytes.
func (a Arch) PtrSize() int {
	if a == I386 || a == X32 {
		return 4
	}
	return 8
}

// Kind is the shape of a Type.
type Kind uint8

const (
	Int     Kind = 1  // integer
	Flags   Kind = 2  // bit set over Type.Consts
	Enum    Kind = 3  // one of Type.Consts
	Pointer Kind = 4  // address of an Elem that is (or is not) copied
	Struct  Kind = 5  // Fields
	Array   Kind = 6  // Elem, repeated
	Bytes   Kind = 7  // data: printed as a quoted string, cut at --snap
	String  Kind = 8  // text up to NUL; Name "path" when it names a file, "cstr" with a Size in a structure
	Special Kind = 9  // decoded by code in analyze/format chosen by Name
	Union   Kind = 10 // Fields overlap; Fields[0] is printed unless Special code knows better
)

// Base is how an Int is written.
type Base uint8

const (
	Dec Base = iota
	Hex
	Oct
)

// Type is a C type as a call sees it on one architecture. Types are shared and
// must not be changed.
type Type struct {
	Kind Kind
	Name string // of the notation: "fd", "size", "path", "stat", "open_flags"
	// Sym numbers the names: from 1 on, the same for types of the same name on
	// all architectures. It is 0 where a type is not one of the table's own.
	Sym    uint16
	Size   int // bytes in memory on this architecture; 0 if not fixed
	Signed bool
	Base   Base
	Elem   *Type   // Pointer, Array
	Fields []Field // Struct, Union
	Consts *Consts // Flags, Enum
	Len    Length  // Array, Bytes in a struct or behind a pointer
	Dir    Dir     // Pointer: how the pointee flows
	// Again are the Fields of a Struct that are printed a second time, after
	// "=>", when the call has ended well. Split: some fields are looked at
	// only then (Field.After, Field.Changed), or again.
	// Bare: of one such field the value alone is printed, in brackets.
	Again []int
	Bare  bool
	Split bool
	// Gaps: of a Struct with Terse fields, "..." stands for each run of others.
	// Open: "..." ends the Struct always, if it has been printed to its end.
	Gaps, Open bool
	// Grows: of a Struct whose size the caller states, members that it does not
	// reach are 0, and bytes behind the last member are printed if one is set.
	Grows bool

	align int // Struct, Union: bytes
	// Of a Pointer, for the copy plan: both lengths; Elem is a prefix of Lens
	// bytes; copied even when the call fails.
	lens           []Length
	prefix, always bool
}

// Field is a member of a Struct or Union.
type Field struct {
	Name   string
	Off    int // bytes from the start of the structure
	Type   *Type
	Hidden bool // padding and reserved members: not printed
	Terse  bool // printed without -v too; strace abbreviates the others to "..."
	// Of a structure that is read and written: After is printed only as it
	// stands when the call has ended well, Changed both as it was and, after
	// "=>", as it stands then.
	After, Changed bool
	Varies         bool      // Changed, where it is another one then
	NonZero        bool      // printed only if a bit is set in it
	If             FieldCond // printed only if this holds
	// Of a structure that Grows: printed only if the caller states at least
	// Least bytes. Since: nor is what follows it, otherwise.
	Least int
	Since bool
	// Overlaid: it shares its place with others (Off).
	Overlaid bool
	// Deep: a pointer that is followed only with -v.
	Deep bool
	// Of a bit-field: its place in the little-endian integer at Off. Bits is
	// 0 for other fields.
	Shift, Bits uint8
}

// FieldCond is a condition on another member of the structure, an integer of
// Size bytes at Off: of its bits in Mask one is set or, where Any is not empty,
// they are one of Any. The zero FieldCond is always true.
type FieldCond struct {
	Off, Size int
	Mask      uint64
	Any       []uint64
	Not       bool // the contrary
	And       *FieldCond
}

// Holds reports whether the condition is true of the structure that data is, or
// the beginning of. Bytes that are not there are 0.
func (c *FieldCond) Holds(data []byte) bool {
	for ; c != nil && c.Size != 0; c = c.And {
		var n uint64
		for i := range min(c.Size, 8, max(0, len(data)-c.Off)) {
			n |= uint64(data[c.Off+i]) << (8 * i)
		}
		n &= c.Mask
		is := n != 0
		if len(c.Any) > 0 {
			is = slices.Contains(c.Any, n)
		}
		if is == c.Not {
			return false
		}
	}
	return true
}

// Get returns the member's value out of the integer at Off.
func (f *Field) Get(n uint64) uint64 {
	if f.Bits == 0 {
		return n
	}
	return n >> f.Shift & (1<<f.Bits - 1)
}

// Dir says when the memory behind a pointer means something.
type Dir uint8

const (
	NoDir Dir = iota
	In        // read by the kernel: copied at enter
	Out       // written by the kernel: copied at a successful exit
	InOut     // both
)

// Arg is an argument of a call.
type Arg struct {
	Name string
	Type *Type // a Pointer for in, out and inout arguments
	Reg  int   // index in Event.Args of the (low half of the) value
	Wide bool  // 64-bit value in two 32-bit registers (I386): Reg and Hi
	Hi   int   // register of the high half, if Wide
	// Label: strace prints "name=" before the value (clone).
	Label bool
	// If tells whether the argument is there at all (the mode of an open
	// that does not create). The zero Cond is always true.
	If Cond
}

// Cond is a condition on a register: one bit of Mask is set in it, or, where
// Any is not empty, Args[Reg]&Mask is one of Any.
type Cond struct {
	Reg  int
	Mask uint64
	Any  []uint64
}

// Holds reports whether the condition is true of a call's arguments.
func (c *Cond) Holds(args *[6]uint64) bool {
	if c.Mask == 0 {
		return true
	}
	v := args[c.Reg] & c.Mask
	if len(c.Any) == 0 {
		return v != 0
	}
	for _, a := range c.Any {
		if v == a {
			return true
		}
	}
	return false
}

// Desc describes a system call, or a variant of one, on one architecture.
type Desc struct {
	Arch Arch
	NR   uint32
	Name string // as strace prints it: "openat"
	// Variant is empty for the call itself, else tells its operation:
	// "TERMIOS" for ioctl$TERMIOS. See Select.
	Variant  string
	Args     []Arg
	Ret      *Type
	Proto    string   // the row's prototype in the table's notation
	Sets     []string // "file", "desc", "network", … without the leading %
	Match    []Match  // of a variant: all must hold
	Copies   []Copy   // what to copy, parents before children
	NoReturn bool     // exit, exit_group

	variants *variants // nil if the call has none
}

// Match is a condition of a variant on an argument: Args[Reg] & Mask == Value.
type Match struct {
	Reg   int
	Mask  uint64
	Value uint64
}

// Copy says to copy one piece of the caller's memory: address, number of
// units, and when. The list of a call is short, fixed in size and free of
// pointers, so that a BPF program can interpret it as well.
type Copy struct {
	Phase  uint8 // AtEnter, AtSuccess or AtExit
	Arg    int8  // argument (register) that is, or leads to, the pointer
	Parent int8  // index in Desc.Copies of the piece that holds the pointer; −1: the argument is the pointer
	Mode   CopyMode
	Data   bool      // payload: cut at --snap; else whole up to Max
	Off    uint16    // of the pointer in the parent, or in each of its units
	Stride uint16    // parent is an array of units of this size, each with a pointer; 0: one pointer
	Unit   uint32    // bytes of one unit
	Max    uint32    // never copy more than this many bytes (Data: no meaning)
	Count  [2]Length // number of units: the smaller; None in [1] if unused
	If     CopyIfs   // copied only if these hold
}

// CopyIf is a condition of a Copy: the number of Size bytes at Off of the
// parent's unit is Val or, with Not, is not.
type CopyIf struct {
	Off  uint16
	Size uint8
	Not  bool
	Val  uint32
}

// CopyIfs are conditions that must all be true: those before the first with a
// Size of 0.
type CopyIfs [3]CopyIf

// Hold reports whether the conditions are true of the parent's unit.
func (cs *CopyIfs) Hold(unit []byte) bool {
	for _, c := range cs {
		if c.Size == 0 {
			break
		}
		var n uint64
		for i := range min(int(c.Size), max(0, len(unit)-int(c.Off))) {
			n |= uint64(unit[int(c.Off)+i]) << (8 * i)
		}
		if (n == uint64(c.Val)) == c.Not {
			return false
		}
	}
	return true
}

// and returns the conditions with those of a field of a structure at offset off
// of the unit, as far as they can be expressed and there is room for them.
func (cs CopyIfs) and(f *FieldCond, off int) CopyIfs {
	n := 0
	for n < len(cs) && cs[n].Size != 0 {
		n++
	}
	for ; f != nil && f.Size != 0 && n < len(cs); f = f.And {
		if len(f.Any) == 1 && f.Any[0] <= 1<<32-1 {
			cs[n] = CopyIf{Off: uint16(off + f.Off), Size: uint8(f.Size), Not: f.Not, Val: uint32(f.Any[0])}
			n++
		}
	}
	return cs
}

// Phases of a Copy.
const (
	AtEnter   = 0 // before the kernel runs the call
	AtSuccess = 1 // at exit, if the result is no error
	AtExit    = 2 // at exit, whatever the result (nanosleep's remaining time)
)

// CopyMode says how the end of a piece is found.
type CopyMode uint8

const (
	Counted  CopyMode = 0 // Unit × Count bytes
	CString  CopyMode = 1 // up to and with NUL
	Pointers CopyMode = 2 // array of pointers up to and with NULL
)

// Length is a number known when the call is seen.
type Length struct {
	From LengthFrom
	Val  uint32 // LenConst: value. LenArg, LenDeref, LenIoctl: register. LenField: offset in the unit of the parent
	Off  uint16 // LenDeref: of the integer behind the pointer
	Size uint8  // LenDeref, LenField: bytes of the number; LenArg: low bytes of the register that count
	Sub  uint32 // subtract this first, as far as 0
	Div  uint32 // divide by this, rounding up; 0 or 1: not
	Mul  uint32 // then multiply by this; 0 or 1: not
	Add  uint32 // then add this
}

// LengthFrom is where a Length comes from.
type LengthFrom uint8

const (
	LenNone  LengthFrom = 0
	LenConst LengthFrom = 1
	LenArg   LengthFrom = 2 // a register
	LenRet   LengthFrom = 3 // the result
	LenDeref LengthFrom = 4 // the integer behind the pointer in a register, at Off (recvfrom's addrlen)
	LenField LengthFrom = 5 // a member of the parent's unit (iovec.iov_len)
	LenRest  LengthFrom = 6 // what is left of the result after the parent's earlier units (readv)
	LenIoctl LengthFrom = 7 // the size that the ioctl request in a register carries (_IOC_SIZE)
)

// Consts is a named set of constants.
type Consts struct {
	Name string
	Enum bool // one of them; else bits
	// Values in the table's order, which is the order of printing.
	Values []Const
	Prefix string           // for unknown values: "O_" gives "0x… /* O_??? */"
	Header string           // the kernel header they come from
	byVal  map[uint64]int32 // of an Enum: index in Values, also by the low 32 bits of negative ones
	named  sync.Once        // guards byName
	byName map[string]int32 // index in Values
	whole  bool             // parsed to the end
	joined []uint64         // values of which all names are printed
	absent []string         // names that other architectures have
	// numbers are fields of bits printed as numbers: name with a verb, mask.
	numbers   []Const
	rest      bool // bits left over behind a field alone have the comment
	field     bool // an unknown value of the first field is printed first
	decimal   bool // values without a name are 32-bit numbers (key serials)
	commented bool // the number is printed, and the name in a comment
}

// Const is one constant. Mask, where not zero, says which bits it is about
// (O_ACCMODE for O_RDONLY, S_IFMT for S_IFREG).
type Const struct {
	Name   string
	Val    uint64
	Mask   uint64
	Hidden bool // known by name, never printed
}
