package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// described are the programs of testdata/progs whose every call is written to
// see how its text comes out.
var described = []struct {
	name string
	prog string // of testdata/progs, without ".c"; or
	cmd  string
	args []string // of strace and replay
	// machine is the only one that it is for.
	machine string
	// private: it is run in a network namespace of its own, each time a new one.
	private bool
	// live: it is sysreel strace's text that is held against strace's, with what
	// descriptors are.
	live   bool
	differ []difference
}{
	{name: "badcalls", prog: "badcalls", machine: "amd64", differ: []difference{
		{lines: `^readv\(`, why: "of a read that failed the array is not recorded"},
		{lines: `LINUX_REBOOT_MAGIC_\?\?\?|SECCOMP_SET_MODE_\?\?\?`, why: "comments of today", before: "7.2"},
		{lines: `^fsmount\(.*STRICTATIME`, why: "strace 6.1 takes a field for flags", before: "7.2"},
	}},
	{name: "structs", prog: "structs"},
	{name: "structs -v", prog: "structs", args: []string{"-v"}, differ: []difference{
		{lines: `^perf_event_open\(`, why: "members that strace 6.1 does not know", before: "7.2"},
		{lines: `^execve\(`, why: "the environment is not recorded"},
	}},
	{name: "styles", prog: "styles", differ: stylesDiffer},
	{name: "styles -X raw", prog: "styles", args: []string{"-X", "raw"}, differ: stylesDiffer},
	{name: "styles -X verbose", prog: "styles", args: []string{"-X", "verbose"}, differ: stylesDiffer},
	{name: "i386calls", prog: "i386calls", machine: "amd64", differ: []difference{
		{lines: `^msgrcv\([^,]*, [^,]*, [^,]*, [^,]*\) = `, why: "strace 6.1 looks for struct ipc_kludge elsewhere", before: "7.2"},
	}},
	{name: "arm64calls", prog: "arm64calls", machine: "arm64", differ: onARM64},
	{name: "arm64calls -v", prog: "arm64calls", machine: "arm64", args: []string{"-v"}, differ: append([]difference{
		{lines: `^execve\(`, why: "the environment is not recorded"},
	}, onARM64...)},
	{name: "quotas", prog: "quotas", differ: []difference{
		{lines: `QFMT_VFS_\?\?\?`, why: "QFMT_??? now", before: "7.2"},
		{lines: `Q_QUOTAON`, why: "a path without end"},
	}},
	{name: "sockopts", prog: "sockopts", differ: []difference{
		{lines: `(?:SO_(?:RCV|SND)TIMEO_\w+|SO_(?:NETNS_)?COOKIE|SO_MAX_PACING_RATE|SO_TXTIME|SO_PEERNAME|SO_PEERGROUPS|SO_MEMINFO|IP_(?:UN)?BLOCK_SOURCE|` +
			`IP_\w+_SOURCE_MEMBERSHIP|IP_MULTICAST_IF|TCP_INFO|TCP_MD5SIG(?:_EXT)?|TCP_REPAIR_WINDOW|TCP_ZEROCOPY_RECEIVE|TLS_[TR]X|XDP_\w+|SCTP_\w+), ["[]`,
			why: "structures that strace shows as bytes"},
		{lines: `(?:SO_TYPE|SO_PROTOCOL|SO_DOMAIN|SO_TIMESTAMPING_\w+|_MTU_DISCOVER), \[(?:#|-?\d+)\]`, why: "constants that strace shows as numbers"},
		{lines: `SOL_(?:ICMPV6|MPTCP|X25|SMC|UDPLITE|RXRPC), \d+, `, why: "options that strace has no names for"},
		{lines: `SOL_SOCKET, 0x50 |SOL_IPV6, 0x4[45] `, why: "names that strace has for the other direction only"},
		{lines: `_\?\?\? \*/|SOL_\?\? \*/`, why: "options that strace 6.1 does not know", before: "7.2"},
		{lines: `mr_alen=0, mr_address=\w`, why: "strace shows the address that it showed before"},
	}},
	{name: "addresses", prog: "addresses", differ: []difference{
		{lines: `AF_(?:TIPC|XDP), `, why: "not described by strace 6.1, or not to the end", before: "7.2"},
	}},
	{name: "cmsgs", prog: "cmsgs", differ: []difference{
		{lines: `cmsg_len=(?:1[7-9]|[2-9]\d|\d{3,}), [^}]*cmsg_type=[^,}]*\}|(?:IP|SCM)_\?\?\? \*/`, why: "types that strace 6.1 does not know, and data that does not suit them", before: "7.2"},
	}},
	{name: "received", prog: "received", args: []string{"-v", "-y"}, live: true, differ: receivedDiffers},
	{name: "received -yy", prog: "received", args: []string{"-yy"}, live: true, differ: receivedDiffers},
	{name: "notifies", prog: "notifies", args: []string{"-v", "-y"}, live: true, differ: []difference{
		{lines: `^futex\(`, why: "a thread may wait for another or not"},
	}},
	{name: "routes", cmd: "ip route; ip rule; ip addr", differ: []difference{
		{lines: `RTM_NEWLINK`, why: "attributes that strace 6.1 does not know", before: "7.2"},
	}},
	{name: "links", cmd: privateLinks, private: true, differ: []difference{
		{lines: `RTM_NEWLINK`, why: "attributes that strace 6.1 does not know", before: "7.2"},
		{lines: `nlmsg_type=(?:nlctrl|tcp_metrics)`, why: "messages that strace 6.1 does not describe", before: "7.2"},
	}},
	{name: "sockets", cmd: "ss -tln"},
	{name: "every socket", cmd: "ss -tnlmie -a; ss -uxw -a; ss -f netlink", private: true},
}

