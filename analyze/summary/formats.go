package summary

import (
	"encoding/csv"
	"fmt"
	"io"
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

// WriteCSV writes the rows as comma-separated values, RFC 4180, with a header.
// Names are safe for a terminal.
func WriteCSV(w io.Writer, r *Result) error {
	c := csv.NewWriter(w)
	c.Write([]string{r.By, "calls", "errors", "top_errno", "total_ns", "min_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns", "max_event", "read_bytes", "written_bytes", "unfinished"})
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	for i := range r.Rows {
		x := &r.Rows[i]
		c.Write([]string{term.Safe(x.Name), n(int64(x.Calls)), n(int64(x.Errors)), x.topErrno, n(x.TotalNs), n(x.MinNs), n(x.P50Ns), n(x.P90Ns), n(x.P99Ns),
			n(x.MaxNs), n(int64(x.MaxEvent)), n(x.ReadBytes), n(x.WrittenBytes), n(int64(x.Unfinished))})
	}
	c.Flush()
	return c.Error()
}
