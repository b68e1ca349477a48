// Package info tells what a trace is: where, when and of what it was recorded,
// how large it is and whether it is whole.
package info

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// Schema names the form of a Result's JSON.
const Schema = "sysreel.info/1"

// Result is what is known of a trace.
type Result struct {
	Schema   string   `json:"schema"`
	File     string   `json:"file"`
	UUID     string   `json:"uuid"`
	Version  string   `json:"version"` // of the format
	State    string   `json:"state"`   // complete, unfinished, damaged
	Warning  string   `json:"warning,omitempty"`
	Recorder string   `json:"recorder"`
	Backend  string   `json:"backend"`
	Machine  Machine  `json:"machine"`
	Command  []string `json:"command,omitempty"` // a launch
	PIDs     []int32  `json:"pids,omitempty"`    // an attach
	// Container and Cgroup are what an attach was to instead of processes; a
	// Container also that of the processes.
	Container *Container `json:"container,omitempty"`
	Cgroup    string     `json:"cgroup,omitempty"`
	Cwd       string     `json:"cwd"`
	Follow    bool       `json:"follow"`
	Policy    Policy     `json:"policy"`
	// Tampered are the calls that were changed on purpose, as Policy.Inject says.
	Tampered []analyze.Tampering `json:"tampered,omitempty"`
	// Of a trace made from a log that does not tell them.
	NoDurations bool `json:"no_durations,omitempty"`
	NoClock     bool `json:"no_clock,omitempty"`
	// Start is when recording began, in the recording machine's zone; empty
	// if the header was lost.
	Start      string `json:"start,omitempty"`
	DurationNs int64  `json:"duration_ns"` // to the end of the recording, or of its last event
	// CalibrationNs is what the recorder adds to a call.
	CalibrationNs int64 `json:"calibration_ns,omitempty"`
	// RecorderCPUNs is the CPU time that the recorder used, of a trace
	// closed in order.
	RecorderCPUNs int64  `json:"recorder_cpu_ns,omitempty"`
	Events        uint64 `json:"events"` // that can be read
	// FirstEvent is the number of the first event: above 1 in a later part of a
	// series and in a ring.
	FirstEvent   uint64  `json:"first_event,omitempty"`
	Series       *Series `json:"series,omitempty"`
	RingBytes    uint64  `json:"ring_bytes,omitempty"` // 0: no ring
	Blocks       uint64  `json:"blocks"`
	Processes    uint32  `json:"processes,omitempty"` // of a trace closed in order
	Threads      uint32  `json:"threads,omitempty"`
	FileBytes    int64   `json:"file_bytes"`
	RawBytes     int64   `json:"raw_bytes"` // of the blocks, decompressed
	End          string  `json:"end,omitempty"`
	EndDetail    string  `json:"end_detail,omitempty"`
	TriggerEvent uint64  `json:"trigger_event,omitempty"` // that ended the recording
	Exit         string  `json:"exit,omitempty"`          // of the launched command
	Losses       []Loss  `json:"losses"`
	Gaps         []Gap   `json:"gaps"`
	// Redactions tells how often secrets were blanked since the recording
	// began, by rule; of a trace without an end up to its last block.
	Redactions []Redaction `json:"redactions"`
}

// Redaction is what one rule has blanked.
type Redaction struct {
	Rule  string `json:"rule"`
	Count uint64 `json:"count"`
}

// Series says which part of a recording the trace is.
type Series struct {
	ID   string `json:"id"`
	Part uint32 `json:"part"`
}

// Machine is where it was recorded.
type Machine struct {
	Hostname string `json:"hostname"`
	Kernel   string `json:"kernel"`
	Arch     string `json:"arch"`
	OS       string `json:"os"`
	CPUs     uint32 `json:"cpus"`
}

