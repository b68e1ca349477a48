package term

import (
	"fmt"
	"strconv"
	"strings"
)

// Duration writes ns with three digits and a unit: "640 ns", "1.25 µs",
// "38.1 ms", "12.0 s", "4m05s", "3h12m".
func Duration(ns int64) string {
	switch {
	case ns < 0:
		return "-" + Duration(-ns)
	case ns < 1000:
		return strconv.FormatInt(ns, 10) + " ns"
	case ns < 999_500:
		return three(float64(ns)/1e3) + " µs"
	case ns < 999_500_000:
		return three(float64(ns)/1e6) + " ms"
	case ns < 99_950_000_000:
		return three(float64(ns)/1e9) + " s"
	case ns < 3600_000_000_000:
		s := ns / 1e9
		return strconv.FormatInt(s/60, 10) + "m" + two(s%60) + "s"
	}
	m := ns / 60e9
	return strconv.FormatInt(m/60, 10) + "h" + two(m%60) + "m"
}

// three writes 0.95 ≤ v < 1000 with three digits.
func three(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func two(n int64) string {
	s := strconv.FormatInt(n, 10)
	if len(s) < 2 {
		return "0" + s
	}
	return s
}

// Edge writes a round duration, as a boundary is, without zeros behind the point:
// "20 µs", "31.5 µs", "1 s".
func Edge(ns int64) string {
	for _, u := range []struct {
		unit string
		ns   int64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= u.ns {
			s := fmt.Sprintf("%.3f", float64(ns)/float64(u.ns))
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
			return s + " " + u.unit
		}
	}
	return fmt.Sprintf("%d ns", ns)
}

// Span writes the time from one round moment to another: "0 … 20 ms".
func Span(from, to int64) string {
	if from == 0 {
		return "0 … " + Edge(to)
	}
	return Edge(from) + " … " + Edge(to)
}

// Count writes n with a comma between thousands.
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size with three digits in powers of 1024: "512 B", "1.50 KiB".
func Bytes(n int64) string {
	v := float64(n)
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	unit := ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if v /= 1024; v < 999.5 {
			break
		}
	}
	return three(max(v, 0.95)) + " " + unit
}

// Percent writes a share (0 to 1) with a digit behind the point.
func Percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// Plural returns "1 call", "2 calls", "3 processes".
func Plural(n uint64, noun string) string {
	if n != 1 {
		switch noun[len(noun)-1] {
		case 's', 'x':
			noun += "es"
		default:
			noun += "s"
		}
	}
	return Count(n) + " " + noun
}
