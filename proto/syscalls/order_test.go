package syscalls

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestConstsAsStrace holds the order of printing, masks and what is left over
// against lines that strace printed (testdata/consts.txt).
func TestConstsAsStrace(t *testing.T) {
	data, err := os.ReadFile("testdata/consts.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w := strings.SplitN(line, " ", 3)
		v, err := strconv.ParseUint(w[1], 0, 64)
		if err != nil || len(w) != 3 {
			t.Fatalf("%q is not a set, a value, a text", line)
		}
		c := ConstSet(AMD64, w[0])
		if c == nil {
			t.Errorf("no set %s", w[0])
			continue
		}
		if got := c.Format(v); got != w[2] {
			t.Errorf("%s: %s is printed\n\t%s, want\n\t%s", w[0], w[1], got, w[2])
		}
		n++
	}
	if n < 50 {
		t.Errorf("only %d values in testdata/consts.txt", n)
	}
}