// Container is what was known of a container when its recording began.
type Container struct {
	Asked  string `json:"asked,omitempty"` // how it was named to the recorder
	Engine string `json:"engine,omitempty"`
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Policy is what was to be kept.
type Policy struct {
	Snap    uint32 `json:"snap"`         // bytes kept of each buffer that is read
	Written uint32 `json:"snap_written"` // and of each that is written
	Trace   string `json:"trace,omitempty"`
	Env     bool   `json:"env"`
	Seccomp bool   `json:"seccomp"`
	// Redact lists the rules by which secrets were blanked: none, none was.
	Redact []string `json:"redact"`
	// Fingerprint is how many bytes of a read from a file a hash of 16 bits
	// covers, 0: there are no such hashes.
	Fingerprint uint32 `json:"fingerprint,omitempty"`
	Stacks      uint32 `json:"stacks,omitempty"` // frames kept of each call's stack at most
	// Inject lists what was to be done to calls, in strace's notation.
	Inject     []string `json:"inject,omitempty"`
	VCPUs      uint32   `json:"vcpus,omitempty"` // 1: states of virtual CPUs after KVM_RUN; 2: and before
	Secontexts bool     `json:"secontexts,omitempty"`
}

// Loss is something that is not in the trace.
type Loss struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
	Detail string `json:"detail,omitempty"`
}

// Gap is a part of the file that cannot be read.
type Gap struct {
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
	Events uint64 `json:"events"`
	Known  bool   `json:"events_known"`
	Reason string `json:"reason"`
}

// Read reads the trace to its end and tells what it is. It checks every block's
// checksum and decompresses none but those that tell of losses, and all where calls were
// tampered with.
func Read(name string, r *tracefile.Reader) (*Result, error) {
	h := r.Header()
	x := &Result{
		Schema: Schema, File: name, UUID: hex.EncodeToString(h.GetUuid()), Version: fmt.Sprintf("%d.%d", h.GetMajor(), h.GetMinor()),
		Recorder: h.GetRecorder(), Backend: h.GetBackend(),
		Machine: Machine{string(h.GetMachine().GetHostname()), h.GetMachine().GetKernel(), h.GetMachine().GetArch(), h.GetMachine().GetOsRelease(), h.GetMachine().GetCpus()},
		PIDs:    h.GetTarget().GetPids(), Cwd: string(h.GetTarget().GetCwd()), Follow: h.GetTarget().GetFollow(),
		NoDurations:   h.GetNoDurations(),
		NoClock:       h.GetNoClock(),
		Policy:        Policy{h.GetPolicy().GetSnap(), h.GetPolicy().GetSnapWritten(), h.GetPolicy().GetTrace(), h.GetPolicy().GetEnv(), h.GetPolicy().GetSeccomp(), append([]string{}, h.GetPolicy().GetRedact()...), h.GetPolicy().GetFingerprint(), h.GetPolicy().GetStacks(), h.GetPolicy().GetInject(), h.GetPolicy().GetVcpus(), h.GetPolicy().GetSecontexts()},
		CalibrationNs: h.GetCalibration().GetStopNs(),
		RingBytes:     h.GetRingBytes(),
		Losses:        []Loss{}, Gaps: []Gap{}, Redactions: []Redaction{},
	}
	if s := h.GetSeries(); s != nil {
		x.Series = &Series{hex.EncodeToString(s.Id), s.Part}
	}
	if t := h.GetTarget(); len(t.GetContainer()) > 0 || t.GetContainerId() != "" {
		x.Container = &Container{string(t.GetContainer()), t.GetContainerEngine(), t.GetContainerId(), string(t.GetContainerName())}
	}
	x.Cgroup = string(h.GetTarget().GetCgroup())
	for _, a := range h.GetTarget().GetCommand() {
		x.Command = append(x.Command, string(a))
	}
	if c := h.GetClock(); c != nil && !h.GetNoClock() && (h.GetBackend() != "import" || c.RealtimeNs > int64(365*24*time.Hour)) { // a log may lack the date
		x.Start = time.Unix(0, c.RealtimeNs).In(time.FixedZone(c.Zone, int(c.UtcOffsetS))).Format(time.RFC3339Nano)
	}
	var core tracefile.Core
	var losses []*tracepb.Loss
	var tampered analyze.Tamperings
	var redactions []*tracepb.Redaction
	var final *tracefile.Chunk
	last := int64(0)
	for {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if x.FirstEvent == 0 && c.Events > 0 {
			x.FirstEvent = c.FirstEvent
		}
		x.Blocks++
		x.Events += uint64(c.Events)
		x.FileBytes = c.Offset + int64(c.Size)
		x.RawBytes += int64(c.CoreRaw) + int64(c.DetailRaw)
		last = max(last, c.LastTime)
		final = c
		if (c.Losses > 0 || len(x.Policy.Inject) > 0) && c.Core(&core) == nil {
			losses = append(losses, core.Losses...)
			count(&tampered, &core)
		}
	}
	if start := h.GetClock().GetMonotonicNs(); h.GetClock() != nil && last > start {
		x.DurationNs = last - start
	}
	x.Tampered = tampered.List()
	x.State, x.Warning = r.State().String(), r.Warning()
	var totals []*tracepb.Loss
	if f := r.Footer(); f != nil {
		x.footer(f, h)
		totals, redactions = f.Losses, f.Redaction
	} else if final != nil && len(x.Policy.Redact) > 0 && final.Core(&core) == nil {
		redactions = core.Redactions
	}
	x.losses(losses, totals)
	for _, n := range redactions {
		x.Redactions = append(x.Redactions, Redaction{n.Rule, n.Count})
	}
	slices.SortStableFunc(x.Redactions, func(a, b Redaction) int {
		return slices.Index(x.Policy.Redact, a.Rule) - slices.Index(x.Policy.Redact, b.Rule)
	})
	for _, g := range r.Gaps() {
		x.Gaps = append(x.Gaps, Gap{g.Offset, g.Bytes, g.Events, g.Known, g.Reason})
	}
	return x, nil
}

