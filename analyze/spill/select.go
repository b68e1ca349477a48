package spill

import (
	"container/heap"
	"errors"
)

// Select calls fn with every key of the table, its value, and whether it is among
// the n that come first. before is an order of what rank returns; keys of equal
// rank are in or out together. The table is gone through twice, so that no more
// than n ranks are held.
func Select[K comparable, V, R any](t *Table[K, V], n int, rank func(K, *V) R, before func(a, b *R) bool, fn func(k K, v *V, first bool) error) error {
	if len(t.runs) == 0 && len(t.rows) <= n {
		return t.Each(func(k K, v *V) error { return fn(k, v, true) })
	}
	if n <= 0 {
		return errors.New("none to select")
	}
	h := &ranks[R]{before: before}
	all := true
	err := t.Each(func(k K, v *V) error {
		r := rank(k, v)
		switch {
		case len(h.list) < n:
			heap.Push(h, r)
		case before(&r, &h.list[0]):
			all = false
			h.list[0] = r
			heap.Fix(h, 0)
		default:
			all = false
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.Each(func(k K, v *V) error {
		r := rank(k, v)
		return fn(k, v, all || !before(&h.list[0], &r))
	})
}

// ranks is a heap whose root comes last.
type ranks[R any] struct {
	list   []R
	before func(a, b *R) bool
}

func (h *ranks[R]) Len() int           { return len(h.list) }
func (h *ranks[R]) Less(i, j int) bool { return h.before(&h.list[j], &h.list[i]) }
func (h *ranks[R]) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *ranks[R]) Push(x any)         { h.list = append(h.list, x.(R)) }
func (h *ranks[R]) Pop() any           { panic("not used") }
