//go:build linux && (amd64 || arm64)

package record

import (
	"testing"

	"sysreel/proto/tracefile"
)

// The end of a process tells the CPU time that it and its children have used: of
// the command that of all.
func TestCPUTime(t *testing.T) {
	needTool(t, "sh")
	r := record(t, Options{}, "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sh -c 'exit 3'; exit 0")
	var all []uint64
	for i := range r.events {
		if e := &r.events[i]; e.Kind == tracefile.ThreadExit && e.Args[0] == 1 {
			all = append(all, e.Args[2])
		}
	}
	const least = 1e6 // ns: a hundred thousand steps of a shell take tens of times as long
	if len(all) != 2 || all[0] == 0 || all[1] < all[0]+least {
		t.Errorf("CPU times in ns: %d", all)
	}
}
