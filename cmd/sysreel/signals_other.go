//go:build !unix

package main

import (
	"os"

	"sysreel/record"
)

// stopSignals end a recording.
var stopSignals = []os.Signal{os.Interrupt}

// surviveBrokenPipe does nothing: there is no such signal.
func surviveBrokenPipe() {}

// surviveSuspend does nothing: there is no such signal.
func surviveSuspend() {}

// onFreezeSignal sends the name of the signal that freezes: there is none.
func onFreezeSignal(chan<- string) (stop func()) { return func() {} }

// become fails: there are no such processes.
func (o *straceOptions) become(*stdio) (*record.Held, error) {
	return nil, refused("-D/--daemonize", "this is no Unix")
}
