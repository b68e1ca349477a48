package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"sysreel/analyze/format"
	"sysreel/record"
)

// sizeValue is a flag for a number of bytes: 4096, 64k, 10MB, 1GiB.
type sizeValue int64

func (v *sizeValue) Type() string { return "SIZE" }

func (v *sizeValue) String() string {
	if *v == 0 {
		return ""
	}
	return humanize.IBytes(uint64(*v))
}

func (v *sizeValue) Set(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return fmt.Errorf("%q is not a size: write it like 4096, 64k, 10MB or 1GiB", s)
	}
	*v = sizeValue(n)
	return nil
}

// countValue is a flag for a number of things, at least 1; 0 is unset.
type countValue uint64

func (v *countValue) Type() string { return "N" }

func (v *countValue) String() string {
	if *v == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*v), 10)
}

func (v *countValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is not a number of events: it is 1 or more", s)
	}
	*v = countValue(n)
	return nil
}

// pidsValue is a flag for process IDs: 12,34 or several flags. Blanks part
// them as well, so that -p "$(pidof redis-server)" works.
type pidsValue []int

func (v *pidsValue) Type() string { return "PID[,PID...]" }

func (v *pidsValue) String() string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint([]int(*v))), ","), "[]")
}

func (v *pidsValue) Set(s string) error {
	fields := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
	if len(fields) == 0 {
		return fmt.Errorf("no process ID given")
	}
	for _, f := range fields {
		n, err := strconv.ParseInt(f, 10, 32)
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is not a process ID", f)
		}
		*v = append(*v, int(n))
	}
	return nil
}

// exprValue is strace's -e: trace=SET, or a bare SET.
type exprValue string

func (v *exprValue) Type() string   { return "trace=SET" }
func (v *exprValue) String() string { return string(*v) }

func (v *exprValue) Set(s string) error {
	key, set, found := strings.Cut(s, "=")
	switch {
	case !found:
		set = s
	case key == "trace" || key == "t":
	case key == "inject" || key == "fault":
		return fmt.Errorf("%s= is an option of its own here: --inject", key)
	default:
		return fmt.Errorf("%s= is not supported here: only trace=SET is", key)
	}
	if set == "" {
		return fmt.Errorf("empty set of system calls")
	}
	*v = exprValue(set)
	return nil
}

// snapValue is a flag for a number of bytes to keep, in the form that
// record.Options.Snap takes: 0 is unset, negative is none.
type snapValue int

func (v *snapValue) Type() string { return "BYTES" }

func (v *snapValue) String() string {
	switch {
	case *v == 0:
		return ""
	case *v < 0:
		return "0"
	}
	return strconv.Itoa(int(*v))
}

func (v *snapValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a number of bytes", s)
	}
	if *v = snapValue(n); n == 0 {
		*v = -1
	}
	return nil
}

// depthValue is a flag for a number of frames.
type depthValue int

func (v *depthValue) Type() string { return "DEPTH" }

func (v *depthValue) String() string {
	if *v == 0 {
		return ""
	}
	return strconv.Itoa(int(*v))
}

func (v *depthValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n > record.MaxStacks {
		return fmt.Errorf("%q is not a number of frames: give 1 to %d, or 0 for none", s, record.MaxStacks)
	}
	*v = depthValue(n)
	return nil
}

// listValue is a list parted by commas; what the flag brings again adds to it.
type listValue string

func (v *listValue) Type() string   { return "RULES" }
func (v *listValue) String() string { return string(*v) }

func (v *listValue) Set(s string) error {
	if s == "" {
		return fmt.Errorf("empty list")
	}
	if *v != "" {
		s = string(*v) + "," + s
	}
	*v = listValue(s)
	return nil
}

// limitValue is a flag for a number of things to show; 0 may mean all.
type limitValue int

func (v *limitValue) Type() string   { return "N" }
func (v *limitValue) String() string { return strconv.Itoa(int(*v)) }

func (v *limitValue) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a number of things to show: give 0 or more", s)
	}
	*v = limitValue(n)
	return nil
}

// vcpuWords are the words of strace's -e kvm=.
var vcpuWords = map[string]format.VCPUs{"vcpu": format.VCPUExits, "vcpu+": format.VCPUStates}

// vcpuValue is a flag for what is kept, or shown, of virtual CPUs.
type vcpuValue format.VCPUs

func (v *vcpuValue) Type() string { return "vcpu|vcpu+" }

func (v *vcpuValue) String() string {
	for word, what := range vcpuWords {
		if what == format.VCPUs(*v) {
			return word
		}
	}
	return ""
}

func (v *vcpuValue) Set(s string) error {
	what, ok := vcpuWords[s]
	if !ok {
		return fmt.Errorf("it is neither vcpu nor vcpu+")
	}
	*v = vcpuValue(what)
	return nil
}
