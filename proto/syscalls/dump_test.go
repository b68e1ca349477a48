package syscalls

import (
	"fmt"
	"strings"
)

// describe writes a copy plan in one line a piece.
func describe(copies []Copy) string {
	var b strings.Builder
	for i, c := range copies {
		fmt.Fprintf(&b, "%d: %s arg%d", i, [...]string{"enter", "success", "exit"}[c.Phase], c.Arg)
		if c.Parent >= 0 {
			fmt.Fprintf(&b, " in %d", c.Parent)
			if c.Stride != 0 {
				fmt.Fprintf(&b, " every %d", c.Stride)
			}
			fmt.Fprintf(&b, " at %d", c.Off)
		}
		switch c.Mode {
		case CString:
			b.WriteString(" text")
		case Pointers:
			fmt.Fprintf(&b, " pointers of %d", c.Unit)
		default:
			fmt.Fprintf(&b, " %d ×", c.Unit)
			for j, l := range c.Count {
				if l.From == LenNone {
					break
				}
				if j > 0 {
					b.WriteByte(',')
				}
				b.WriteString(" " + describeLength(l))
			}
		}
		if c.Data {
			b.WriteString(" data")
		} else {
			fmt.Fprintf(&b, " max %d", c.Max)
		}
		for i, f := range c.If {
			switch {
			case f.Size == 0:
				continue
			case i == 0:
				b.WriteString(" if")
			default:
				b.WriteString(" and")
			}
			is := "is"
			if f.Not {
				is = "is not"
			}
			fmt.Fprintf(&b, " field %d:%d %s %d", f.Off, f.Size, is, f.Val)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func describeLength(l Length) string {
	var s string
	switch l.From {
	case LenConst:
		s = fmt.Sprint(l.Val)
	case LenArg:
		s = fmt.Sprintf("arg%d", l.Val)
	case LenRet:
		s = "ret"
	case LenDeref:
		s = fmt.Sprintf("*arg%d:%d", l.Val, l.Size)
	case LenField:
		s = fmt.Sprintf("field %d:%d", l.Val, l.Size)
	case LenRest:
		s = "rest"
	}
	if l.Sub > 0 {
		s += fmt.Sprintf("-%d", l.Sub)
	}
	if l.Div > 1 {
		s += fmt.Sprintf("/%d", l.Div)
	}
	if l.Mul > 1 {
		s += fmt.Sprintf("*%d", l.Mul)
	}
	if l.Add > 0 {
		s += fmt.Sprintf("+%d", l.Add)
	}
	return s
}
