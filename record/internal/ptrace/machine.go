//go:build linux && (amd64 || arm64)

package ptrace

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Utsname is what uname(2) says.
type Utsname struct {
	Node                      []byte
	Release, Version, Machine string
}

// Uname describes the machine.
func Uname() Utsname {
	var u unix.Utsname
	unix.Uname(&u)
	text := func(b []byte) []byte {
		b, _, _ = bytes.Cut(b, []byte{0})
		return bytes.Clone(b)
	}
	return Utsname{text(u.Nodename[:]), string(text(u.Release[:])), string(text(u.Version[:])), string(text(u.Machine[:]))}
}

// Clocks reads the clocks at one moment, in nanoseconds: of several readings
// the one that took the least time.
func Clocks() (mono, real, boot int64) {
	best := int64(1 << 62)
	for range 5 {
		var before, r, b, after unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &before)
		unix.ClockGettime(unix.CLOCK_REALTIME, &r)
		unix.ClockGettime(unix.CLOCK_BOOTTIME, &b)
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &after)
		if d := after.Nano() - before.Nano(); d < best {
			best = d
			mono, real, boot = before.Nano()+d/2, r.Nano(), b.Nano()
		}
	}
	return mono, real, boot
}

// CPUTime returns the CPU time that this process has used, in nanoseconds.
func CPUTime() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts)
	return ts.Nano()
}

// GiveUpFiles closes every descriptor that this process has inherited, but
// standard error; the standard files become /dev/null. What the process has
// opened itself is known by its close-on-exec flag, which Go always sets.
func GiveUpFiles(keepStdout bool) {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(null)
	unix.Dup3(null, 0, 0)
	if !keepStdout {
		unix.Dup3(null, 1, 0)
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= 2 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
}
