package tracefile

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// Stack is a place in a program, and the places that it was called from. Stacks
// that have callers in common share them; they never change. Events with the
// same pointer have the same stack; the opposite need not hold.
type Stack struct {
	// Object is the file that is mapped there, nil for memory without a file.
	Object *Object
	// Offset of the place in the file; without an Object its address.
	Offset uint64
	// Exact says that Offset is of the instruction to be executed next: a
	// signal came before it. Else that is the one behind a call (or behind
	// the instruction that made the system call): what belongs to the frame
	// is the byte before it.
	Exact bool
	// Partial says that there may have been callers that are not known.
	// Caller is nil then.
	Partial bool
	Caller  *Stack // nil: the outermost
}

// Object is a file with code, as it was mapped.
type Object struct {
	Path    string // as in /proc/PID/maps: "[vdso]" is one too; deleted ones end in " (deleted)"
	BuildID string // the bytes of its GNU build ID, "" if it has none
	// Bias is what is to be added to an offset in the file to get a virtual
	// address as in the file's own headers and symbols.
	Bias int64
	// Size in bytes and Mtime in ns since 1970 tell files without a BuildID
	// apart; else they are 0.
	Size  uint64
	Mtime int64
}

// MaxStack is the most frames that a stack has; a longer one is Partial.
const MaxStack = 1024

// frameKey tells frames apart.
type frameKey struct {
	object uint32 // in stackBuilder.objects, plus 1
	exact  bool
	offset uint64
}

// nodeKey tells the nodes of the tree of stacks apart.
type nodeKey struct {
	frame  uint32
	caller uint32 // node, plus 2; 0: none, 1: not known
}

// stackBuilder collects the stacks of a block.
type stackBuilder struct {
	objects  []*Object
	frames   []frameKey
	nodes    []nodeKey
	bases    []uint64
	objectOf map[*Object]uint32
	frameOf  map[frameKey]uint32
	nodeOf   map[nodeKey]uint32
	known    map[*Stack]uint32 // node
	baseOf   map[uint64]uint32
	path     []*Stack
}

func (b *stackBuilder) reset() {
	if len(b.nodes) == 0 {
		return
	}
	b.objects, b.frames, b.nodes, b.bases = b.objects[:0], b.frames[:0], b.nodes[:0], b.bases[:0]
	clear(b.objectOf)
	clear(b.frameOf)
	clear(b.nodeOf)
	clear(b.known)
	clear(b.baseOf)
}

// add returns the node of a stack, plus 1, and how many nodes are new.
func (b *stackBuilder) add(s *Stack) (node uint32, fresh int) {
	if n, ok := b.known[s]; ok {
		return n + 1, 0
	}
	if b.known == nil {
		b.objectOf = make(map[*Object]uint32)
		b.frameOf = make(map[frameKey]uint32)
		b.nodeOf = make(map[nodeKey]uint32)
		b.known = make(map[*Stack]uint32)
		b.baseOf = make(map[uint64]uint32)
	}
	b.path = b.path[:0]
	key := nodeKey{}
	for at := s; at != nil; at = at.Caller {
		if n, ok := b.known[at]; ok {
			key.caller = n + 2
			break
		}
		if len(b.path) == MaxStack {
			key.caller = 1
			break
		}
		if at.Partial {
			key.caller = 1
		}
		b.path = append(b.path, at)
	}
	before := len(b.nodes)
	for i := len(b.path) - 1; i >= 0; i-- {
		at := b.path[i]
		key.frame = b.frame(at)
		n, ok := b.nodeOf[key]
		if !ok {
			n = uint32(len(b.nodes))
			b.nodes = append(b.nodes, key)
			b.nodeOf[key] = n
		}
		b.known[at] = n
		key.caller = n + 2
	}
	return key.caller - 1, len(b.nodes) - before
}

func (b *stackBuilder) frame(s *Stack) uint32 {
	k := frameKey{exact: s.Exact, offset: s.Offset}
	if s.Object != nil {
		k.object = b.object(s.Object) + 1
	}
	f, ok := b.frameOf[k]
	if !ok {
		f = uint32(len(b.frames))
		b.frames = append(b.frames, k)
		b.frameOf[k] = f
	}
	return f
}

func (b *stackBuilder) object(o *Object) uint32 {
	i, ok := b.objectOf[o]
	if !ok {
		for i = 0; int(i) < len(b.objects) && *b.objects[i] != *o; i++ {
		}
		if int(i) == len(b.objects) {
			b.objects = append(b.objects, o)
		}
		b.objectOf[o] = i
	}
	return i
}

