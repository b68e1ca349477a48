package syscalls

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// planned are the calls whose copy plans are kept in testdata/plans.txt.
var planned = strings.Fields(`
	read write readv writev pread64 preadv pwritev2 process_vm_readv vmsplice
	open openat openat2 readlink readlinkat getcwd execve execveat stat fstat newfstatat statx stat64 fstatat64 getdents64
	poll ppoll select pselect6 epoll_wait epoll_ctl
	connect accept accept4 getsockname sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg setsockopt getsockopt socketpair
	rt_sigaction rt_sigprocmask sigaltstack rt_sigtimedwait nanosleep clock_nanosleep wait4 waitid clone clone3
	getgroups sched_getaffinity sched_setattr getrlimit prlimit64 mincore msgsnd msgrcv
	name_to_handle_at io_submit io_getevents futex futex_waitv getrandom pipe2 utimensat mount mq_open bpf seccomp sigaction _llseek
	fcntl ioctl prctl
`)

func TestPlans(t *testing.T) {
	var b strings.Builder
	for _, name := range planned {
		last := ""
		for a := AMD64; a <= I386; a++ {
			d := ByName(a, name)
			if d == nil {
				continue
			}
			s := describe(d.Copies)
			if s == last {
				s = "as above\n"
			} else {
				last = s
			}
			b.WriteString(a.String() + " " + d.Proto + "\n" + s)
		}
		if last == "" && ByName(AMD64, name) == nil && ByName(I386, name) == nil {
			t.Errorf("%s: no such call", name)
		}
		b.WriteByte('\n')
	}
	const golden = "testdata/plans.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, old := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range got {
		if i >= len(old) || got[i] != old[i] {
			t.Fatalf("plans differ from %s at line %d (go test -update rewrites it):\n%s", golden, i+1, got[i])
		}
	}
}
