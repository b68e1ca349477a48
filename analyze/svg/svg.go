// Package svg writes pictures of results: SVG files that stand alone, without
// scripts, fonts or anything else to fetch, to be looked at in light or dark.
// What is drawn twice comes out the same byte for byte. All text, which may come
// from the traced machine, is made harmless.
package svg

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strconv"

	"sysreel/analyze/term"
)

// Width is how wide pictures are, in pixels; all measures are.
const Width = 960

// Class is how something is drawn.
type Class string

const (
	Heading Class = "h" // text
	Text    Class = "t"
	Note    Class = "n" // text of less weight
	Axis    Class = "x" // lines
	Grid    Class = "g"
	Mark    Class = "m" // a dashed line
	First   Class = "a" // areas: of a series
	Second  Class = "b" // of another
	Bad     Class = "e" // of what failed
	Line    Class = "l" // a curve, of the first series if there are two
	Line2   Class = "k"
)

// Levels is how many colours heat has.
const Levels = 9

// Heat returns the class of an area that is so hot, 0 to Levels−1.
func Heat(level int) Class { return Class("c" + strconv.Itoa(level)) }

// The colours: those of the light page, then those of the dark one. Heat goes
// from near the page's colour to far from it.
const style = `
text{font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328}
.p{fill:#fff}.h{font-size:14px;font-weight:600}.n{fill:#59636e}
.x{stroke:#59636e}.g{stroke:#e3e6ea}.m{stroke:#59636e;stroke-dasharray:3 3}
.a{fill:#8ab8e6}.b{fill:#f3ba74}.e{fill:#d6453c}
.l{fill:none;stroke:#0f4583;stroke-width:1.5}.k{fill:none;stroke:#8a4a00;stroke-width:1.5}
.c0{fill:#d9e8f5}.c1{fill:#b5d4ec}.c2{fill:#8bbde0}.c3{fill:#5fa2d0}.c4{fill:#3b84bd}.c5{fill:#2a68a3}.c6{fill:#1f4e85}.c7{fill:#163764}.c8{fill:#0c2142}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.p{fill:#0d1117}.n{fill:#9198a1}
.x{stroke:#9198a1}.g{stroke:#2a313a}.m{stroke:#9198a1}
.a{fill:#2f6db0}.b{fill:#a4661f}.e{fill:#e5534b}
.l{stroke:#a8d1ff}.k{stroke:#ffd199}
.c0{fill:#12263f}.c1{fill:#163a5f}.c2{fill:#1b4f80}.c3{fill:#2467a2}.c4{fill:#3581c0}.c5{fill:#559cd6}.c6{fill:#7eb8e6}.c7{fill:#add4f2}.c8{fill:#e2f1fc}}
`

// Picture is a picture in the making, from the top down.
type Picture struct {
	title string
	width float64
	body  bytes.Buffer
	y     float64 // of the next thing below all others
}

// New returns an empty picture with a title.
func New(title string) *Picture {
	p := NewPart(title, Width, 34)
	p.Text(16, 26, Heading, Fit(title, Width-32, 14))
	return p
}

// NewPart returns an empty picture of a width whose title is not drawn, for a
// page that says what it shows; what is reserved begins at y.
func NewPart(title string, width, y float64) *Picture {
	return &Picture{title: title, width: width, y: y}
}

// Take reserves height below all that was reserved before, and returns where it
// begins.
func (p *Picture) Take(height float64) (y float64) {
	y = p.y
	p.y += height
	return y
}

// WriteTo writes the picture.
func (p *Picture) WriteTo(w io.Writer) (int64, error) {
	var out bytes.Buffer
	size := `width="` + strconv.Itoa(Width) + `" height="` + number(p.y+8) + `"`
	out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" ` + size + ` viewBox="0 0 ` + strconv.Itoa(Width) + ` ` + number(p.y+8) + `" role="img">` + "\n<title>")
	escape(&out, p.title)
	out.WriteString("</title>\n<style>" + style + "</style>\n" + `<rect class="p" width="100%" height="100%"/>` + "\n")
	out.Write(p.body.Bytes())
	out.WriteString("</svg>\n")
	return out.WriteTo(w)
}

