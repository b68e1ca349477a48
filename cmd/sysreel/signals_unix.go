//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// stopSignals end a recording.
var stopSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// surviveBrokenPipe makes a standard output without a reader an error, not the end
// of the program: Go keeps that where the signal is asked for. Commands that are
// started get it as ever.
func surviveBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// surviveSuspend makes ^Z do nothing to this program. Commands that are started get
// it as ever.
func surviveSuspend() { signal.Notify(make(chan os.Signal, 1), syscall.SIGTSTP) }

// onFreezeSignal sends SIGUSR1's name when it comes, unless it is ignored.
func onFreezeSignal(freeze chan<- string) (stop func()) {
	signals := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGUSR1) {
		signal.Notify(signals, syscall.SIGUSR1)
	}
	go func() {
		for range signals {
			select {
			case freeze <- "SIGUSR1":
			default:
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}