// count counts the calls of a block that were tampered with.
func count(into *analyze.Tamperings, core *tracefile.Core) {
	for i, flags := range core.Flags {
		if flags&tracefile.Tampered == 0 {
			continue
		}
		s := &core.Shapes[core.Shape[i]]
		name := s.Name
		if d := syscalls.Lookup(s.Arch, s.NR); d != nil {
			name = d.Name
		}
		into.Add(name, &tracefile.Event{Num: core.FirstEvent + uint64(i), Kind: s.Kind, Flags: flags, Ret: core.Ret[i]}, 0)
	}
}

func (x *Result) footer(f *tracepb.Footer, h *tracepb.Header) {
	x.Processes, x.Threads, x.RecorderCPUNs = f.Processes, f.Threads, f.RecorderCpuNs
	if f.Clock != nil && h.GetClock() != nil {
		x.DurationNs = f.Clock.MonotonicNs - h.Clock.MonotonicNs
	}
	x.EndDetail, x.TriggerEvent = f.Detail, f.TriggerEvent
	switch f.End {
	case tracepb.Footer_EXITED:
		x.End = "every process ended"
	case tracepb.Footer_INTERRUPTED:
		x.End = "interrupted"
	case tracepb.Footer_LIMIT:
		x.End = "limit reached"
	case tracepb.Footer_OUTPUT:
		x.End = "the output failed"
	case tracepb.Footer_TRIGGERED:
		x.End = "stopped"
	case tracepb.Footer_NEXT_PART:
		x.End = "the recording goes on in the next part"
	}
	if f.ExitKnown {
		if sig := f.ExitStatus & 0x7f; sig != 0 { // wait(2)
			x.Exit = syscalls.SignalName(int(sig))
		} else {
			x.Exit = fmt.Sprintf("exit %d", f.ExitStatus>>8&0xff)
		}
	}
}

// losses adds up losses of one reason and detail. Of those in the totals that no
// block tells of, the reason is known only.
func (x *Result) losses(ls, totals []*tracepb.Loss) {
	type key struct {
		reason tracepb.Loss_Reason
		detail string
	}
	sum, told := make(map[key]uint64), make(map[tracepb.Loss_Reason]uint64)
	for _, l := range ls {
		sum[key{l.Reason, l.Detail}] += l.Count
		told[l.Reason] += l.Count
	}
	for _, l := range totals {
		if n := told[l.Reason]; n < l.Count {
			sum[key{l.Reason, l.Detail}] += l.Count - n
		}
	}
	for k, n := range sum {
		x.Losses = append(x.Losses, Loss{analyze.LossText(k.reason), n, k.detail})
	}
	sort.Slice(x.Losses, func(i, j int) bool {
		a, b := x.Losses[i], x.Losses[j]
		if a.Reason != b.Reason {
			return a.Reason < b.Reason
		}
		return a.Detail < b.Detail
	})
}

