package syscalls

import "testing"

// FuzzParseDesc: a prototype comes with a trace, from anywhere. What is
// accepted prints itself in a form that is accepted again and means the same.
func FuzzParseDesc(f *testing.F) {
	rows, _ := loadRows()
	for i := range rows.rows {
		if i%9 == 0 {
			f.Add(rows.rows[i].proto)
		}
	}
	for _, s := range []string{
		"f()", "f() int", "f(a) int", "f(a int) nosuch", "f(a in nosuch[a]) int", "f(a in bytes[b,b], b int) int",
		"f(a in iovec[b/0], b int) int", "f(a in bytes[*a]) int", "f(a int if b&1) int", "f(a in strings*[4]) int",
		"f(a in stat[4294967295]) int", "f(a@9 int) int", "f(a in u8/9) int", "f$X(a =1) int", "f(a in ptr[1]) int",
		"f(a loff, b loff, c loff, d loff) int", "f(a in envs[3], b out always str) int %file -%desc",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for a := AMD64; a <= I386; a++ {
			d, err := ParseDesc(s, a)
			if err != nil {
				continue
			}
			again, err := ParseDesc(d.Proto, a)
			if err != nil {
				t.Fatalf("%v: %q is accepted, but not as it prints itself: %q: %v", a, s, d.Proto, err)
			}
			if again.Proto != d.Proto || len(again.Args) != len(d.Args) || describe(again.Copies) != describe(d.Copies) {
				t.Fatalf("%v: %q and %q mean different things", a, s, d.Proto)
			}
			for _, g := range d.Args {
				if g.Type == nil || g.Reg < 0 || g.Reg > 5 || g.Wide && (g.Hi < 0 || g.Hi > 5) {
					t.Fatalf("%v: %q: argument %+v", a, s, g)
				}
			}
			for i, c := range d.Copies {
				if int(c.Parent) >= i || c.Arg < 0 || c.Arg > 5 || c.Unit == 0 {
					t.Fatalf("%v: %q: copy %d is %+v", a, s, i, c)
				}
			}
			d.Select(&[6]uint64{})
		}
	})
}
