//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"sysreel/record"
)

// -D: who called strace has the command for a child, not the tracer. So this process
// becomes the command, and the tracer is a child of a child that does not wait for it.
// Each is this program with the same arguments; a variable of the environment says
// which one it is, and the tracer gets the descriptors of a record.Held.

// The descriptors of a record.Held, as exec.Cmd.ExtraFiles are numbered.
const (
	releaseFD  = 3
	executedFD = 4
)

// become makes this process the command. It returns where this is the tracer, with
// what is to be traced, where this is the child, and where it fails.
func (o *straceOptions) become(std *stdio) (*record.Held, error) {
	switch held := os.Getenv(heldVariable); held {
	case "":
		return nil, o.hold(std)
	case "start":
		return nil, o.startTracer()
	default:
		os.Unsetenv(heldVariable)
		pid, err := strconv.Atoi(held)
		if err != nil {
			return nil, fmt.Errorf("%s=%s: it is no process", heldVariable, held)
		}
		return &record.Held{PID: pid, Release: inherited(releaseFD), Executed: inherited(executedFD)}, nil
	}
}

func inherited(fd int) *os.File {
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "pipe")
}

// hold has the tracer started and executes the command.
func (o *straceOptions) hold(std *stdio) error {
	ro, err := o.recordOptions(nil, nil, std)
	if err != nil {
		return err
	}
	held, execute, err := record.Hold(ro)
	if err != nil {
		return o.failure(err, false)
	}
	child, err := again("start", held.Release, held.Executed)
	if err == nil {
		err = child.Run()
	}
	if err == nil {
		err = execute()
	}
	return fmt.Errorf("-D: %w", err)
}

// startTracer starts the tracer and leaves it alone.
func (o *straceOptions) startTracer() error {
	tracer, err := again(strconv.Itoa(os.Getppid()), inherited(releaseFD), inherited(executedFD))
	if err != nil {
		return err
	}
	how := o.daemonized()
	tracer.SysProcAttr = &syscall.SysProcAttr{Setpgid: how == pgroup, Setsid: how == session}
	return tracer.Start()
}

// again is this program with the same arguments.
func again(held string, files ...*os.File) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &exec.Cmd{Path: self, Args: os.Args, Env: append(os.Environ(), heldVariable+"="+held), ExtraFiles: files}
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	return c, nil
}
