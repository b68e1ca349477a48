package world

import "sysreel/proto/tracepb"

// innerID is a number in a PID namespace below the recorder's.
type innerID struct {
	namespace uint64
	tid       int32
}

// inner are the numbers that threads have in such namespaces. nested has all those
// of the World.
type inner struct {
	ids    []innerID // the thread's, of its own namespace first
	nested map[innerID]*Thread
	gone   int64 // ns: nobody has the numbers since; 0: not
}

// Namespace returns the inode of the thread's PID namespace; 0 where that is the
// recorder's, or not known.
func (t *Thread) Namespace() uint64 {
	if t == nil || len(t.inner.ids) == 0 {
		return 0
	}
	return t.inner.ids[0].namespace
}

// Outer returns what the recorder calls the thread that at a time has the number
// tid in t's PID namespace; 0 if it is gone. known is false where no thread of the
// trace has had that number.
func (t *Thread) Outer(tid int32, at int64) (outer int32, known bool) {
	if t.Namespace() == 0 {
		return tid, true
	}
	other := t.named(tid)
	switch {
	case other == nil:
		return 0, false
	case other.inner.gone != 0 && at >= other.inner.gone:
		return 0, true
	}
	return other.TID, true
}

func (t *Thread) named(tid int32) *Thread {
	return t.inner.nested[innerID{t.inner.ids[0].namespace, tid}]
}

// Reaped notes that t has waited for the end of the process that it calls tid: from
// then on nobody has the number. It does nothing where the process lives.
func (t *Thread) Reaped(tid int32, at int64) {
	if t.Namespace() == 0 {
		return
	}
	if other := t.named(tid); other != nil && other.Ended && other.inner.gone == 0 {
		other.inner.gone = at
	}
}

// nest takes over the numbers of a thread.
func (w *World) nest(t *Thread, ids []*tracepb.InnerID) {
	if len(ids) == 0 {
		return
	}
	if w.nested == nil {
		w.nested = make(map[innerID]*Thread)
	}
	t.inner = inner{nested: w.nested}
	for _, id := range ids {
		key := innerID{id.Namespace, id.Tid}
		t.inner.ids = append(t.inner.ids, key)
		w.nested[key] = t
	}
}

// unnest forgets a thread's numbers.
func (w *World) unnest(t *Thread) {
	for _, key := range t.inner.ids {
		if w.nested[key] == t {
			delete(w.nested, key)
		}
	}
}
