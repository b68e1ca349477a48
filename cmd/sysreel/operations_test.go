package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An operation is a program that makes calls of one operation after the other.
type operation struct {
	prog   string
	args   string // of the program
	option string // of strace, and of replay
	calls  string // regular expression of the calls that are held against strace's
	lines  int    // there are at least so many
	differ []difference
}

var operations = []operation{
	{"controls", "", "", `fcntl|(?:shm|msg|sem)ctl|arch_prctl`, 8000, []difference{
		{lines: `^fcntl\(-1, 0x4(?:0[34b-f]|10) `, why: "F_DUPFD_QUERY, F_CREATED_QUERY, hints and delegations, which strace 6.1 does not know", before: "7.2"},
		{lines: `^arch_prctl\(0x[45]00[1-5] `, why: "tags and shadow stacks, which strace 6.1 does not know", before: "7.2"},
		{lines: `^arch_prctl\(ARCH_(?:GET_UNTAG_MASK|GET_MAX_TAG_BITS|SHSTK_STATUS), `, why: "strace does not look at the answer"},
	}},
	{"keys", "", "", `keyctl|add_key|request_key`, 7000, []difference{
		{lines: `KEYCTL_WATCH_KEY`, why: "strace does not describe it"},
	}},
	{"devices", "", "", `ioctl`, 1950, devicesDiffer},
	{"devices", "", "-v", `ioctl`, 1950, devicesDiffer},
	{"netlinks", "", "", `sendto`, 15000, []difference{
		{lines: `nlmsg_type=(?:nlctrl|0x\w+ /\* GENERIC_FAMILY)`, why: "messages that strace 6.1 does not describe", before: "7.2"},
		{lines: `_\?\?\? \*/`, why: "types, attributes and flags that strace 6.1 does not know", before: "7.2"},
		{lines: `RTM_(?:NEW|DEL|GET)ACTION`, why: "attributes that strace 6.1 takes for those within", before: "7.2"},
		{lines: `RTA_NH_ID|NHA_GROUP|TCP_NEW_SYN_RECV\|0x|RTEXT_FILTER_CFM_STATUS\|0x|NTF_EXT_MANAGED\|0x`, why: "attributes and flags that strace 6.1 does not know", before: "7.2"},
	}},
	{"rings", "", "", `io_uring_\w+`, 7600, ringsDiffer},
	{"rings", "", "-v", `io_uring_\w+`, 7600, ringsDiffer},
	{"bpf", "", "", `bpf`, 17000, bpfDiffers},
	{"bpf", "", "-v", `bpf`, 17000, append([]difference{
		{lines: `extra_data=`, why: "what is behind members that strace 6.1 does not know", before: "7.2"},
	}, bpfDiffers...)},
	{"bpf", "fail", "-y", `bpf`, 17000, bpfDiffers},
	{"perf", "", "", `perf_event_open`, 5700, perfDiffers},
	{"perf", "", "-v", `perf_event_open`, 5700, perfDiffers},
}

// devicesDiffer are the requests of devices that replay writes otherwise.
var devicesDiffer = []difference{
	{lines: `^ioctl\(-1, SG_IO, .* => dxferp=`, why: "a name that was written twice", before: "7.2"},
	{lines: `^ioctl\(-1, VIDIOC_S_CTRL, .* => `, why: "what the call has not changed is written twice", before: "7.2"},
}

// perfDiffers is where strace 6.1 differs of perf_event_open.
var perfDiffers = []difference{
	{lines: `size=0x(?:88|90) `, why: "sizes that have names since strace 6.1", before: "7.2"},
	{lines: `aux_sample_size=`, why: "what follows, which strace 6.1 does not know", before: "7.2"},
	{lines: `PERF_SAMPLE_BRANCH_(?:\w+\|0x|\?\?\?)`, why: "a kind of branches that strace 6.1 does not know", before: "7.2"},
}

// ringsDiffer is where strace 6.1 differs of io_uring.
var ringsDiffer = []difference{
	{lines: `(?:RESTRICTION|IORING_OP)_\?\?\?`, why: "operations newer than strace 6.1, or none", before: "7.2"},
	{lines: `IORING_SETUP_CQE32\|0x|IORING_FEAT_LINKED_FILE\|0x`, why: "flags newer than strace 6.1", before: "7.2"},
	{lines: `^io_uring_register\(-1, 0x\w+ /\* IORING_REGISTER_\?\?\?`, why: "operations newer than strace 6.1, or none", before: "7.2"},
	{lines: `^io_uring_setup\(.*sq_off=`, why: "the addresses of the memory of rings, which strace 6.1 does not know", before: "7.2"},
	{lines: `^io_uring_register\(7, 0x8`, why: "registered rings, which strace 6.1 does not know", before: "7.2"},
	{lines: `^io_uring_register\(-1, IORING_(?:UN)?REGISTER_(?:PBUF_RING|SYNC_CANCEL|FILE_ALLOC_RANGE)`, why: "what strace 6.1 does not describe, or otherwise", before: "7.2"},
	{lines: `^io_uring_enter\(.*(?:IORING_ENTER_EXT_ARG|\|0x|/\* IORING_ENTER)`, why: "arguments that strace 6.1 takes for signals", before: "7.2"},
}

