//go:build linux && (amd64 || arm64)

package record

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"sysreel/proto/tracepb"
	"sysreel/record/internal/container"
	"sysreel/record/internal/ptrace"
)

// header describes the recording and the machine.
func (s *session) header() *tracepb.Header {
	cwd, _ := os.Getwd()
	t := &tracepb.Target{Cwd: []byte(cwd), Follow: !s.o.NoFollow}
	for _, a := range s.o.Command {
		t.Command = append(t.Command, []byte(a))
	}
	for _, pid := range s.o.PIDs {
		t.Pids = append(t.Pids, int32(pid))
	}
	if s.group != nil {
		s.group.describe(t)
	} else if c, ok := container.Of(s.o.PIDs); ok {
		t.ContainerEngine, t.ContainerId = c.Engine, c.ID
	}
	return &tracepb.Header{
		Recorder: s.o.Recorder,
		Backend:  "ptrace",
		Machine:  machine(),
		Clock:    clock(),
		Target:   t,
		Policy: &tracepb.Policy{Snap: uint32(max(s.o.snap(), 0)), SnapWritten: uint32(max(s.o.written(), 0)), Trace: s.o.Trace, Env: s.o.Environ, Seccomp: s.engine.Filtered(), Redact: s.rules.Names(),
			Fingerprint: s.policy.Fingerprint, FingerprintPages: s.policy.FingerprintPages,
			Secontexts: s.o.Secontexts, ExpectedSecontexts: s.o.Secontexts && s.o.ExpectedSecontexts,
			Stacks: uint32(max(0, min(s.o.Stacks, MaxStacks))), Inject: s.o.Inject, Vcpus: uint32(s.o.VCPUs)},
		Calibration: &tracepb.Calibration{StopNs: s.engine.StopCost()},
		TickNs:      tick,
		Interfaces:  interfaces(),
		Families:    families(),
	}
}

// families returns the families of generic netlink, for the names of messages.
func families() (list []*tracepb.GenericFamily) {
	for _, f := range ptrace.Families() {
		list = append(list, &tracepb.GenericFamily{Id: uint32(f.ID), Name: []byte(f.Name)})
	}
	return list
}

// interfaces returns the network interfaces that the recorder sees. A recording
// is whole without them.
func interfaces() (list []*tracepb.Interface) {
	const most = 1000
	all, _ := net.Interfaces()
	for _, i := range all[:min(len(all), most)] {
		list = append(list, &tracepb.Interface{Index: uint32(i.Index), Name: []byte(i.Name)})
	}
	return list
}

// tick is the unit of a recording's times in nanoseconds. A ptrace stop takes
// tens of microseconds and varies by several: half a microsecond loses nothing,
// is finer than what strace prints, and saves 1.7 to 2.4 bytes an event against 1 ns.
const tick = 500

func machine() *tracepb.Machine {
	u := ptrace.Uname()
	return &tracepb.Machine{
		Hostname:      u.Node,
		Kernel:        u.Release,
		KernelVersion: u.Version,
		Arch:          u.Machine,
		BootId:        oneLine("/proc/sys/kernel/random/boot_id"),
		Cpus:          onlineCPUs(),
		OsRelease:     osRelease(),
		PageSize:      uint32(os.Getpagesize()),
		ClockTicks:    100, // USER_HZ of every architecture that is supported
	}
}

func oneLine(path string) string {
	b, _ := os.ReadFile(path)
	return string(bytes.TrimSpace(b))
}

// onlineCPUs counts a list like "0-3,6".
func onlineCPUs() uint32 {
	n := 0
	for part := range strings.SplitSeq(oneLine("/sys/devices/system/cpu/online"), ",") {
		low, high, ranged := strings.Cut(part, "-")
		from, err := strconv.Atoi(low)
		if err != nil {
			continue
		}
		to := from
		if ranged {
			to, _ = strconv.Atoi(high)
		}
		n += to - from + 1
	}
	return uint32(n)
}

func osRelease() string {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return ""
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if v, ok := strings.CutPrefix(sc.Text(), "PRETTY_NAME="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}

// clock reads the clocks of the machine.
func clock() *tracepb.Clock {
	mono, real, boot := ptrace.Clocks()
	zone, offset := time.Now().Zone()
	return &tracepb.Clock{MonotonicNs: mono, RealtimeNs: real, BoottimeNs: boot, UtcOffsetS: int32(offset), Zone: zone}
}
