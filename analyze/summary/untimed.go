package summary

import (
	"encoding/json"
	"strings"
)

// What of the JSON, by name, is not known where there are no durations or no
// clock. Of a process the duration is a matter of the clock; the slowest calls,
// which have the other, are none then.
var (
	noDurations = []string{"total_ns", "min_ns", "max_ns", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "max_event", "max_file", "call_ns"}
	noClock     = []string{"elapsed_ns", "thread_ns", "start_ns", "duration_ns"}
)

// MarshalJSON writes null for what is not known.
func (r *Result) MarshalJSON() ([]byte, error) {
	type plain Result
	b, err := marshal((*plain)(r))
	if err != nil || !r.NoDurations && !r.NoClock {
		return b, err
	}
	return edited(b, func(doc any) { r.forget(doc) })
}

// MarshalJSON writes null for what is not known.
func (c *Columns) MarshalJSON() ([]byte, error) {
	type plain Columns
	b, err := marshal((*plain)(c))
	known := true
	for i := range c.Traces {
		known = known && !c.Traces[i].NoDurations && !c.Traces[i].NoClock
	}
	if err != nil || known {
		return b, err
	}
	return edited(b, func(doc any) {
		top := doc.(map[string]any)
		rows := top["rows"].([]any)
		for i, trace := range top["traces"].([]any) {
			u := &c.Traces[i].Untimed
			u.forget(trace)
			for _, row := range rows {
				u.forget(row.(map[string]any)["cells"].([]any)[i])
			}
		}
	})
}

// marshal writes v as a caller does who does not escape for HTML: he cannot take
// that back.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(b.String()), err
}

// edited returns a JSON document as fn changes it.
func edited(b []byte, fn func(doc any)) ([]byte, error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	fn(doc)
	return marshal(doc)
}

// forget makes null of what is not known in a document.
func (u *Untimed) forget(doc any) {
	switch doc := doc.(type) {
	case []any:
		for _, x := range doc {
			u.forget(x)
		}
	case map[string]any:
		for _, x := range doc {
			u.forget(x)
		}
		forget := func(names []string) {
			for _, name := range names {
				if _, ok := doc[name].(json.Number); ok {
					doc[name] = nil
				}
			}
		}
		if u.NoDurations {
			forget(noDurations)
		}
		if u.NoClock {
			forget(noClock)
		}
	}
}
