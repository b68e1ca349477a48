package inject

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sysreel/proto/syscalls"
)

func TestParseRule(t *testing.T) {
	forever := uint32(math.MaxUint32)
	type want struct {
		forced      bool
		result      int64
		signal      int
		enter, exit time.Duration
		instead     string
		when        When
	}
	every := When{1, forever, 1}
	for expr, w := range map[string]want{
		"chdir:error=EIO":                      {forced: true, result: -5, when: every},
		"inject=chdir:error=eio":               {forced: true, result: -5, when: every},
		"chdir:error=4095":                     {forced: true, result: -4095, when: every},
		"chdir:error=ERESTARTSYS":              {forced: true, result: -512, when: every},
		"chdir::error=EIO:":                    {forced: true, result: -5, when: every},
		"fault=chdir":                          {forced: true, result: -38, when: every},
		"fault=chdir:when=2":                   {forced: true, result: -38, when: When{2, forever, 0}},
		"fault=chdir:error=EPERM":              {forced: true, result: -1, when: every},
		"chdir:retval=0":                       {forced: true, when: every},
		"chdir:retval=-1":                      {forced: true, result: -1, when: every},
		"chdir:retval=0x10":                    {forced: true, result: 16, when: every},
		"chdir:retval=010":                     {forced: true, result: 8, when: every},
		"chdir:retval=18446744073709551615":    {forced: true, result: -1, when: every},
		"chdir:signal=SIGUSR1":                 {signal: 10, when: every},
		"chdir:signal=usr1":                    {signal: 10, when: every},
		"chdir:signal=RT_2":                    {signal: 34, when: every},
		"chdir:signal=64":                      {signal: 64, when: every},
		"chdir:error=1:signal=2":               {forced: true, result: -1, signal: 2, when: every},
		"chdir:error=1:syscall=getpid":         {forced: true, result: -1, instead: "getpid", when: every},
		"chdir:delay_enter=5":                  {enter: 5 * time.Microsecond, when: every},
		"chdir:delay_enter=1.5s:delay_exit=0":  {enter: 1500 * time.Millisecond, when: every},
		"chdir:delay_enter=1e1ms":              {enter: 10 * time.Millisecond, when: every},
		"chdir:delay_exit=7us":                 {enter: -1, exit: 7 * time.Microsecond, when: every},
		"chdir:delay_exit=7ns":                 {enter: -1, exit: 7, when: every},
		"chdir:error=1:when=3":                 {forced: true, result: -1, when: When{3, forever, 0}},
		"chdir:error=1:when=3+":                {forced: true, result: -1, when: When{3, forever, 1}},
		"chdir:error=1:when=3+2":               {forced: true, result: -1, when: When{3, forever, 2}},
		"chdir:error=1:when=3..4":              {forced: true, result: -1, when: When{3, 4, 1}},
		"chdir:error=1:when=3..9+":             {forced: true, result: -1, when: When{3, 9, 1}},
		"chdir:error=1:when=3..65534+65535":    {forced: true, result: -1, when: When{3, 65534, 65535}},
		"chdir:error=1:when=1:when=2":          {forced: true, result: -1, when: When{2, forever, 0}},
		"%file,read:error=1":                   {forced: true, result: -1, when: every},
		"!chdir:error=1":                       {forced: true, result: -1, when: every},
		"/^chd:error=1":                        {forced: true, result: -1, when: every},
		"?nosuch,chdir:error=1":                {forced: true, result: -1, when: every},
		"fault=chdir:error=1:when=1+1:when=2+": {forced: true, result: -1, when: When{2, forever, 1}},
	} {
		r, err := ParseRule(expr)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		got := want{r.Forced, r.Result, r.Signal, r.DelayEnter, r.DelayExit, r.Instead, r.When}
		if !strings.Contains(expr, "delay") {
			w.enter = -1
		}
		if !strings.Contains(expr, "delay_exit") {
			w.exit = -1
		}
		if got != w {
			t.Errorf("%s: got %+v, want %+v", expr, got, w)
		}
	}
}

func TestParsePokes(t *testing.T) {
	r, err := ParseRule("openat:poke_enter=@arg2=2f00,@arg1=ff:poke_exit=@arg4=00AA")
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b Poke) bool { return a.Arg == b.Arg && string(a.Data) == string(b.Data) }
	if want := []Poke{{1, []byte("/\x00")}, {0, []byte{0xff}}}; !slices.EqualFunc(r.PokeEnter, want, same) {
		t.Errorf("enter: got %v, want %v", r.PokeEnter, want)
	}
	if want := []Poke{{3, []byte{0, 0xaa}}}; !slices.EqualFunc(r.PokeExit, want, same) {
		t.Errorf("exit: got %v, want %v", r.PokeExit, want)
	}
}

