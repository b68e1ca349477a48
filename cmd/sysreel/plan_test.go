package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sysreel/proto/syscalls"
)

// This file writes what testdata/progs/plan.c does: calls with arguments good
// and bad for each type that the table knows.

// Places of the plan in the memory of the program.
const (
	planBase   = 0x20000000
	planMemory = planBase + 4<<20 // the calls are below
	planEnd    = planBase + 16<<20
	planCalls  = (planMemory - planBase) / planCall
	planCall   = 8 * 8 // bytes of one
)

// A planner makes a plan. All that it chooses for a call follows from the seed
// and the call, so that others may change.
type planner struct {
	arch   syscalls.Arch
	seed   uint64
	rand   *rand.Rand
	values int // of each argument, at most; and calls with all arguments by chance

	image   []byte // from planBase on
	next    int    // free memory in it
	calls   int
	groups  []string // names of calls; group n is n-1
	name    string   // of the call being planned
	planned map[string]int
}

func newPlanner(a syscalls.Arch, seed uint64, values int) *planner {
	p := &planner{arch: a, seed: seed, values: values, planned: make(map[string]int)}
	p.image = make([]byte, planEnd-planBase)
	p.next = planMemory - planBase
	for i := len(p.image) - 4096; i < len(p.image); i++ {
		p.image[i] = 'Z'
	}
	return p
}

// write ends the plan, and writes it and the directories of its groups.
func (p *planner) write(file, dir string) error {
	p.add(^uint64(0), 1, [6]uint64{})
	for i := range p.groups {
		d := filepath.Join(dir, fmt.Sprint(i+1))
		if err := os.MkdirAll(filepath.Join(d, "d"), 0o755); err != nil {
			return err
		}
		for name, data := range map[string]string{"f": strings.Repeat("line\n", 20), "d/x": "", "\xc3\xa4 \"\t\n": "odd"} {
			if err := os.WriteFile(filepath.Join(d, name), []byte(data), 0o666); err != nil {
				return err
			}
		}
		if err := os.Symlink("d/x", filepath.Join(d, "link")); err != nil {
			return err
		}
	}
	return os.WriteFile(file, p.image, 0o644)
}

