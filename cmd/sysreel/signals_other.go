//go:build !unix

package main

import "os"

// stopSignals end a recording.
var stopSignals = []os.Signal{os.Interrupt}