// stylesDiffer is of values of several parts.
var stylesDiffer = []difference{
	{lines: `^sendmsg\(.*cmsg_type=0x77\b`, why: "data of types without a name, which strace 6.1 does not show", before: "7.2"},
	{lines: `^io_uring_register\(-1, `, why: "IORING_REGISTER_USE_REGISTERED_RING", before: "7.2"},
}

// receivedDiffers is of what comes with messages.
var receivedDiffers = []difference{
	{lines: `SO_TIMESTAMPING_OLD, \[`, why: "constants that strace shows as numbers"},
	{lines: `cmsg_level=SOL_IPV6, cmsg_type=0x\w+\}`, why: "data of types without a name, which strace 6.1 does not show", before: "7.2"},
	{lines: `(?:SCM|SO)_\?\?\? \*/`, why: "constants that strace 6.1 does not know", before: "7.2"},
}

// onARM64 are lines of programs of arm64.
var onARM64 = []difference{
	{lines: `^(?:mmap|mprotect|pkey_mprotect)\(.*\b0x[1-3]0\b`, why: "strace has no names for PROT_BTI and PROT_MTE"},
	{lines: `^ptrace\(.*COMPAT_PTRACE_`, why: "requests of programs of 32 bits"},
}

// privateLinks is what iproute2 does to links, addresses and routes.
const privateLinks = `
ip link set lo up
ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02
ip link add br0 address 02:00:00:00:00:03 type bridge vlan_filtering 1
ip link add link v0 name v0.5 type vlan id 5
ip link set v1 master br0
ip addr add 10.1.0.1/24 dev v0
ip route add 10.2.0.0/16 via 127.0.0.2 dev lo
ip rule add from 10.9.0.0/16 fwmark 3 table 77
ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:09 dev v0
ip nexthop add id 5 dev lo
ip addr; ip -d link; ip route show table all; ip rule; ip neigh; ip nexthop; ip tcp_metrics
bridge fdb; bridge -d vlan; bridge link
tc qdisc show
ip link del nosuch
ip link del v0
exit 0`

// interfaces are numbers that strace names after the host's interfaces.
var interfaces = regexp.MustCompile(`(index=|interface=|_OIF\}, |_IIF\}, )(?:if_nametoindex\("[^"]*"\)|\d+)`)

