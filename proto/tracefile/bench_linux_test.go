package tracefile

import (
	"syscall"
	"time"
)

// cpuTime returns the processor time of the process: what a benchmark takes on
// a machine that is busy with other things too.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