// base returns the index of a base.
func (b *stackBuilder) base(v uint64) uint32 {
	i, ok := b.baseOf[v]
	if !ok {
		i = uint32(len(b.bases))
		b.bases = append(b.bases, v)
		b.baseOf[v] = i
	}
	return i
}

// addStack notes the stack of e, the last row of s.
func (b *builder) addStack(s *shapeBuilder, e *Event) {
	node, fresh := b.stacks.add(e.Stack)
	base := uint64(0)
	if e.Stack.Object != nil {
		base = e.IP - e.Stack.Offset
	}
	row := len(s.ret) - 1
	for len(s.stack) < row {
		s.stack, s.base = append(s.stack, 0), append(s.base, 0)
	}
	s.stack = append(s.stack, uint64(node))
	s.base = append(s.base, uint64(b.stacks.base(base)))
	b.bytes += 4 + 32*fresh
}

// Field numbers of Detail, ShapeDetail, Stacks and Object.
const (
	detailStacks = 35

	sdStack = 35
	sdBase  = 36

	stacksObject      = 1
	stacksFrameObject = 2
	stacksFrameOffset = 3
	stacksFrameExact  = 4
	stacksNodeFrame   = 5
	stacksNodeCaller  = 6
	stacksBase        = 7
	stacksFrames      = 8
	stacksNodes       = 9
	stacksBases       = 10

	objectPath    = 1
	objectBuildID = 2
	objectBias    = 3
	objectSize    = 4
	objectMtime   = 5
)

// rowStacks appends the columns of a shape's rows, if any has a stack.
func (n *encoder) rowStacks(m []byte, s *shapeBuilder) []byte {
	if len(s.stack) == 0 {
		return m
	}
	for len(s.stack) < len(s.ret) {
		s.stack, s.base = append(s.stack, 0), append(s.base, 0)
	}
	m = n.column.append(m, sdStack, s.stack, related{thread: s.thread})
	return n.column.append(m, sdBase, s.base, related{thread: s.thread})
}

// stacks appends the Stacks message.
func (n *encoder) stacks(dst []byte, b *stackBuilder) []byte {
	if len(b.nodes) == 0 {
		return dst
	}
	cut := len(n.column.cuts)
	m := n.table[:0]
	for _, o := range b.objects {
		om := n.slot[:0]
		om = appendBytes(om, objectPath, []byte(o.Path))
		if o.BuildID != "" {
			om = appendBytes(om, objectBuildID, []byte(o.BuildID))
		}
		om = appendUint(om, objectBias, zigzag(o.Bias))
		om = appendUint(om, objectSize, o.Size)
		om = appendUint(om, objectMtime, uint64(o.Mtime))
		m = appendBytes(m, stacksObject, om)
		n.slot = om
	}
	// Frames near each other have small differences.
	order := make([]uint32, len(b.frames))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(i, j uint32) int {
		x, y := &b.frames[i], &b.frames[j]
		return cmp.Or(cmp.Compare(x.object, y.object), cmp.Compare(x.offset, y.offset), b2i(x.exact)-b2i(y.exact))
	})
	place := make([]uint32, len(order))
	for i, f := range order {
		place[f] = uint32(i)
	}
	column := func(field protowire.Number, count int, at func(i int) uint64) {
		nums := n.nums[:0]
		for i := range count {
			nums = append(nums, at(i))
		}
		n.nums = nums
		m = n.column.append(m, field, nums, related{})
	}
	column(stacksFrameObject, len(order), func(i int) uint64 { return uint64(b.frames[order[i]].object) })
	column(stacksFrameOffset, len(order), func(i int) uint64 { return b.frames[order[i]].offset })
	column(stacksFrameExact, len(order), func(i int) uint64 { return uint64(b2i(b.frames[order[i]].exact)) })
	column(stacksNodeFrame, len(b.nodes), func(i int) uint64 { return uint64(place[b.nodes[i].frame]) })
	column(stacksNodeCaller, len(b.nodes), func(i int) uint64 {
		if c := b.nodes[i].caller; c >= 2 {
			return uint64(i) - uint64(c-2) + 1
		}
		return uint64(b.nodes[i].caller)
	})
	column(stacksBase, len(b.bases), func(i int) uint64 { return b.bases[i] })
	m = appendUint(m, stacksFrames, uint64(len(order)))
	m = appendUint(m, stacksNodes, uint64(len(b.nodes)))
	m = appendUint(m, stacksBases, uint64(len(b.bases)))
	n.table = m
	return n.column.nest(dst, detailStacks, m, cut)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// maxObjects bounds the mapped files of a block.
