package syscalls

import (
	"strconv"
	"strings"
	"sync"
)

var loadSignals = sync.OnceValues(func() (*numbered, error) { return loadNumbered("signals.txt", signalsText) })

const (
	sigRTMin = 32 // the kernel's SIGRTMIN (asm-generic/signal.h); glibc's is 34
	sigRTMax = 64 // _NSIG
)

// signalAliases are second names of a number.
var signalAliases = map[string]int{"SIGIOT": 6, "SIGCLD": 17, "SIGPOLL": 29, "SIGRTMAX": sigRTMax}

// SignalName returns the name of a signal as strace prints it: "SIGINT",
// "SIGRTMIN" for 32, "SIGRT_2" for 34; the number where there is none.
func SignalName(signo int) string {
	t, _ := loadSignals()
	if name, ok := t.names[signo]; ok {
		return name
	}
	switch {
	case signo == sigRTMin:
		return "SIGRTMIN"
	case signo > sigRTMin && signo <= sigRTMax:
		return "SIGRT_" + strconv.Itoa(signo-sigRTMin)
	}
	return strconv.Itoa(signo)
}

// SignalText returns the words for a signal ("Terminated"), as a shell prints.
func SignalText(signo int) string {
	t, _ := loadSignals()
	if text, ok := t.texts[signo]; ok {
		return text
	}
	if signo > sigRTMin && signo <= sigRTMax {
		return "Real-time signal " + strconv.Itoa(signo-sigRTMin-2)
	}
	return "Unknown signal " + strconv.Itoa(signo)
}

// SignalByName returns the number of "SIGINT", "INT" or "SIGRT_2".
func SignalByName(name string) (int, bool) {
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if v, ok := signalAliases[name]; ok {
		return v, true
	}
	if name == "SIGRTMIN" {
		return sigRTMin, true
	}
	if n, ok := strings.CutPrefix(name, "SIGRT_"); ok {
		v, err := strconv.Atoi(n)
		return v + sigRTMin, err == nil && v > 0 && v <= sigRTMax-sigRTMin
	}
	t, _ := loadSignals()
	v, ok := t.numbers[name]
	return v, ok
}
