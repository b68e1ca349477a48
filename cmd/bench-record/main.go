//go:build unix

// Bench-record measures what recording costs: it runs real programs bare, under
// strace -f -o as a user starts it, under strace kept on one CPU, and under
// sysreel, in turn, and prints ratios of medians. Only ratios of one run mean
// anything: the machine should have nothing else to do.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	os.Exit(run())
}

func run() int {
	var (
		sysreel = flag.String("sysreel", "./sysreel", "the sysreel to record with")
		only    = flag.String("run", "", "only programs whose name matches this regular expression")
		runs    = flag.Int("n", 5, "runs of each")
		verbose = flag.Bool("v", false, "print the time of every run")
	)
	flag.Parse()
	re, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-record:", err)
		return 2
	}
	path, err := filepath.Abs(*sysreel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-record:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "bench-record-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-record:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	b := &bench{sysreel: path, dir: dir, runs: *runs, verbose: *verbose}
	fmt.Println(machine())
	fmt.Printf("medians of %d runs, taken in turn; load average %s\n\n", b.runs, load())
	fmt.Printf("| %-14s | %9s | %9s | %9s | %9s | %9s |\n", "", "bare, ms", "recorded", "/ bare", "/ strace", "/ pinned")
	fmt.Println("| -------------- | --------: | --------: | --------: | --------: | --------: |")
	status := 0
	for i := range programs {
		if p := &programs[i]; re.MatchString(p.name) {
			if err := b.measure(p); err != nil {
				fmt.Printf("| %-14s | %v |\n", p.name, err)
				status = 1
			}
		}
	}
	b.total()
	return status
}

// bench runs programs and keeps their ratios.
type bench struct {
	sysreel, dir string
	runs         int
	verbose      bool
	ratios       [variants][]float64 // recorded against each, of the programs that count
}

// The variants of a run.
const (
	bare = iota
	recorded
	strace
	pinned // strace and what it traces on one CPU
	variants
)

var variantNames = [variants]string{"bare", "recorded", "strace", "pinned"}

// command returns the command line of a variant.
func (b *bench) command(p *program, variant int) []string {
	var tracer []string
	switch variant {
	case recorded:
		tracer = []string{b.sysreel, "record", "--force", "-q", "-o", filepath.Join(b.dir, "trace.reel")}
	case pinned:
		tracer = []string{"taskset", "-c", "0"}
		fallthrough
	case strace:
		tracer = append(tracer, "strace", "-f", "-o", filepath.Join(b.dir, "trace.strace"))
	}
	if variant != bare && len(p.flags) > 0 {
		if variant != recorded {
			tracer = append(tracer, "--seccomp-bpf")
		}
		tracer = append(tracer, p.flags...)
	}
	return append(tracer, p.argv...)
}

// measure runs a program in all variants and prints its row.
func (b *bench) measure(p *program) error {
	work := filepath.Join(b.dir, p.name)
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	for _, tool := range append([]string{"strace", "taskset"}, p.needs...) {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	if p.prepare != nil {
		if err := p.prepare(work); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	var times [variants][]float64
	for n := range b.runs + 1 {
		for i := range variants {
			v := (i + n) % variants
			d, err := p.run(work, b.command(p, v))
			if err != nil {
				return fmt.Errorf("%s: %w", variantNames[v], err)
			}
			if n > 0 { // the first warms up
				times[v] = append(times[v], d.Seconds())
			}
		}
	}
	var med [variants]float64
	for v := range times {
		slices.Sort(times[v])
		med[v] = median(times[v])
		if b.verbose {
			fmt.Printf("%s %s: %.4f s\n", p.name, variantNames[v], times[v])
		}
	}
	row := fmt.Sprintf("| %-14s | %9.1f | %9.1f |", p.name, 1e3*med[bare], 1e3*med[recorded])
	for _, v := range []int{bare, strace, pinned} {
		ratio := med[recorded] / med[v]
		row += fmt.Sprintf(" %9.2f |", ratio)
		if len(p.flags) == 0 {
			b.ratios[v] = append(b.ratios[v], ratio)
		}
	}
	if better := min(med[strace], med[pinned]); med[recorded] > 1.05*better {
		row += fmt.Sprintf(" %.2f of the better strace", med[recorded]/better)
	}
	fmt.Println(row)
	return nil
}

// total prints the geometric means of the programs that are recorded whole.
func (b *bench) total() {
	if len(b.ratios[bare]) == 0 {
		return
	}
	row := fmt.Sprintf("| %-14s | %9s | %9s |", "geometric mean", "", "")
	for _, v := range []int{bare, strace, pinned} {
		sum := 0.0
		for _, r := range b.ratios[v] {
			sum += math.Log(r)
		}
		row += fmt.Sprintf(" %9.2f |", math.Exp(sum/float64(len(b.ratios[v]))))
	}
	fmt.Println(row)
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// run runs one variant of a program and returns how long it took, or where it is
// a server, how long its client took.
func (p *program) run(dir string, argv []string) (time.Duration, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var took time.Duration
	var err error
	if p.client != nil {
		took, err = p.client(dir)
	}
	if werr := cmd.Wait(); err == nil && werr != nil {
		err = fmt.Errorf("%w\n%s", werr, stderr.Bytes())
	}
	if p.client == nil {
		took = time.Since(begin)
	}
	return took, err
}

// machine names the CPU, the kernel and strace.
func machine() string {
	cpu := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := exec.Command("uname", "-sr").Output()
	version, _ := exec.Command("strace", "--version").Output()
	first, _, _ := strings.Cut(string(version), "\n")
	return fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), cpu, bytes.TrimSpace(kernel), first)
}

func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(b), " ")
	return first
}
