package diff

import (
	"fmt"
	"strings"
	"testing"
)

// show writes folded nodes: letters, x*3 for runs, (ab)*3 for loops.
func show(l *loops, nodes []node) string {
	var name func(s symbol) string
	name = func(s symbol) string {
		body, ok := l.body[s]
		if !ok {
			return string(rune(s))
		}
		var b strings.Builder
		b.WriteByte('(')
		for _, x := range body {
			b.WriteString(name(x))
		}
		b.WriteByte(')')
		return b.String()
	}
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(name(n.sym))
		if n.count > 1 {
			fmt.Fprintf(&b, "*%d", n.count)
		}
	}
	return b.String()
}

func stepsOf(s string) []step {
	out := make([]step, len(s))
	for i := range s {
		out[i] = step{sym: symbol(s[i])}
	}
	return out
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"abc", "abc"},
		{"aaaa", "a*4"},
		{"ababab", "(ab)*3"},
		{"xabababy", "x(ab)*3y"},
		{"aabaabaab", "(ab)*3"}, // inner counts are no part of the body
		{"aabaaab", "(ab)*2"},   // … so loops of unequal inner counts fold
		{"abcabcxabcabc", "(abc)*2x(abc)*2"},
		{"ababcababc", "((ab)c)*2"},
	} {
		tab := newSymbols()
		for len(tab.list) < 200 {
			tab.reserve()
		}
		l := newLoops(tab)
		nodes := l.fold(stepsOf(c.in))
		if got := show(l, nodes); got != c.want {
			t.Errorf("fold(%q) = %s, want %s", c.in, got, c.want)
		}
		at := int32(0)
		for _, n := range nodes {
			if n.from != at || n.to <= n.from {
				t.Errorf("fold(%q): node covers steps %d to %d, want from %d", c.in, n.from, n.to, at)
			}
			at = n.to
		}
		if int(at) != len(c.in) {
			t.Errorf("fold(%q) covers %d of %d steps", c.in, at, len(c.in))
		}
	}
}

func TestFoldIsLinearInMemory(t *testing.T) {
	tab := newSymbols()
	for len(tab.list) < 200 {
		tab.reserve()
	}
	l := newLoops(tab)
	nodes := l.fold(stepsOf(strings.Repeat("abcdefgh", 50000)))
	if len(nodes) != 1 || nodes[0].count != 50000 {
		t.Fatalf("400,000 steps of one loop fold to %d nodes, first %+v", len(nodes), nodes[0])
	}
	if n := len(l.body); n != 1 {
		t.Errorf("%d loop bodies, want 1", n)
	}
}
