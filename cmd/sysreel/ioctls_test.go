package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sysreel/proto/syscalls"
)

// ioctlsDiffer are the requests that replay writes otherwise than strace, with
// what follows them.
var ioctlsDiffer = []difference{
	{lines: `DRM_IOCTL_(?:I810|MGA|R128|SAVAGE|SIS|VIA)_|MGSL_IOCTX|PPPOEIOCDFWD|F2FS_IOC_SHUTDOWN|GNTALLOC_|TEGRA_CHANNEL_OPEN|PCITEST_LEGACY|VMCI_SOCKETS_`,
		why: "of drivers that are no more: where another has the same number, strace 7.2 names that alone", before: "7.2"},
	{lines: `^_IOC\(.*, 0x(?:15|4b|64), `, why: "of structures that have grown since strace 6.1", before: "7.2"},
	{lines: `^(?:\w+ or )*(?:_IOC\()`, why: "requests that strace 6.1 does not know", before: "7.2"},
	{lines: `^(?:KDGETKEYCODE|VIDIOC_REQBUFS|VIDIOC_S_CTRL), .* => `, why: "what the call has not changed is written twice", before: "7.2"},
	{lines: `^HDIO_[GS]ET_NICE, \[?1 << `, why: "spaces in names", before: "7.2"},
	{lines: `^(?:PTP_CLOCK_GETCAPS2?|PTP_SYS_OFFSET_EXTENDED2?|UBI_IOCATT), \{`, why: "members newer than strace 6.1", before: "7.2"},
	{lines: `^(?:\w+ or )*_IOC\(`, why: "requests of drivers that are no more, which strace 7.2 has no names for"},
	{lines: `^BTRFS_IOC_BALANCE_V2, 0x10 => 0x10`, why: "what cannot be read is written once"},
	{lines: `^NS_GET_NSTYPE.*PER_LINUX`, why: "strace decodes the result of a call that failed"},
	{lines: `^UBI_IOCRNVOL, \{count=-1,`, why: "strace takes a number below 0 for none"},
	{lines: `^GIO_UNIMAP, .* => `, why: "what the call has not changed is written twice", before: "7.2"},
	{lines: `^VIDIOC_ENUMINPUT, \{`, why: "members newer than strace 6.1", before: "7.2"},
	{lines: `^(?:BTRFS_IOC_(?:FILE_EXTENT_SAME or FIDEDUPERANGE, .*dest_count=(?:4625|65535)|SPACE_INFO, \{space_slots=\d{15}|TREE_SEARCH_V2, .*buf_size=\d{15})|KD[GS]KBDIACR(?:UC)?, \{kb_cnt=\d{8})`,
		why: "of arrays that are said to have more members than fit 64 KiB are recorded, and where they end is not told"},
}

// ioctlLine is a line of an ioctl: its request and the rest.
var ioctlLine = regexp.MustCompile(`^ioctl\(-1, (_IOC\([^)]*\)|\w+(?:\([^)]*\))?(?: or \w+(?:\([^)]*\))?)*)(.*)$`)

// undecoded is the rest of a line whose argument was not looked behind.
var undecoded = regexp.MustCompile(`^, (?:0x[0-9a-f]+|0|NULL|\d+)\) = `)

// TestIoctlsLikeStrace makes every ioctl request of the table, with arguments of
// many forms, and holds replay's text against strace's to the letter. Requests
// that strace names but does not decode may be decoded.
func TestIoctlsLikeStrace(t *testing.T) {
	bin, prog := besideStrace(t, "makes some twenty thousand calls, six times"), compileProg(t, "ioctls", "-O1")
	numbers := filepath.Join(t.TempDir(), "numbers")
	var list strings.Builder
	seen := make(map[uint64]bool)
	for _, v := range syscalls.ConstSet(syscalls.AMD64, "ioctl_req").Values {
		if !seen[v.Val] {
			fmt.Fprintln(&list, v.Val)
			seen[v.Val] = true
		}
	}
	if err := os.WriteFile(numbers, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"-v"}} {
		t.Run(strings.Join(append([]string{"ioctl"}, args...), " "), func(t *testing.T) {
			tryTimes(t, func() []string { return ioctlsLikeStrace(t, bin, []string{"setarch", "-R", prog, numbers}, args) })
		})
	}
}

func ioctlsLikeStrace(t *testing.T, bin string, cmd, args []string) (problems []string) {
	theirs, ours := textOfBoth(t, bin, cmd, args)
	differ, strace := mayDiffer(t, ioctlsDiffer), straceNames(t)
	var count struct{ lines, same, deeper, accepted int }
	said := make(map[string]bool)
	for i, x := range theirs {
		m := ioctlLine.FindStringSubmatch(x)
		if m == nil {
			continue
		}
		count.lines++
		y := "nothing"
		if i < len(ours) {
			y = ours[i]
		}
		if x == y {
			count.same++
			continue
		}
		if n := ioctlLine.FindStringSubmatch(y); n != nil && n[1] == m[1] && undecoded.MatchString(m[2]) {
			count.deeper++
			continue
		}
		if slicesContain(differ, m[1]+m[2]) || strace.lacks(y) {
			count.accepted++
			continue
		}
		if !said[m[1]] { // one line of a request will do
			said[m[1]] = true
			problems = append(problems, fmt.Sprintf("strace: %.1000s\nreplay: %.1000s", x, y))
		}
	}
	if count.lines < 15000 {
		problems = append(problems, fmt.Sprintf("only %d lines to hold against strace's", count.lines))
	}
	t.Logf("%d lines, %d the same, %d decoded deeper, %d that differ as they may", count.lines, count.same, count.deeper, count.accepted)
	return problems
}

// textOfBoth runs a program of one thread under strace and records it, and
// returns the lines of its calls.
func textOfBoth(t *testing.T, bin string, cmd, args []string) (theirs, ours []string) {
	t.Helper()
	out := t.TempDir()
	run := func(tracer ...string) {
		exec.Command(tracer[0], append(tracer[1:], cmd...)...).Run()
	}
	log, reel := filepath.Join(out, "strace"), filepath.Join(out, "reel")
	run(append(append([]string{"strace", "-f", "-o", log}, args...), "--")...)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	run(bin, "record", "-q", "--snap", "65536", "-o", reel, "--")
	replayed, err := exec.Command(bin, append([]string{"replay", reel}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return linesOf(string(text)), linesOf(inWordsOf(t, string(replayed)))
}

// linesOf returns the lines of the first process.
func linesOf(text string) []string { return parseText(text).procs["0"] }
