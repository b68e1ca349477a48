//go:build unix

package main

import (
	"os"
	"syscall"
)

// stopSignals end a recording.
var stopSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