// bpfDiffers are the attributes of bpf in which strace 6.1 differs.
var bpfDiffers = []difference{
	{lines: `BPF_\w*\?\?\?|\|0x[0-9a-f]+`, why: "constants newer than strace 6.1, or none", before: "7.2"},
	{lines: `^bpf\((?:BPF_(?:LINK_DETACH|ITER_CREATE|ENABLE_STATS|PROG_BIND_MAP)), 0x`, why: "commands that strace 6.1 does not describe", before: "7.2"},
	{lines: `^bpf\(BPF_\w+_GET_(?:NEXT_ID|FD_BY_ID), \{`, why: "members that strace 6.1 prints for all of them, at the beginning", before: "7.2"},
	{lines: `^bpf\(BPF_RAW_TRACEPOINT_OPEN, .*(?:\}, \.\.\.\}|\}, \d{3,4}|\}, [3-9]\d|\}, 2[4-9])`, why: "cookie, which strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_BTF_LOAD, .*\}, (?:29|[3-9]\d|\d{3,4})\)`, why: "the size of the log and what follows, which strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_MAP_CREATE, .*map_extra=`, why: "what follows, which strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_PROG_LOAD, .*fd_array=`, why: "what follows, which strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_OBJ_(?:PIN|GET), .*\}, (?:1[7-9]|[2-9]\d|\d{3,4})\)`, why: "path_fd, which strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_PROG_ATTACH, .*\}, (?:2[1-9]|[3-9]\d|\d{3,4})\)`, why: "the place among the others, which strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_PROG_DETACH, \{`, why: "strace 6.1 prints some members only", before: "7.2"},
	{lines: `^bpf\(BPF_PROG_QUERY, .*\}, (?:3[3-9]|[4-9]\d|\d{3,4})\)`, why: "the arrays that strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_(?:PROG_QUERY|LINK_CREATE|PROG_ATTACH), .*attach_type=BPF_XDP`, why: "an interface, which strace 6.1 takes for a descriptor", before: "7.2"},
	{lines: `^bpf\(BPF_LINK_CREATE, .* flags=0x`, why: "flags that strace 6.1 does not know", before: "7.2"},
	{lines: `^bpf\(BPF_LINK_CREATE, .*attach_type=BPF_(?:CGROUP|TRACE_F|MODIFY|LSM)`, why: "what is of the type, which strace 6.1 does not know", before: "7.2"},
}

// TestOperationsLikeStrace holds each operation of calls that do very different
// things by an argument against strace, to the letter.
//
// SYSREEL_ARGS gives the programs an argument: with any, netlinks sends half as many
// messages more.
func TestOperationsLikeStrace(t *testing.T) {
	bin := besideStrace(t, "makes some twenty thousand calls, twice")
	for _, o := range slices.Concat(operations, processOperations) {
		t.Run(strings.Join(strings.Fields(o.prog+" "+o.args+" "+o.option), "_"), func(t *testing.T) {
			prog := compileProg(t, o.prog, "-O1")
			differ := mayDiffer(t, o.differ)
			calls := regexp.MustCompile(`^(?:` + o.calls + `)\(`)
			args := strings.Fields(cmp.Or(os.Getenv("SYSREEL_ARGS"), o.args))
			command := append([]string{"setarch", "-R", prog}, args...)
			tryTimes(t, func() []string {
				theirs, ours := textOfBoth(t, bin, command, strings.Fields(o.option))
				return linesLikeStrace(t, pretended(theirs), pretended(ours), calls, differ, o.lines)
			})
		})
	}
}

// pretended returns the lines from where calls are only pretended.
func pretended(lines []string) []string {
	for i, l := range lines {
		if strings.HasPrefix(l, "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {") {
			return lines[i+1:]
		}
	}
	return nil
}

func linesLikeStrace(t *testing.T, theirs, ours []string, calls *regexp.Regexp, differ []*regexp.Regexp, least int) (problems []string) {
	strace := straceNames(t)
	var count struct{ lines, same, accepted int }
	for i, x := range theirs {
		if !calls.MatchString(x) {
			continue
		}
		count.lines++
		y := "nothing"
		if i < len(ours) {
			y = ours[i]
		}
		switch {
		case x == y:
			count.same++
		case slicesContain(differ, x), strace.lacks(y):
			count.accepted++
		case len(problems) < 40:
			problems = append(problems, fmt.Sprintf("strace: %.1000s\nreplay: %.1000s", x, y))
		}
	}
	if count.lines < least {
		problems = append(problems, fmt.Sprintf("only %d lines to hold against strace's", count.lines))
	}
	t.Logf("%d lines, %d the same, %d that differ as they may", count.lines, count.same, count.accepted)
	return problems
}
