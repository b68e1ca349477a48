package latency

import "time"

// heat counts calls by time and something else: columns of equal time, twice as
// wide whenever there would be more than maxColumns, of as many steps as needed.
type heat struct {
	base    int64 // ns
	shift   uint  // a column is base << shift
	columns [][]uint64
}

const (
	heatBase   = int64(time.Millisecond)
	maxColumns = 256
	// offsetStep is the height of a cell of the subsecond-offset map.
	offsetStep = 20 * int64(time.Millisecond)
)

func (h *heat) add(at int64, step int) {
	col := max(at, 0) / (h.base << h.shift)
	for col >= maxColumns {
		h.coarsen()
		col /= 2
	}
	h.bump(int(col), step, 1)
}

func (h *heat) bump(col, step int, n uint64) {
	for len(h.columns) <= col {
		h.columns = append(h.columns, nil)
	}
	c := h.columns[col]
	for len(c) <= step {
		c = append(c, 0)
	}
	c[step] += n
	h.columns[col] = c
}

func (h *heat) coarsen() {
	old := h.columns
	h.columns = nil
	h.shift++
	for i, c := range old {
		for step, n := range c {
			if n != 0 {
				h.bump(i/2, step, n)
			}
		}
	}
}

func (h *heat) merge(o *heat) {
	for h.shift < o.shift {
		h.coarsen()
	}
	for i, c := range o.columns {
		for step, n := range c {
			if n != 0 {
				h.bump(i>>(h.shift-o.shift), step, n)
			}
		}
	}
}

// Heatmap is time × latency, or × the offset in a second.
type Heatmap struct {
	ColumnNs int64        `json:"column_ns"` // column i begins i·ColumnNs after the trace
	Columns  int          `json:"columns"`
	Rows     []HeatmapRow `json:"rows"` // shortest first, the empty ones between left in
}

// HeatmapRow has the calls that lasted [Low, High), by when they ended; or those
// that began so long after a second did, by when that was.
type HeatmapRow struct {
	Low    int64    `json:"low_ns"`
	High   int64    `json:"high_ns"`
	Counts []uint64 `json:"counts"`
}

// result returns the map, low says where a step begins.
func (h *heat) result(low func(step int) int64) *Heatmap {
	m := &Heatmap{ColumnNs: h.base << h.shift, Columns: len(h.columns), Rows: []HeatmapRow{}}
	first, last := -1, -1
	for _, c := range h.columns {
		for step, n := range c {
			if n != 0 {
				if first < 0 || step < first {
					first = step
				}
				last = max(last, step)
			}
		}
	}
	if first < 0 {
		return m
	}
	for step := first; step <= last; step++ {
		row := HeatmapRow{Low: low(step), High: low(step + 1), Counts: make([]uint64, len(h.columns))}
		for i, c := range h.columns {
			if step < len(c) {
				row.Counts[i] = c[step]
			}
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}
