// Package page writes a comparison as a page for a browser: one file that needs
// nothing else, neither a server nor the network, nor the traces.
//
// The page is HTML that the Go side writes whole (verdict, findings, processes,
// times, notes) and the calls of each thread, which a script shows when they are
// asked for: compressed, a chunk for a few threads (rows.go), so that a page
// opens as fast with a million calls as with a hundred. What comes from a trace
// is made harmless twice: characters that would change how others are shown are
// escaped ([term.Safe]), and the text is put into the page by html/template, or
// by the script as text.
package page

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"sync"

	"sysreel/analyze"
	"sysreel/analyze/diff"
)

// Options of a page.
type Options struct {
	// Good, Bad and Filter are those of the comparison.
	Good, Bad []diff.Source
	Filter    analyze.Filter
	Workers   int
	// MaxEvents bounds the events of the two runs that the page contains; 0 is
	// DefaultMaxEvents. Those that a finding names are in it whatever their
	// number.
	MaxEvents int
	// Progress is as in diff.Options.
	Progress func(file string, events uint64, share float64)
}

// DefaultMaxEvents keeps a page near 10 MB.
const DefaultMaxEvents = 400_000

//go:embed page.html page.css page.js
var files embed.FS

// templates are made when they are needed: every start of a recorder would pay.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(functions).ParseFS(files, "page.html"))
})

// Write writes the page of a comparison that was made with Options.Detail. The
// same comparison gives the same page byte for byte.
func Write(ctx context.Context, w io.Writer, r *diff.Result, o Options) error {
	if r.Detail == nil {
		return fmt.Errorf("a page needs a comparison with its detail")
	}
	o.MaxEvents = cmp.Or(o.MaxEvents, DefaultMaxEvents)
	b := &builder{o: o, r: r, d: r.Detail}
	if err := b.read(ctx); err != nil {
		return err
	}
	if err := b.makeRows(); err != nil {
		return err
	}
	v, err := b.view()
	if err != nil {
		return err
	}
	return v.write(w, b.chunks)
}

// write writes the page: what the template makes, with the chunks in between.
func (v *view) write(w io.Writer, chunks [][]byte) error {
	css, err := files.ReadFile("page.css")
	if err != nil {
		return err
	}
	js, err := files.ReadFile("page.js")
	if err != nil {
		return err
	}
	data, err := json.Marshal(&v.Model) // <, > and & come out as \u003c and so on
	if err != nil {
		return err
	}
	v.CSS, v.Script, v.Data = template.CSS(css), template.JS(js), template.JS(data)
	// Nothing but this style and this script may act, and nothing may be fetched.
	v.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hashOf(css), hashOf(js))
	if err := templates().ExecuteTemplate(w, "head", v); err != nil {
		return err
	}
	for i, c := range chunks {
		var b bytes.Buffer
		fmt.Fprintf(&b, "<script type=\"text/plain\" id=\"rows-%d\">", i)
		e := base64.NewEncoder(base64.StdEncoding, &b)
		e.Write(c) // a Buffer does not fail
		e.Close()
		b.WriteString("</script>\n")
		if _, err := b.WriteTo(w); err != nil {
			return err
		}
	}
	return templates().ExecuteTemplate(w, "tail", v)
}

// hashOf names a style or a script as a Content-Security-Policy does.
func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
