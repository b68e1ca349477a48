//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// limit is how long a recorded command may take.
const limit = 60 * time.Second

// bench runs commands under a recorder.
type bench struct {
	sysreel string // the program under test
	dir     string // scratch; removed by the caller
	verbose bool
}

// shell runs a script in dir to its end.
func (b *bench) shell(dir, script string) error {
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%q: %w: %s", script, err, out)
	}
	return nil
}

// background starts a script as a group of its own and returns how to end it.
func (b *bench) background(dir, script string) (func(), error) {
	if script == "" || script == "-" {
		return func() {}, nil
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	time.Sleep(400 * time.Millisecond)
	return func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	}, nil
}

// side is one run of a case.
type side struct {
	setup, broken, command, server string
	env                            []string
	kill                           int
}

// sides returns the good and the bad run of a failure.
func (f *failure) sides() (good, bad side) {
	good = side{setup: f.setup, command: f.command, server: f.server, env: f.env}
	bad = side{setup: f.setup, broken: f.broken, command: f.command, server: f.server, env: f.env, kill: f.kill}
	if f.bad != "" {
		bad.command = f.bad
	}
	if f.badSrv != "" {
		bad.server = f.badSrv
	}
	if f.badEnv != nil {
		bad.env = f.badEnv
	}
	return good, bad
}

// run makes a fresh work directory, always under the same name, and runs the
// command of s in it under the tool: "sysreel" or "strace". It returns the
// output of the command and its status as a shell shows it.
func (b *bench) run(s side, tool, out string) (status int, text []byte, err error) {
	work := filepath.Join(b.dir, "work")
	if err := os.RemoveAll(work); err != nil {
		return 0, nil, err
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		return 0, nil, err
	}
	if s.setup != "" {
		if err := b.shell(work, s.setup); err != nil {
			return 0, nil, fmt.Errorf("setup: %w", err)
		}
	}
	if s.broken != "" {
		if err := b.shell(work, s.broken); err != nil {
			return 0, nil, fmt.Errorf("breaking it: %w", err)
		}
	}
	stop, err := b.background(work, s.server)
	if err != nil {
		return 0, nil, err
	}
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := []string{b.sysreel, "record", "-q", "--env", "--force", "-o", out, "--", "sh", "-c", s.command}
	if tool == "strace" {
		args = []string{"strace", "-f", "-o", out, "sh", "-c", s.command}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = work
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(baseEnv(), s.env...)
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	if s.kill > 0 {
		t := time.AfterFunc(time.Duration(s.kill)*time.Second, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) })
		defer t.Stop()
	}
	err = cmd.Wait()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what the command left behind
	if ctx.Err() != nil {
		return 0, buf.Bytes(), fmt.Errorf("took longer than %s", limit)
	}
	if bytes.Contains(buf.Bytes(), []byte("goroutine ")) && tool == "sysreel" {
		return 0, buf.Bytes(), fmt.Errorf("the recorder crashed: %s", buf.Bytes())
	}
	return cmd.ProcessState.ExitCode(), buf.Bytes(), nil
}

// baseEnv is the environment of every recorded command.
func baseEnv() []string {
	env := []string{"LANG=C", "HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"GOCACHE", "GOPATH", "GOROOT", "GOFLAGS", "GOPROXY"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