func (p *planner) add(nr, group uint64, args [6]uint64) bool {
	if p.calls >= planCalls || p.next > len(p.image)-1<<16 && nr != ^uint64(0) {
		return false
	}
	b := p.image[p.calls*planCall:]
	for i, v := range append([]uint64{nr, group}, args[:]...) {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	p.calls++
	return true
}

// call plans a row of the table: each argument in turn takes each of its
// values, and then all take any.
func (p *planner) call(d *syscalls.Desc) {
	p.name = d.Name
	h := fnv.New64a()
	h.Write([]byte(d.Name))
	p.rand = rand.New(rand.NewPCG(p.seed, h.Sum64()))
	p.groups = append(p.groups, d.Name)
	first := true
	rows := append([]*syscalls.Desc{d}, d.Variants()...)
	for n := 0; n < len(rows); n++ {
		v := rows[n]
		pools := make([][]uint64, len(v.Args))
		for i := range v.Args {
			pools[i] = p.arguments(&v.Args[i])
			if some := pools[i][1:]; len(some) > p.values {
				p.rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
				pools[i] = pools[i][: 1+p.values : 1+p.values]
			}
		}
		emit := func(choose func(i int) uint64) {
			var args [6]uint64
			for i := range v.Args {
				a := &v.Args[i]
				n := choose(i)
				if a.Reg < 0 || a.Reg > 5 {
					continue
				}
				args[a.Reg] = n
				if a.Wide && a.Hi >= 0 && a.Hi <= 5 {
					args[a.Reg], args[a.Hi] = n&0xffffffff, n>>32
				}
			}
			for _, m := range v.Match {
				args[m.Reg] = args[m.Reg]&^m.Mask | m.Value
			}
			if !p.safe(args) || endless(v, &args) {
				return
			}
			group := uint64(0)
			only := alone(d.Name, &args)
			if first || only {
				group = uint64(len(p.groups))
			}
			first = only
			if p.add(uint64(d.NR), group, args) {
				p.planned[d.Name]++
			}
		}
		usual := func(i int) uint64 { return pools[i][0] }
		emit(usual)
		for i := range v.Args {
			if slices.ContainsFunc(v.Match, func(m syscalls.Match) bool { return m.Reg == v.Args[i].Reg }) {
				continue
			}
			if v.Variant == "" || !scalarType(v.Args[i].Type) {
				for _, n := range pools[i][1:] {
					emit(func(j int) uint64 {
						if i == j {
							return n
						}
						return pools[j][0]
					})
				}
			}
		}
		for range max(1, p.values/2) {
			emit(func(i int) uint64 { return pools[i][p.rand.IntN(len(pools[i]))] })
		}
		const most = 20
		if n == len(rows)-1 && n < most && p.planned[d.Name] == 0 { // none was safe
			rows = append(rows, d)
		}
	}
}

func scalarType(t *syscalls.Type) bool {
	return t.Kind != syscalls.Pointer
}

// alone tells whether a call is made in a process of its own, because it may
// leave none that could make another.
func alone(name string, args *[6]uint64) bool {
	const large = 1 << 20
	switch name {
	case "exit", "exit_group", "uretprobe", "uprobe", "set_thread_area", "map_shadow_stack":
		return true
	case "munmap", "mprotect", "mmap", "mmap2", "remap_file_pages", "pkey_mprotect", "mseal", "madvise":
		return args[1] >= large || args[0]%4096 != 0
	case "mremap":
		return args[1] >= large || args[2] >= large
	case "prctl":
		return args[0] == 22 || args[0] == 59 // PR_SET_SECCOMP, PR_SET_SYSCALL_USER_DISPATCH
	case "arch_prctl":
		return args[0] == 0x1002 // ARCH_SET_FS
	case "seccomp":
		return args[0] < 2
	}
	return false
}

// unplanned are the calls that no plan makes, with why and who does.
var unplanned = map[string]string{
	"fork":            "clones.c: the child would go on with the plan",
	"vfork":           "clones.c: the child would go on with the plan",
	"clone":           "clones.c: the child would go on with the plan",
	"clone3":          "clones.c: the child would go on with the plan",
	"rt_sigreturn":    "signals.c: needs a frame",
	"sigsuspend":      "waits for a signal",
	"sigreturn":       "signals.c: needs a frame",
	"pause":           "restart.c: waits for a signal",
	"restart_syscall": "restart.c: needs a call to go on with",
}

// sleepers wait for as long as their argument says; here it says not at all.
var sleepers = map[string]bool{
	"poll": true, "ppoll": true, "ppoll_time64": true, "select": true, "_newselect": true, "pselect6": true, "pselect6_time64": true,
	"epoll_wait": true, "epoll_pwait": true, "epoll_pwait2": true, "nanosleep": true, "clock_nanosleep": true, "clock_nanosleep_time64": true,
	"futex": true, "futex_time64": true, "futex_wait": true, "futex_waitv": true, "rt_sigtimedwait": true, "rt_sigtimedwait_time64": true,
	"semtimedop": true, "semtimedop_time64": true, "semop": true, "io_getevents": true, "io_pgetevents": true, "io_pgetevents_time64": true,
	"mq_timedreceive": true, "mq_timedsend": true, "mq_timedreceive_time64": true, "mq_timedsend_time64": true,
	"recvmmsg": true, "recvmmsg_time64": true, "setitimer": true, "timer_settime": true, "timer_settime64": true,
}

// safe tells whether a call may be made: it waits for nothing and reaches
// no other process.
func (p *planner) safe(args [6]uint64) bool {
	if p.arch == syscalls.I386 {
		for i := range args {
			args[i] &= 0xffffffff
		}
	}
	null := func(i int) bool { return args[i] == 0 }
	for _, n := range args { // a time made of the letters there is long
		if sleepers[p.name] && n > planEnd-4096 && n <= planEnd-8 {
			return false
		}
	}
	if p.name == "select" && p.arch == syscalls.I386 { // its arguments are in memory
		if args[0] < planBase || args[0] > planEnd-20 {
			return true
		}
		timeout := uint64(p.word(args[0] + 16))
		return timeout != 0 && p.word(timeout) < 2 && p.word(timeout+4) < 2000000
	}
	if p.queued(args) {
		return false
	}
	switch p.name {
	case "select", "_newselect", "pselect6", "pselect6_time64":
		return !null(4)
	case "ppoll", "ppoll_time64":
		return !null(2)
	case "rt_sigtimedwait", "rt_sigtimedwait_time64":
		return !null(2)
	case "futex", "futex_time64":
		return !null(3) || args[1]&0x7f != 0 && args[1]&0x7f != 9 && args[1]&0x7f != 6 && args[1]&0x7f != 11 && args[1]&0x7f != 13
	case "futex_wait":
		return !null(4)
	case "futex_waitv":
		return !null(3)
	case "epoll_pwait2":
		return !null(3)
	case "fcntl", "fcntl64": // F_SETLKW, F_SETLKW64, F_OFD_SETLKW
		return args[1] != 7 && args[1] != 14 && args[1] != 38 || args[0] != 3
	case "poll":
		return int32(args[2]) == 0
	case "epoll_wait", "epoll_pwait":
		return int32(args[3]) == 0
	case "rt_sigsuspend":
		return args[1] != 8 || args[0] < 0x1000
	case "sigsuspend":
		return false
	case "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo":
		return int32(args[0]) == 0x7ffffffe
	case "setrlimit", "prlimit64": // of time: a signal would come at any moment
		return args[0] != 0 && (p.name == "setrlimit" || args[1] != 0)
	case "io_uring_register": // strace prints all of an array
		return args[3] < 1000
	case "prctl": // PR_SET_SYSCALL_USER_DISPATCH: strace takes the end of a call that it keeps from being made for its beginning
		return args[0] != 59 || args[1] == 0 || args[1] > 2
	case "ptrace": // to be traced would be to be let go
		return args[0] != 0
	case "vmsplice": // looks at no O_NONBLOCK
		return int32(args[0]) != 7 && int32(args[0]) != 8
	case "alarm":
		return args[0] == 0 || args[0] > 1000
	}
	return true
}

// queued tells whether a call may wait in a queue of messages or semaphores: the
// first of each kind may be there, made by the plan.
func (p *planner) queued(args [6]uint64) bool {
	const first, noWait = 100, 0o4000 // IPC_NOWAIT
	switch name := p.name; name {
	case "msgsnd":
		return args[0] < first && args[3]&noWait == 0
	case "msgrcv":
		return args[0] < first && args[4]&noWait == 0
	case "semop", "semtimedop", "semtimedop_time64":
		return args[0] < first && (name == "semop" || args[3] == 0) && p.semWait(args[1])
	case "ipc":
		const semop, semtimedop, msgsnd, msgrcv = 1, 4, 11, 12 // include/uapi/linux/ipc.h
		switch args[0] & 0xffff {
		case semop:
			return args[1] < first && p.semWait(args[4])
		case semtimedop:
			return args[1] < first && args[5] == 0 && p.semWait(args[4])
		case msgsnd, msgrcv:
			return args[1] < first && args[3]&noWait == 0
		}
	}
	return false
}

// semWait tells whether one of the operations at an address may wait.
func (p *planner) semWait(at uint64) bool {
	const size, noWait = 6, 0o4000 // of struct sembuf, whose last two bytes are flags
	for i := range uint64(8) {
		if at <= planEnd-4 && p.word(at+i*size+2)>>16&noWait == 0 {
			return true
		}
	}
	return false
}

// word returns four bytes of the memory of the plan, 0 elsewhere.
func (p *planner) word(at uint64) uint32 {
	if at < planBase || at > planEnd-4 {
		return 0
	}
	return binary.LittleEndian.Uint32(p.image[at-planBase:])
}

// endless tells whether an array has so many elements that strace -v would print
// all there is in memory.
func endless(d *syscalls.Desc, args *[6]uint64) bool {
	for i := range d.Copies {
		c := &d.Copies[i]
		if c.Parent >= 0 || c.Data || c.Mode != syscalls.Counted {
			continue
		}
		for _, l := range c.Count {
			if l.From != syscalls.LenArg || l.Val > 5 {
				continue
			}
			n := args[l.Val]
			if l.Size == 4 {
				n = uint64(uint32(n))
			}
			if n > 1<<12 && n <= 1<<63 {
				return true
			}
		}
	}
	return false
}