// WritePart writes the picture as an element for an HTML page, which says what
// the classes look like.
func (p *Picture) WritePart(w io.Writer) error {
	var out bytes.Buffer
	out.WriteString(`<svg class="plot" viewBox="0 0 ` + number(p.width) + " " + number(p.y) + `" role="img"><title>`)
	escape(&out, p.title)
	out.WriteString("</title>\n")
	out.Write(p.body.Bytes())
	out.WriteString("</svg>\n")
	_, err := out.WriteTo(w)
	return err
}

// Text writes s from x on, its base line at y.
func (p *Picture) Text(x, y float64, c Class, s string) { p.text(x, y, c, "", s) }

// TextMid writes s with its middle at x.
func (p *Picture) TextMid(x, y float64, c Class, s string) { p.text(x, y, c, "middle", s) }

// TextEnd writes s with its end at x.
func (p *Picture) TextEnd(x, y float64, c Class, s string) { p.text(x, y, c, "end", s) }

func (p *Picture) text(x, y float64, c Class, anchor, s string) {
	if s == "" {
		return
	}
	if anchor != "" {
		anchor = `" text-anchor="` + anchor
	}
	p.open("text", `x="`+number(x)+`" y="`+number(y)+anchor, c)
	p.body.WriteByte('>')
	escape(&p.body, s)
	p.body.WriteString("</text>\n")
}

// TextUp writes s upwards, its middle at y and its base line at x.
func (p *Picture) TextUp(x, y float64, c Class, s string) {
	p.open("text", `transform="translate(`+number(x)+` `+number(y)+`) rotate(-90)" text-anchor="middle`, c)
	p.body.WriteByte('>')
	escape(&p.body, s)
	p.body.WriteString("</text>\n")
}

// Rect draws an area; tip is what pointing at it shows, if not empty.
func (p *Picture) Rect(x, y, w, h float64, c Class, tip string) {
	p.open("rect", `x="`+number(x)+`" y="`+number(y)+`" width="`+number(w)+`" height="`+number(h), c)
	if tip == "" {
		p.body.WriteString("/>\n")
		return
	}
	p.body.WriteString("><title>")
	escape(&p.body, tip)
	p.body.WriteString("</title></rect>\n")
}

// Line draws a straight line.
func (p *Picture) Line(x1, y1, x2, y2 float64, c Class) {
	p.open("path", `d="M`+number(x1)+` `+number(y1)+`L`+number(x2)+` `+number(y2), c)
	p.body.WriteString("/>\n")
}

// Point of a curve.
type Point struct{ X, Y float64 }

// Steps draws a curve that stays as high as a point until the next one.
func (p *Picture) Steps(points []Point, c Class) {
	if len(points) == 0 {
		return
	}
	d := []byte(`d="M` + number(points[0].X) + " " + number(points[0].Y))
	for _, pt := range points[1:] {
		d = append(d, "H"+number(pt.X)+"V"+number(pt.Y)...)
	}
	p.open("path", string(d), c)
	p.body.WriteString("/>\n")
}

// open begins an element whose last attribute is not closed yet.
func (p *Picture) open(name, attributes string, c Class) {
	p.body.WriteString("<" + name + " " + attributes + `" class="` + string(c) + `"`)
}

// number writes a coordinate to a tenth of a pixel.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// escape writes text for XML, with nothing in it that would change how the rest
// is shown.
func escape(b *bytes.Buffer, s string) {
	xml.EscapeText(b, []byte(term.Safe(s))) // a Buffer does not fail
}

// TextWidth returns about how wide a text of a size is, rather more than less.
func TextWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case r < 0x1100:
			w += 0.6
		default:
			w++
		}
	}
	return w * size
}

// Fit makes s safe and cuts it in the middle to a width.
func Fit(s string, width, size float64) string {
	s = term.Safe(s)
	n := term.Len(s)
	for TextWidth(s, size) > width && n > 1 {
		n--
		s = term.Fit(s, n)
	}
	return s
}
