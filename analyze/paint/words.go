package paint

import (
	"regexp"
	"strings"

	"sysreel/proto/syscalls"
)

// isConstant tells whether strace prints a word from its tables of constants, and
// so in their colour.
func isConstant(word string) bool {
	first := strings.TrimLeft(word, "_")
	if len(first) < 2 || first[0] < 'A' || first[0] > 'Z' || plainWords[word] {
		return false
	}
	for _, prefix := range plainPrefixes {
		if strings.HasPrefix(word, prefix) {
			return false
		}
	}
	if _, ok := syscalls.SignalByName(word); ok {
		return false
	}
	_, ok := syscalls.ErrnoByName(word)
	return !ok
}

// plainWords and those that begin with plainPrefixes strace prints by other means.
var (
	plainWords = words(`NULL UNI_DIRECT_BASE MAP_HUGE_SHIFT MFD_HUGE_SHIFT UTIME_NOW UTIME_OMIT RLIM_INFINITY RLIM64_INFINITY
		VINTR VQUIT VERASE VKILL VEOF VTIME VMIN VSWTC VSTART VSTOP VSUSP VEOL VREPRINT VDISCARD VWERASE VLNEXT VEOL2`)
	plainPrefixes = []string{"__NR_", "SIGRT", "L2CAP_CID_", "L2CAP_PSM_", "IOPRIO_CLASS_", "XFEATURE_MASK_"}
)

// plainTimes are the calls whose timeout is plain.
var plainTimes = words("rt_sigtimedwait rt_sigtimedwait_time64 recvmmsg recvmmsg_time64")

// maskedCalls have a set of signals among their last arguments.
var maskedCalls = words("ppoll ppoll_time64 io_uring_enter epoll_pwait epoll_pwait2")

// plainControl is what prctl's second argument may be.
var plainControl = regexp.MustCompile(`\bPR_(TAGGED_ADDR|MTE|RISCV_V|SVE|SME)_`)

func words(text string) map[string]bool {
	m := make(map[string]bool)
	for word := range strings.FieldsSeq(text) {
		m[word] = true
	}
	return m
}
