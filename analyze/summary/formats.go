package summary

import (
	"encoding/csv"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"sysreel/analyze/term"
)

// WriteStrace writes the rows as strace -c -w does, in the order they have. As
// there, calls that were not seen to return are not counted. Times are
// wall-clock times, where strace -c without -w has CPU time.
func WriteStrace(w io.Writer, r *Result) error {
	var b strings.Builder
	var total, calls, errors uint64
	width := len("syscall")
	for i := range r.Rows {
		x := &r.Rows[i]
		if x.returned > 0 {
			total += uint64(x.TotalNs)
			calls += x.returned
			errors += x.Errors
		}
		width = max(width, len(x.Name))
	}
	width = max(width, 16)
	rule := "------ ----------- ----------- --------- --------- " + strings.Repeat("-", width) + "\n"
	b.WriteString("% time     seconds  usecs/call     calls    errors syscall\n" + rule)
	for i := range r.Rows {
		if x := &r.Rows[i]; x.returned > 0 {
			straceLine(&b, uint64(x.TotalNs), total, x.returned, x.Errors, term.Safe(x.Name))
		}
	}
	b.WriteString(rule)
	straceLine(&b, total, total, calls, errors, "total")
	_, err := io.WriteString(w, b.String())
	return err
}

func straceLine(b *strings.Builder, ns, total, calls, errors uint64, name string) {
	share, per, errs := 0.0, uint64(0), ""
	if total > 0 {
		share = 100 * float64(ns) / float64(total)
	}
	if calls > 0 {
		per = ns / 1000 / calls
	}
	if errors > 0 {
		errs = strconv.FormatUint(errors, 10)
	}
	fmt.Fprintf(b, "%6.2f %11.6f %11d %9d %9s %s\n", share, float64(ns)/1e9, per, calls, errs, name)
}

// csvColumns are the columns of a row behind its name. max_file is the number of
// the trace that max_event is in, from 0; errnos has all errors, "ENOENT:3 EACCES:1".
var csvColumns = [...]string{
	"calls", "errors", "errnos", "share", "total_ns", "min_ns", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns", "max_event", "max_file",
	"read_bytes", "written_bytes", "unfinished",
}

// csv returns the row's values, threadNs being what its share is of. What is not
// known is empty.
func (x *Row) csv(threadNs int64, u Untimed) []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	share := ""
	if !u.NoClock && !u.NoDurations {
		part := 0.0
		if threadNs > 0 {
			part = float64(x.TotalNs) / float64(threadNs)
		}
		share = strconv.FormatFloat(part, 'f', 6, 64)
	}
	times := []string{share, n(x.TotalNs), n(x.MinNs), n(x.MeanNs), n(x.P50Ns), n(x.P90Ns), n(x.P99Ns), n(x.MaxNs), n(int64(x.MaxEvent)), n(int64(x.MaxFile))}
	if u.NoDurations {
		clear(times)
	}
	out := append([]string{n(int64(x.Calls)), n(int64(x.Errors)), x.errnoList()}, times...)
	return append(out, n(x.ReadBytes), n(x.WrittenBytes), n(int64(x.Unfinished)))
}

// errnoList writes the errors, the most frequent first.
func (x *Row) errnoList() string {
	names := make([]string, 0, len(x.Errnos))
	for name := range x.Errnos {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if m, n := x.Errnos[names[i]], x.Errnos[names[j]]; m != n {
			return m > n
		}
		return names[i] < names[j]
	})
	for i, name := range names {
		names[i] = name + ":" + strconv.FormatUint(x.Errnos[name], 10)
	}
	return strings.Join(names, " ")
}

// WriteCSV writes the rows as comma-separated values, RFC 4180, with a header.
// Times that are not known are empty.
// Names are safe for a terminal.
func WriteCSV(w io.Writer, r *Result) error {
	c := csv.NewWriter(w)
	c.Write(append([]string{r.By}, csvColumns[:]...))
	for i := range r.Rows {
		c.Write(append([]string{term.Safe(r.Rows[i].Name)}, r.Rows[i].csv(r.ThreadNs, r.Untimed)...))
	}
	c.Flush()
	return c.Error()
}
