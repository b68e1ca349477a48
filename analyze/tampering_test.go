package analyze

import (
	"reflect"
	"strconv"
	"testing"

	"sysreel/proto/tracefile"
)

func TestTamperings(t *testing.T) {
	var a, b Tamperings
	add := func(to *Tamperings, call string, num uint64, flags tracefile.Flags, ret int64, file int) {
		to.Add(call, &tracefile.Event{Num: num, Kind: tracefile.Syscall, Flags: flags | tracefile.Resumed, Ret: ret}, file)
	}
	add(&a, "openat", 7, tracefile.Injected, -5, 0)
	add(&a, "openat", 9, tracefile.Injected, 0, 0)
	add(&a, "read", 8, tracefile.Delayed, -5, 0)
	add(&b, "openat", 3, tracefile.Injected, -5, 0)
	add(&b, "openat", 1, tracefile.Injected, -5, 1)
	add(&b, "read", 4, tracefile.Delayed|tracefile.Poked|tracefile.Signaled|tracefile.Injected, -2, 1)
	a.Merge(&b)
	got := a.List()
	want := []Tampering{
		{"openat", []string{"injected"}, "EIO", 3, 3, 0},
		{"read", []string{"delayed"}, "", 1, 8, 0},
		{"openat", []string{"injected"}, "", 1, 9, 0},
		{"read", []string{"injected", "poked", "delayed", "signaled"}, "ENOENT", 1, 4, 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for i, text := range []string{
		"3 × openat injected with EIO, the first #3", "1 × read delayed, #8", "1 × openat injected, #9",
		"1 × read injected with ENOENT and poked and delayed and signaled, 2#4",
	} {
		if s := got[i].String(); s != text {
			t.Errorf("%q, want %q", s, text)
		}
	}
}

// A trace may say anything: what is told apart is bounded.
func TestTamperingsBounded(t *testing.T) {
	var a Tamperings
	for i := range 3 * maxTamperings {
		a.Add("call"+strconv.Itoa(i), &tracefile.Event{Num: uint64(i + 1), Flags: tracefile.Delayed}, 0)
	}
	calls := uint64(0)
	list := a.List()
	for i := range list {
		calls += list[i].Calls
	}
	if len(list) > maxTamperings+1 || calls != 3*maxTamperings {
		t.Errorf("%d calls in %d rows", calls, len(list))
	}
}
