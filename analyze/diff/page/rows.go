package page

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"slices"

	"sysreel/analyze/diff"
	"sysreel/analyze/term"
)

// Model is what the script has to know. Everything else about the calls is in
// the chunks.
type Model struct {
	Threads []ThreadModel `json:"threads"`
	// Marks are the ranks of the findings that name an event, by "g" or "b" and
	// its number.
	Marks map[string][]int `json:"marks"`
	Files [2]string        `json:"files"`
	Clock [2]bool          `json:"clock"` // of each run: it is known when things happened
	First int              `json:"first"` // the thread to show first
}

// ThreadModel is a thread of the page.
type ThreadModel struct {
	Process int    `json:"process"` // index
	Label   string `json:"label"`
	Chunk   int    `json:"chunk"` // in which its rows are
	At      int    `json:"at"`    // its place there
	Rows    int    `json:"rows"`
	Differs int    `json:"differs"` // rows that are differences
	Note    string `json:"note,omitempty"`
}

// chunk is the rows of one or more threads, as JSON and compressed.
type chunk struct {
	Texts   []string     `json:"texts"`
	Threads []threadRows `json:"threads"`

	ids    map[uint32]int
	events int
}

// threadRows are the rows of a thread: a character each of Kinds (diff.RowKind),
// and in Good and Bad the events in turn, of rows that have one.
type threadRows struct {
	Kinds string `json:"kinds"`
	Left  []int  `json:"left"` // of each row of kind LeftOut, good and bad events
	Good  column `json:"good"`
	Bad   column `json:"bad"`
	// Sides has '2' for a row with both events, '0' with a good one, '1' with a bad.
	Sides string `json:"sides"`
}

// column is the events of one side. Numbers and starts are differences from the
// event before.
type column struct {
	Num      []int64 `json:"num"`
	Text     []int   `json:"text"`
	Start    []int64 `json:"start"`    // µs since the beginning of the run
	Duration []int64 `json:"duration"` // ns, three digits; −1: none

	num, start int64
}

// chunkEvents is how many events make a chunk full.
const chunkEvents = 20_000

// place is where in the page an event is.
type place struct {
	thread int
	row    int
}