const maxObjects = 1 << 14

// decodeStacks decodes a Stacks message. The stacks are new ones: events may be
// kept longer than the block.
func (b *Block) decodeStacks(msg []byte) error {
	if msg == nil {
		return nil
	}
	var objects []*Object
	var cols [stacksBase + 1][]byte
	var frames, nodes, bases uint64
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		if err := b.parts.spend(1); err != nil {
			return err
		}
		switch num {
		case stacksObject:
			if len(objects) == maxObjects {
				return errParts
			}
			o, err := decodeObject(data)
			objects = append(objects, o)
			return err
		case stacksFrames:
			frames = v
		case stacksNodes:
			nodes = v
		case stacksBases:
			bases = v
		default:
			if num < protowire.Number(len(cols)) {
				cols[num] = data
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if frames > maxPieces || nodes > maxPieces || bases > maxPieces {
		return errMalformed
	}
	// A column of one value takes no bytes, but these have different ones: so
	// many come from as many bytes.
	if n := uint64(len(msg)); frames > n+1 || nodes > n+1 || bases > n+1 {
		return errMalformed
	}
	var col [len(cols)]column
	for num, n := range map[int]uint64{stacksFrameObject: frames, stacksFrameOffset: frames, stacksFrameExact: frames,
		stacksNodeFrame: nodes, stacksNodeCaller: nodes, stacksBase: bases} {
		if col[num], err = b.column(cols[num], int(n), decodeRelated{}); err != nil {
			return err
		}
	}
	b.bases, b.nodes = col[stacksBase], make([]Stack, nodes)
	b.baseCount = int(bases)
	depth := make([]uint16, nodes)
	for i := range b.nodes {
		f := col[stacksNodeFrame].at(i)
		if f >= frames {
			return errMalformed
		}
		s := &b.nodes[i]
		o := col[stacksFrameObject].at(int(f))
		if o > uint64(len(objects)) {
			return errMalformed
		}
		if o > 0 {
			s.Object = objects[o-1]
		}
		s.Offset, s.Exact = col[stacksFrameOffset].at(int(f)), col[stacksFrameExact].at(int(f)) != 0
		switch c := col[stacksNodeCaller].at(i); {
		case c < 2:
			s.Partial = c == 1
		case c-1 > uint64(i):
			return errMalformed
		default:
			caller := i - int(c-1)
			if depth[i] = depth[caller] + 1; depth[i] >= MaxStack {
				return errMalformed
			}
			s.Caller = &b.nodes[caller]
		}
	}
	return nil
}

func decodeObject(msg []byte) (*Object, error) {
	o := new(Object)
	err := eachField(msg, func(num protowire.Number, v uint64, data []byte) error {
		switch num {
		case objectPath:
			o.Path = intern(data)
		case objectBuildID:
			o.BuildID = intern(data)
		case objectBias:
			o.Bias = unzigzag(v)
		case objectSize:
			o.Size = v
		case objectMtime:
			o.Mtime = int64(v)
		}
		return nil
	})
	return o, err
}

// decodeRowStacks decodes the columns of a shape's rows that have stacks.
func (b *Block) decodeRowStacks(s *shapeDetail, stack, base []byte, shape int) error {
	var err error
	if s.stack, err = b.shapeColumn(stack, shape, decodeRelated{}, &b.pool); err != nil {
		return err
	}
	if s.base, err = b.shapeColumn(base, shape, decodeRelated{}, &b.pool); err != nil {
		return err
	}
	for k := range int(b.perShape[shape]) {
		if n := s.stack.at(k); n > uint64(len(b.nodes)) || n > 0 && s.base.at(k) >= uint64(b.baseCount) {
			return errMalformed
		}
	}
	return nil
}

// stackOf fills in the stack of row k of a shape.
func (b *Block) stackOf(s *shapeDetail, k int, e *Event) {
	n := s.stack.at(k)
	if n == 0 {
		return
	}
	e.Stack = &b.nodes[n-1]
	e.IP = e.Stack.Offset
	if e.Stack.Object != nil {
		e.IP += b.bases.at(int(s.base.at(k)))
	}
}