// Render writes the result for people.
func Render(w io.Writer, x *Result, o term.Options) error {
	b := &strings.Builder{}
	style := term.Green
	switch x.State {
	case "unfinished":
		style = term.Yellow
	case "damaged":
		style = term.Red
	}
	fmt.Fprintf(b, "%s  %s\n", o.Paint(term.Safe(x.File), term.Bold), o.Paint(x.State, style))
	for _, l := range x.Lines() {
		fmt.Fprintf(b, "%s  %s\n", o.Paint(term.Pad(l.Name, 10, false), term.Dim), l.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Line is something that is known of a trace, in words; Text is safe to show.
type Line struct{ Name, Text string }

// Lines tells the result in words, but for the file's name and state.
func (x *Result) Lines() []Line {
	var lines []Line
	line := func(name, format string, args ...any) {
		lines = append(lines, Line{name, term.Safe(fmt.Sprintf(format, args...))})
	}
	if len(x.Command) > 0 {
		line("command", "%s", commandLine(x.Command))
	}
	if len(x.PIDs) > 0 {
		line("attached", "to %s", strings.Trim(strings.ReplaceAll(fmt.Sprint(x.PIDs), " ", ", "), "[]"))
	}
	if x.Container != nil {
		line("container", "%s", x.Container)
	}
	if x.Cgroup != "" {
		line("cgroup", "%s", x.Cgroup)
	}
	if x.Cwd != "" {
		line("directory", "%s", x.Cwd)
	}
	if x.Exit != "" {
		line("result", "%s", x.Exit)
	}
	if x.Start != "" {
		if t, err := time.Parse(time.RFC3339Nano, x.Start); err == nil {
			line("recorded", "%s, for %s", t.Format("2006-01-02 15:04:05.000 -07:00"), term.Duration(x.DurationNs))
		}
	}
	if x.End != "" {
		end := x.End
		if x.EndDetail != "" {
			end += ": " + x.EndDetail
		}
		if x.TriggerEvent > 0 {
			end += fmt.Sprintf(", event #%d", x.TriggerEvent)
		}
		line("ended", "%s", end)
	}
	if m := x.Machine; m.Kernel != "" {
		host := m.Hostname
		if host != "" {
			host += ": "
		}
		line("machine", "%sLinux %s %s, %s, %s", host, m.Kernel, m.Arch, m.OS, term.Plural(uint64(m.CPUs), "CPU"))
	}
	line("recorder", "%s (%s), format %s, trace %s", x.Recorder, x.Backend, x.Version, x.UUID)
	if x.Backend == "import" {
		line("kept", "what the log shows")
	} else {
		line("kept", "%s", policy(x.Policy, x.Follow))
	}
	for _, expr := range x.Policy.Inject {
		line("inject", "%s", expr)
	}
	for i := range x.Tampered {
		line("tampered", "%s", &x.Tampered[i])
	}
	switch {
	case x.NoDurations && x.NoClock:
		line("times", "none: the log has neither times (strace -ttt) nor durations (-T)")
	case x.NoDurations:
		line("times", "no durations in the log (strace -T)")
	case x.NoClock:
		line("times", "durations only: the log does not say when calls were made (strace -ttt)")
	}
	var overhead []string
	if x.CalibrationNs > 0 {
		overhead = append(overhead, fmt.Sprintf("about %s a call, in the durations too", term.Duration(x.CalibrationNs)))
	}
	if x.RecorderCPUNs > 0 {
		overhead = append(overhead, fmt.Sprintf("the recorder used %s of CPU time", term.Duration(x.RecorderCPUNs)))
	}
	if len(overhead) > 0 {
		line("overhead", "%s", strings.Join(overhead, "; "))
	}
	if x.Backend == "ptrace" {
		line("never seen", "memory accesses, and calls that the vDSO answers: clock_gettime, gettimeofday, time, getcpu")
	}
	n := term.Plural(x.Events, "event")
	if x.Processes > 0 {
		n += fmt.Sprintf(" of %s, %s", term.Plural(uint64(x.Processes), "process"), term.Plural(uint64(x.Threads), "thread"))
	}
	if x.FirstEvent > 1 {
		n += fmt.Sprintf(", from #%d on", x.FirstEvent)
	}
	line("events", "%s", n)
	if x.Series != nil {
		line("series", "part %d of %s", x.Series.Part, x.Series.ID)
	}
	if x.RingBytes > 0 {
		line("ring", "the last of the recording, at most %s", term.Bytes(int64(min(x.RingBytes, 1<<62))))
	}
	per := ""
	if x.Events > 0 {
		per = fmt.Sprintf(", %.2f bytes an event", float64(x.FileBytes)/float64(x.Events))
	}
	line("size", "%s in %s, %s decompressed%s", term.Bytes(x.FileBytes), term.Plural(x.Blocks, "block"), term.Bytes(x.RawBytes), per)
	if x.Backend != "import" {
		line("redacted", "%s", redacted(x))
	}
	if len(x.Losses) == 0 {
		line("losses", "none")
	}
	for _, l := range x.Losses {
		text := l.Reason
		if l.Detail != "" {
			text += ": " + l.Detail
		}
		line("losses", "%s × %s", term.Count(l.Count), text)
	}
	for i, g := range x.Gaps {
		if i == 10 {
			line("unreadable", "… and %d more", len(x.Gaps)-i)
			break
		}
		line("unreadable", "%s at offset %d: %s", term.Bytes(g.Bytes), g.Offset, g.Reason)
	}
	if x.Warning != "" {
		line("warning", "%s", x.Warning)
	}
	return lines
}

// String is like "web (docker 5ff922c1f0e9)"; all of the ID is in the JSON.
func (c *Container) String() string {
	name := c.Name
	if name == "" && !strings.HasPrefix(c.ID, c.Asked) {
		name = c.Asked
	}
	id := c.ID
	if len(id) == 64 {
		id = id[:12] // as engines print it
	}
	id = strings.TrimSpace(c.Engine + " " + id)
	switch {
	case name == "":
		return id
	case id == "":
		return name + ", which did not start"
	}
	return fmt.Sprintf("%s (%s)", name, id)
}

func policy(p Policy, follow bool) string {
	s := fmt.Sprintf("%d bytes of each buffer", p.Snap)
	if p.Written > p.Snap {
		s += fmt.Sprintf(", %d of text that is written", p.Written)
	}
	if p.Fingerprint > 0 {
		s += ", hashes of what else is read from files"
	}
	if p.Trace != "" {
		s += ", calls of " + p.Trace
	} else {
		s += ", every call"
	}
	if p.Seccomp {
		s += " (chosen in the kernel)"
	}
	if p.Env {
		s += ", environments"
	}
	switch {
	case p.Stacks == 1:
		s += ", instruction pointers"
	case p.Stacks > 1:
		s += fmt.Sprintf(", stacks of up to %d frames", p.Stacks)
	}
	if p.VCPUs > 0 {
		s += ", states of virtual CPUs"
	}
	if p.Secontexts {
		s += ", security contexts"
	}
	if !follow {
		s += ", no children"
	}
	return s
}

// redacted tells what was blanked, and by what rules.
func redacted(x *Result) string {
	if len(x.Policy.Redact) == 0 {
		return "nothing: no rule was in force"
	}
	s := "nothing"
	for i, n := range x.Redactions {
		if i == 0 {
			s = ""
		} else {
			s += ", "
		}
		s += fmt.Sprintf("%s × %s", term.Count(n.Count), n.Rule)
	}
	return s + " (rules: " + strings.Join(x.Policy.Redact, ", ") + ")"
}

func commandLine(argv []string) string {
	out := make([]string, len(argv))
	for i, a := range argv {
		if out[i] = a; a == "" || strings.ContainsAny(a, " \t\n'\"") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