// makeRows makes the chunks, and what findings need of the rows.
func (b *builder) makeRows() error {
	b.around = make([][]ContextRow, len(b.r.Findings))
	b.model = Model{Threads: []ThreadModel{}, Marks: map[string][]int{}}
	c := &chunk{ids: map[uint32]int{}}
	flush := func() error {
		if len(c.Threads) == 0 {
			return nil
		}
		data, err := pack(c)
		if err != nil {
			return err
		}
		b.chunks = append(b.chunks, data)
		c = &chunk{ids: map[uint32]int{}}
		return nil
	}
	for i, p := range b.d.Processes {
		for _, t := range p.Threads {
			th := [2]*thread{b.threads[goodSide][t.Good], b.threads[badSide][t.Bad]}
			for side := range th {
				if th[side] == nil {
					th[side] = &thread{}
				}
			}
			if len(th[0].events)+len(th[1].events) == 0 {
				continue
			}
			if c.events >= chunkEvents {
				if err := flush(); err != nil {
					return err
				}
			}
			rows := t.Rows(b.names(th[goodSide]), b.names(th[badSide]))
			label := ""
			if len(p.Threads) > 1 {
				label = threadLabel(t)
			}
			m := ThreadModel{Process: i, Label: label, Chunk: len(b.chunks), At: len(c.Threads), Rows: len(rows)}
			if t.Unordered {
				m.Note = "Some calls of this thread were compared as an unordered set: aligning them would have taken too long."
			}
			for _, r := range rows {
				if r.Kind.Differs() {
					m.Differs++
				}
			}
			b.findContexts(len(b.model.Threads), rows, th)
			b.model.Threads = append(b.model.Threads, m)
			c.add(b, rows, th)
			for side, x := range []*diff.Thread{t.Good, t.Bad} {
				delete(b.threads[side], x) // its events are not needed any more
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	b.model.First = b.first()
	return nil
}

// cell makes the Cell of an event.
func (b *builder) cell(e *event) Cell {
	c := Cell{Event: e.num, Text: b.texts.list[e.text]}
	if e.duration >= notableNs {
		c.Time = term.Duration(e.duration)
	}
	return c
}

// names returns the thread's events as package diff has to know them.
func (b *builder) names(th *thread) []diff.Event {
	out := make([]diff.Event, len(th.events))
	for i, e := range th.events {
		out[i] = diff.Event{Num: e.num, Name: b.texts.list[e.name], Unfinished: e.atLeast}
	}
	return out
}

// first returns the thread to show first: that of the first finding, else one
// with differences.
func (b *builder) first() int {
	if len(b.r.Findings) > 0 {
		f := &b.r.Findings[0]
		for side, c := range [2]*diff.Call{f.Good, f.Bad} {
			if c != nil {
				if p, ok := b.at[side][c.Event]; ok {
					return p.thread
				}
			}
		}
	}
	return max(0, slices.IndexFunc(b.model.Threads, func(t ThreadModel) bool { return t.Differs > 0 }))
}

// add appends the rows of a thread.
func (c *chunk) add(b *builder, rows []diff.Row, th [2]*thread) {
	out := threadRows{Left: []int{}}
	kinds := make([]byte, 0, len(rows))
	present := make([]byte, 0, len(rows))
	columns := [2]*column{&out.Good, &out.Bad}
	for _, x := range columns {
		*x = column{Num: []int64{}, Text: []int{}, Start: []int64{}, Duration: []int64{}}
	}
	var next [2]int
	for _, r := range rows {
		kinds = append(kinds, byte(r.Kind))
		if r.Kind == diff.LeftOut {
			out.Left = append(out.Left, int(r.Good), int(r.Bad))
			present = append(present, '-')
			continue
		}
		side := byte('2')
		for s, n := range [2]uint64{r.Good, r.Bad} {
			if n == 0 {
				side = byte('1' - s)
				continue
			}
			columns[s].add(c.text(b, th[s].events[next[s]].text), &th[s].events[next[s]])
			next[s]++
			c.events++
		}
		present = append(present, side)
	}
	out.Kinds, out.Sides = string(kinds), string(present)
	c.Threads = append(c.Threads, out)
}

// text returns the index in the chunk of a text.
func (c *chunk) text(b *builder, id uint32) int {
	i, ok := c.ids[id]
	if !ok {
		i = len(c.Texts)
		c.ids[id] = i
		c.Texts = append(c.Texts, b.texts.list[id])
	}
	return i
}

func (c *column) add(text int, e *event) {
	start := e.start / 1000
	c.Num = append(c.Num, int64(e.num)-c.num)
	c.Text = append(c.Text, text)
	c.Start = append(c.Start, start-c.start)
	c.Duration = append(c.Duration, threeDigits(e.duration))
	c.num, c.start = int64(e.num), start
}

// threeDigits rounds to as many as are shown.
func threeDigits(ns int64) int64 {
	if ns < 1000 {
		return ns
	}
	unit := int64(math.Pow10(int(math.Log10(float64(ns))) - 2))
	return (ns + unit/2) / unit * unit
}

// pack compresses a chunk. The header of gzip holds no time, so that the same
// chunk gives the same bytes. (The best level takes nearly twice as long for a
// page that is a twentieth smaller.)
func pack(c *chunk) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	e := json.NewEncoder(z)
	e.SetEscapeHTML(false) // it is compressed, and read as JSON only
	if err := e.Encode(c); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Rows shown before and after that of a finding.
const (
	contextBefore = 5
	contextAfter  = 3
)

// notableNs is how long a call must have taken for a row to tell it; page.js has
// the same.
const notableNs = 1e6

// findContexts notes where the events that findings name are, and what is around
// them.
func (b *builder) findContexts(thread int, rows []diff.Row, th [2]*thread) {
	index := [2]map[uint64]int{{}, {}} // of the event, by row
	for i, r := range rows {
		if r.Kind == diff.LeftOut {
			continue
		}
		for s, n := range [2]uint64{r.Good, r.Bad} {
			if n != 0 && b.wants[s].named[n] {
				b.at[s][n] = place{thread, i}
				index[s][n] = i
			}
		}
	}
	for k := range b.r.Findings {
		f := &b.r.Findings[k]
		row := -1
		if f.Good != nil {
			if i, ok := index[goodSide][f.Good.Event]; ok {
				row = i
			}
		}
		if f.Bad != nil {
			if i, ok := index[badSide][f.Bad.Event]; ok {
				row = i
			}
		}
		if row >= 0 && (f.Bad == nil || b.around[k] == nil || index[badSide][f.Bad.Event] == row) {
			b.around[k] = b.contextOf(rows, row, th)
		}
	}
}

// contextOf returns the rows around row.
func (b *builder) contextOf(rows []diff.Row, row int, th [2]*thread) []ContextRow {
	from, to := max(0, row-contextBefore), min(len(rows), row+contextAfter+1)
	var next [2]int
	for _, r := range rows[:from] {
		if r.Kind != diff.LeftOut {
			for s, n := range [2]uint64{r.Good, r.Bad} {
				if n != 0 {
					next[s]++
				}
			}
		}
	}
	var out []ContextRow
	for i, r := range rows[from:to] {
		c := ContextRow{Kind: r.Kind, Here: from+i == row}
		for s, n := range [2]uint64{r.Good, r.Bad} {
			if n == 0 || r.Kind == diff.LeftOut {
				continue
			}
			c.Side[s] = b.cell(&th[s].events[next[s]])
			next[s]++
		}
		out = append(out, c)
	}
	return out
}