// changing are the parts of lines that no two runs have alike, and attributes
// too new for strace 6.1.
var changing = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|0x[0-9a-f]{7,}|\b\d{4,}\b|` +
	`si_[us]time=\d+(?: /\* [^*]* \*/)?|0x[0-9a-f]+ /\* IFLA_\?\?\? \*/|IFLA_(?:GSO_IPV4_MAX_SIZE|GRO_IPV4_MAX_SIZE|DPLL_PIN|MAX_PACING_OFFLOAD_HORIZON|NETNS_IMMUTABLE|HEADROOM|TAILROOM)\b`)

// stable hides from a line what changes between runs.
func stable(line string) string {
	return changing.ReplaceAllString(interfaces.ReplaceAllString(line, "${1}#"), "#")
}

// TestCallsLikeStrace holds replay's text of each call of the programs against
// that of two runs under strace: where those agree, it must say the same to the
// letter.
func TestCallsLikeStrace(t *testing.T) {
	bin := besideStrace(t, "runs each program three times")
	for _, d := range described {
		t.Run(d.name, func(t *testing.T) {
			if d.private && exec.Command("unshare", "-n", "true").Run() != nil {
				skipOrFail(t, "no network namespaces here")
			}
			if d.machine != "" && d.machine != runtime.GOARCH {
				t.Skip("for " + d.machine)
			}
			cmd := []string{"setarch", "-R"}
			if d.prog != "" {
				cmd = append(cmd, compileProg(t, d.prog))
			} else {
				need(t, strings.Fields(d.cmd)[0])
				cmd = append(cmd, "sh", "-c", d.cmd)
			}
			tryTimes(t, func() []string {
				return callsLikeStrace(t, bin, cmd, d.args, d.private, d.live, mayDiffer(t, d.differ))
			})
		})
	}
}

// callsLikeStrace runs the command under strace, twice, and under sysreel, and
// returns what replay says otherwise.
func callsLikeStrace(t *testing.T, bin string, cmd, args []string, private, live bool, differ []*regexp.Regexp) []string {
	out := t.TempDir()
	run := func(tracer ...string) {
		// The programs may end as they like: it is their calls that count.
		if private { // strace too: it looks up sockets where it is itself
			tracer = append([]string{"unshare", "-n"}, tracer...)
		}
		exec.Command(tracer[0], append(tracer[1:], cmd...)...).Run()
	}
	var logs [2]*straced
	for i := range logs {
		log := filepath.Join(out, "strace")
		run(append(append([]string{"strace", "-f", "-o", log}, args...), "--")...)
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		logs[i] = parseText(string(text))
	}
	if live {
		log := filepath.Join(out, "ours")
		run(append(append([]string{bin, "strace", "-f", "-o", log}, args...), "--")...)
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return checkCalls(t, parseText(inWordsOf(t, string(text))), logs[0], logs[1], differ)
	}
	reel := filepath.Join(out, "reel")
	run(bin, "record", "-q", "--snap", "65536", "-o", reel, "--")
	text, err := exec.Command(bin, append([]string{"replay", reel}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return checkCalls(t, parseText(inWordsOf(t, string(text))), logs[0], logs[1], differ)
}

// checkCalls wants ours to have each line on which both others agree.
func checkCalls(t *testing.T, ours, a, b *straced, differ []*regexp.Regexp) (problems []string) {
	t.Helper()
	strace := straceNames(t)
	lines := 0
	for place, la := range a.procs {
		lb, lo := b.procs[place], ours.procs[place]
		ab, ao := align(names(la), names(lb)), align(names(la), names(lo))
		for i, x := range la {
			if strings.HasPrefix(x, "strace:") || strings.HasPrefix(x, "[ Process") {
				continue
			}
			x = stable(x)
			if ab[i] < 0 || stable(lb[ab[i]]) != x {
				continue
			}
			lines++
			y := "nothing"
			if ao[i] >= 0 {
				y = stable(lo[ao[i]])
			}
			if x != y && !slicesContain(differ, x) && !strace.lacks(y) {
				problems = append(problems, fmt.Sprintf("strace: %s\nreplay: %s", x, y))
			}
		}
	}
	if lines < 20 {
		problems = append(problems, fmt.Sprintf("only %d lines to hold against strace's", lines))
	}
	t.Logf("%d lines", lines)
	return problems
}