// An error names the part that is wrong.
func TestParseErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"":                                    `set of calls "" is empty`,
		":error=1":                            `set of calls "" is empty`,
		"nosuch:error=1":                      `"nosuch" is no system call`,
		"%nosuch:error=1":                     "%nosuch is not a class of calls",
		"chdir":                               "it says nothing to do",
		"chdir:when=2":                        "it says nothing to do",
		"chdir:syscall=getpid":                "syscall= goes with error= or retval=",
		"chdir:error":                         "error: it is none of error=, retval=",
		"chdir:eror=1":                        "eror=1: it is none of error=, retval=",
		"chdir:error=":                        "error=: there is no such error",
		"chdir:error=0":                       "error=0: an error number is one from 1 to 4095",
		"chdir:error=4096":                    "error=4096: an error number is one from 1 to 4095",
		"chdir:error=EFOO":                    "error=EFOO: there is no such error",
		"chdir:error=EIO:error=EIO":           "error=EIO: error= is there already",
		"chdir:error=EIO:retval=1":            "retval=1: error= and retval= exclude each other",
		"chdir:retval=1:error=EIO":            "error=EIO: error= and retval= exclude each other",
		"chdir:retval=x":                      "retval=x: it is not a number of 64 bits",
		"chdir:retval=18446744073709551616":   "retval=18446744073709551616: it is not a number of 64 bits",
		"chdir:signal=0":                      "signal=0: a signal is a number from 1 to 64",
		"chdir:signal=65":                     "signal=65: a signal is a number from 1 to 64",
		"chdir:signal=FOO":                    "signal=FOO: there is no such signal",
		"chdir:signal=1:signal=1":             "signal=1: signal= is there already",
		"chdir:error=1:syscall=nosuch":        "syscall=nosuch: there is no such system call",
		"chdir:error=1:syscall=chdir":         "syscall=chdir: only calls without effect",
		"chdir:delay_enter=-1":                "delay_enter=-1: a delay is a number of microseconds",
		"chdir:delay_enter=1h":                "delay_enter=1h: a delay is a number of microseconds",
		"chdir:delay_exit=0x10":               "delay_exit=0x10: a delay is a number of microseconds",
		"chdir:delay_exit=NaN":                "delay_exit=NaN: a delay is a number of microseconds",
		"chdir:delay_exit=inf":                "delay_exit=inf: ",
		"chdir:delay_exit=1e300s":             "delay_exit=1e300s: that is too long",
		"chdir:delay_enter=1:delay_enter=1":   "delay_enter=1: delay_enter= is there already",
		"chdir:error=1:when=":                 "when=: it is not FIRST[..LAST][+[STEP]]",
		"chdir:error=1:when=0":                "when=0: FIRST, 0, is not a number from 1 to 65535",
		"chdir:error=1:when=65536":            "when=65536: FIRST, 65536, is not a number from 1 to 65535",
		"chdir:error=1:when=1..65535":         "when=1..65535: LAST, 65535, is not a number from 1 to 65534",
		"chdir:error=1:when=3..2":             "when=3..2: LAST, 2, is less than FIRST, 3",
		"chdir:error=1:when=3..":              "when=3..: it is not FIRST",
		"chdir:error=1:when=1+0":              "when=1+0: STEP, 0, is not a number",
		"chdir:error=1:when=1+65536":          "when=1+65536: STEP, 65536, is not a number",
		"chdir:error=1:when=1-2":              "when=1-2: it is not FIRST",
		"chdir:error=1:when=1+2x":             "when=1+2x: it is not FIRST",
		"openat:poke_enter=":                  `poke_enter=: "" is not @argN=HEX`,
		"openat:poke_enter=@arg0=00":          `"@arg0=00" is not @argN=HEX`,
		"openat:poke_enter=@arg7=00":          `"@arg7=00" is not @argN=HEX`,
		"openat:poke_enter=@arg1=0":           `"0" is not 1 to 1024 bytes`,
		"openat:poke_enter=@arg1=zz":          `"zz" is not 1 to 1024 bytes`,
		"openat:poke_enter=@arg1=00,@arg1=11": `"@arg1=11": @arg1 is there already`,
		"chdir:poke_exit=@arg2=00":            "poke_exit=@arg2: the calls have no such argument",
		"fault=chdir:retval=1":                "retval=1: fault= takes error= and when= only",
		"fault=chdir:signal=1":                "signal=1: fault= takes error= and when= only",
	} {
		_, err := ParseRule(expr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", expr, err, want)
		}
	}
}

func TestWhen(t *testing.T) {
	for expr, want := range map[string][]uint32{
		"2": {2}, "2+": {2, 3, 4, 5, 6, 7, 8, 9}, "2+3": {2, 5, 8}, "2..4": {2, 3, 4}, "2..4+": {2, 3, 4}, "2..7+3": {2, 5}, "2..8+3": {2, 5, 8}, "2..2+3": {2},
	} {
		w, err := parseWhen(expr)
		var got []uint32
		for n := uint32(1); n < 10; n++ {
			if w.Includes(n) {
				got = append(got, n)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d %v, want %d", expr, got, err, want)
		}
	}
}

// Of several rules for a call the last one holds.
func TestRules(t *testing.T) {
	rules, err := Parse([]string{"%file:error=EIO", "chdir:error=EPERM", "fault=?nosuch"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"openat": -5, "chdir": -1, "read": 0} {
		got := int64(0)
		if r := rules.For(syscalls.ByName(syscalls.AMD64, name)); r != nil {
			got = r.Result
		}
		if got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"chdir:error=EIO:when=1..2+3", "fault=%file", "read:retval=0x1:signal=USR1:delay_enter=1.5ms:poke_exit=@arg2=00", "!all:syscall=getpid:error=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRule(s)
		if err != nil {
			return
		}
		if r.Calls == nil || r.When.First == 0 || r.When.Last < r.When.First || r.Signal < 0 || r.Signal > maxSignal ||
			!r.Forced && r.Signal == 0 && !r.Delays() && r.PokeEnter == nil && r.PokeExit == nil {
			t.Errorf("%q: %+v", s, r)
		}
	})
}
