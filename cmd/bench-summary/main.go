//go:build unix

// Bench-summary measures what it takes to sum up long traces: it records real
// programs, repeats the recordings with new times and numbers up to a length, and
// runs sysreel over these, awk over strace's text of the same calls, and perf
// trace -s over a recording of its own of the same program. Only ratios of one
// run mean anything: the machine should have nothing else to do.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	b := &bench{}
	flag.StringVar(&b.sysreel, "sysreel", "./sysreel", "the sysreel to measure")
	flag.IntVar(&b.runs, "n", 3, "runs of each")
	flag.IntVar(&b.events, "events", 5_000_000, "events of the trace that awk and perf get, too")
	flag.IntVar(&b.large, "large", 100_000_000, "events of the long trace; 0: none")
	flag.StringVar(&b.trace, "trace", "", "the recording to repeat (a build of sysreel's reader)")
	flag.StringVar(&b.dir, "dir", "", "where to put traces, and leave them (a temporary directory)")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-summary:", err)
		os.Exit(1)
	}
}

type bench struct {
	sysreel, trace, dir string
	runs, events, large int
}

func (b *bench) run() (err error) {
	if b.sysreel, err = filepath.Abs(b.sysreel); err != nil {
		return err
	}
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "bench-summary-"); err != nil {
			return err
		}
		defer os.RemoveAll(b.dir)
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%d CPUs, %s/%s; medians of %d runs; load average %s\n\n", runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH, b.runs, strings.TrimSpace(string(load)))
	if b.trace == "" {
		b.trace = filepath.Join(b.dir, "build.reel")
		if err := b.build(); err != nil {
			return err
		}
	}
	if err := b.against(); err != nil {
		return err
	}
	if b.large > 0 {
		return b.long()
	}
	return nil
}

// build records a build with an empty cache.
func (b *bench) build() error {
	cmd := exec.Command(b.sysreel, "record", "-q", "--force", "-o", b.trace, "--", "go", "build", "-o", os.DevNull, "sysreel/proto/tracefile")
	cmd.Env = append(os.Environ(), "GOCACHE="+filepath.Join(b.dir, "cache"))
	return run(cmd)
}

// generate repeats a recording up to so many events, if that was not done.
func (b *bench) generate(recording, name string, events int) (string, error) {
	file := filepath.Join(b.dir, name)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	cmd := exec.Command("go", "test", "sysreel/proto/tracefile", "-run", "TestGenerate", "-count=1", "-timeout", "60m")
	cmd.Env = append(os.Environ(), "SYSREEL_GENERATE="+file, "SYSREEL_TRACES="+recording, "SYSREEL_EVENTS="+strconv.Itoa(events))
	return file, run(cmd)
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// against measures the same calls in the forms that others read.
func (b *bench) against() error {
	trace, err := b.generate(b.trace, "events.reel", b.events)
	if err != nil {
		return err
	}
	text := filepath.Join(b.dir, "events.txt")
	if err := b.replay(trace, text); err != nil {
		return err
	}
	lines := float64(b.events)
	ours, err := b.measure("summary", lines, b.command("summary", "--objects=false", trace))
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		cmd  func() *exec.Cmd
	}{
		{"summary, files and peers too", b.command("summary", trace)},
		{"hist --by file", b.command("hist", "--by", "file", trace)},
		{"awk over strace's text", func() *exec.Cmd { return exec.Command("awk", awk, text) }},
	} {
		if err := b.compare(c.name, lines, ours, c.cmd); err != nil {
			return err
		}
	}
	return b.perf()
}

// replay writes strace's text of the trace.
func (b *bench) replay(trace, text string) error {
	out, err := os.Create(text)
	if err != nil {
		return err
	}
	cmd := exec.Command(b.sysreel, "replay", "-ttt", "-T", trace)
	cmd.Stdout = out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return out.Close()
}

// awk adds up calls, errors and times by name, as people do.
const awk = `match($0, /[a-z_0-9]+(\(| resumed>)/) {
	name = substr($0, RSTART, RLENGTH); sub(/[ (].*/, "", name)
	calls[name]++
	if (/ = -1 E/) errors[name]++
	if (match($0, /<[0-9.]+>$/)) time[name] += substr($0, RSTART + 1, RLENGTH - 2)
}
END { for (name in calls) print time[name], calls[name], errors[name], name }`

