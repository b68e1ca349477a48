package main

import (
	"os"
	"os/signal"
	"syscall"

	"sysreel/record"
)

// What strace does at a signal that is to end it: -I.
const (
	anywhere         = 1 // it ends at once
	waiting          = 2 // it lets go of what it traces, and ends
	never            = 3 // nothing
	neverEvenStopped = 4 // nothing, also at ^Z
)

// interruptible is the level of -I, given or not.
func (o *straceOptions) interruptible() int {
	switch {
	case o.interrupt != 0:
		return o.interrupt
	case o.output != "" && len(o.command) > 0:
		return never
	}
	return waiting
}

// listen gives the recorder the signals that end a trace, and returns the first
// of them. As under strace, which catches them even where they were ignored, they
// end a trace in the background too.
func (o *straceOptions) listen(recorder chan<- os.Signal) (first <-chan syscall.Signal) {
	signals, ended := make(chan os.Signal, 4), make(chan syscall.Signal, 1)
	level := o.interruptible()
	for _, sig := range stopSignals {
		if level != anywhere || !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	if level == neverEvenStopped {
		surviveSuspend()
	}
	go func() {
		for sig := range signals {
			signo, ok := sig.(syscall.Signal)
			switch {
			case level == anywhere && ok:
				record.Die(int(signo))
			case level == waiting:
				select {
				case ended <- signo:
				default:
				}
				recorder <- sig
			}
		}
	}()
	return ended
}

// endedBy is how a program ends that a signal has told to: by it.
func endedBy(ended <-chan syscall.Signal) error {
	select {
	case signo := <-ended:
		return &exitError{status: 128 + int(signo), signal: int(signo)}
	default:
		return nil
	}
}