// perf measures perf trace -s over what it recorded of dd, and summary over as
// many of dd's calls.
func (b *bench) perf() error {
	data, count := filepath.Join(b.dir, "perf.data"), b.events/2
	dd := []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=" + strconv.Itoa(count)}
	if err := run(exec.Command("perf", append([]string{"trace", "record", "-o", data, "--"}, dd...)...)); err != nil {
		fmt.Printf("perf trace cannot record here: %v\n", err)
		return nil
	}
	dd[len(dd)-1] = "count=100000"
	short := filepath.Join(b.dir, "dd.reel")
	if err := run(exec.Command(b.sysreel, append([]string{"record", "-q", "--force", "-o", short, "--"}, dd...)...)); err != nil {
		return err
	}
	trace, err := b.generate(short, "dds.reel", 2*count)
	if err != nil {
		return err
	}
	ours, err := b.measure("summary of dd", float64(2*count), b.command("summary", "--objects=false", trace))
	if err != nil {
		return err
	}
	return b.compare("perf trace -s of dd", float64(2*count), ours, func() *exec.Cmd { return exec.Command("perf", "trace", "-s", "-i", data) })
}

// long measures what the length of a trace is to do nothing to.
func (b *bench) long() error {
	trace, err := b.generate(b.trace, "long.reel", b.large)
	if err != nil {
		return err
	}
	info, err := os.Stat(trace)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d events in %d MiB\n", b.large, info.Size()>>20)
	ours, err := b.measure("summary", float64(b.large), b.command("summary", "--objects=false", trace))
	if err != nil {
		return err
	}
	if err := b.compare("hist --by file", float64(b.large), ours, b.command("hist", "--by", "file", trace)); err != nil {
		return err
	}
	var times []time.Duration
	for range b.runs {
		d, err := b.first(trace)
		if err != nil {
			return err
		}
		times = append(times, d)
	}
	fmt.Printf("%-30s %7.0f ms to the first line\n", "replay --from the middle", median(times).Seconds()*1000)
	return nil
}

// first returns how long replay takes to the first line from the middle.
func (b *bench) first(trace string) (time.Duration, error) {
	cmd := exec.Command(b.sysreel, "replay", "--from", fmt.Sprintf("#%d", b.large/2), trace)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(out).ReadString('\n')
	d := time.Since(begin)
	cmd.Process.Kill()
	cmd.Wait()
	return d, err
}

func (b *bench) command(args ...string) func() *exec.Cmd {
	return func() *exec.Cmd { return exec.Command(b.sysreel, args...) }
}

// measure runs a command and prints its time, its rate and the most memory it had.
func (b *bench) measure(name string, events float64, cmd func() *exec.Cmd) (time.Duration, error) {
	return b.timed(name, events, 0, cmd)
}

func (b *bench) compare(name string, events float64, ours time.Duration, cmd func() *exec.Cmd) error {
	_, err := b.timed(name, events, ours, cmd)
	return err
}

func (b *bench) timed(name string, events float64, ours time.Duration, cmd func() *exec.Cmd) (time.Duration, error) {
	var wall, cpu []time.Duration
	most := int64(0)
	for range b.runs {
		c := cmd()
		c.Stdout = io.Discard
		begin := time.Now()
		if out, err := c.StderrPipe(); err != nil {
			return 0, err
		} else if err := c.Start(); err != nil {
			return 0, err
		} else if text, _ := io.ReadAll(out); c.Wait() != nil {
			return 0, fmt.Errorf("%s: %v: %s", strings.Join(c.Args, " "), c.ProcessState, text)
		}
		wall = append(wall, time.Since(begin))
		cpu = append(cpu, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
		if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			most = max(most, int64(u.Maxrss)>>10) // KiB on Linux
		}
	}
	d := median(wall)
	ratio := ""
	if ours > 0 {
		ratio = fmt.Sprintf("× %.2f", d.Seconds()/ours.Seconds())
	}
	fmt.Printf("%-30s %7.2f s  %6.2f M events/s  %6.2f s of CPU  %4d MiB  %s\n", name, d.Seconds(), events/d.Seconds()/1e6, median(cpu).Seconds(), most, ratio)
	return d, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
