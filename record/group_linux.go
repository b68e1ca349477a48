//go:build linux && (amd64 || arm64)

package record

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sysreel/proto/tracepb"
	"sysreel/record/internal/container"
	"sysreel/record/internal/ptrace"
)

// group records the processes of a cgroup or container. Those that followed
// processes start are followed by themselves; the others, put there from outside
// (by docker exec, or a restart of the container), are looked for.
type group struct {
	s      *session
	target container.Target
	watch  *container.Watcher
	begun  chan struct{} // closed at the first process
	done   chan struct{} // closed when run has returned

	// refused are processes that cannot be followed, told of once.
	refused map[int]bool
	retry   time.Time // when to try these again
	warned  map[string]bool
}

// retryEvery is how often what could not be followed is tried again: its
// debugger may have gone.
const retryEvery = time.Second

func newGroup(s *session) *group {
	target := container.Target{Cgroup: s.o.Cgroup, Container: s.o.Container}
	return &group{
		s: s, target: target, watch: container.New(target),
		begun: make(chan struct{}), done: make(chan struct{}),
		refused: make(map[int]bool), warned: make(map[string]bool),
	}
}

// start follows what there is, on the engine's thread.
func (g *group) start() error {
	pids, err := g.watch.Scan()
	if err == nil {
		g.begin()
		refusals := g.follow(pids)
		switch {
		case g.s.engine.Following():
			g.warn(refusals...)
			return nil
		case len(refusals) > 0:
			return refusals[0]
		}
		err = fmt.Errorf("%w: its processes have ended", container.ErrAbsent)
	}
	switch {
	case !errors.Is(err, container.ErrAbsent):
		return err
	case g.s.o.Wait:
		g.s.warn("waiting for " + g.target.String())
		return nil
	}
	return &absentError{err}
}

type absentError struct{ error }

func (e *absentError) Is(target error) bool { return target == ErrAbsent }
func (e *absentError) Unwrap() error        { return e.error }

// begin is called when the first process has been found, before it is followed.
func (g *group) begin() {
	select {
	case <-g.begun:
	default:
		g.s.headers <- g.s.header()
		close(g.begun)
	}
}

// run looks for processes until the engine is done or nothing is left.
func (g *group) run() {
	defer close(g.done)
	defer g.watch.Close()
	e := g.s.engine
	for g.watch.Wait(e.Over()) {
		if g.look() {
			continue
		}
		select {
		case <-g.begun:
		default:
			continue // it has yet to come
		}
		// When what was followed has ended, and the look after that finds
		// nothing, then nothing is left.
		following := true
		if !e.Do(func() { following = e.Following() }) {
			return
		}
		if following || g.look() || g.s.o.Restarts {
			continue
		}
		e.Release()
		return
	}
}

// look follows what is new. It reports whether there is something to follow.
func (g *group) look() bool {
	pids, err := g.watch.Scan()
	if err != nil {
		clear(g.refused)
		if !errors.Is(err, container.ErrAbsent) {
			g.warn(err)
		}
		return false
	}
	g.begin()
	g.forget(pids)
	if !g.watch.Changed() && time.Now().Before(g.retry) {
		return len(pids) > len(g.refused)
	}
	g.retry = time.Now().Add(retryEvery)
	var refusals []error
	g.s.engine.Do(func() { refusals = g.follow(pids) })
	g.warn(refusals...)
	return len(pids) > len(g.refused)
}

// follow follows those processes that are not yet, on the engine's thread. It
// returns why it could not, for those that it has not told of.
func (g *group) follow(pids []int) (refusals []error) {
	e := g.s.engine
	for _, pid := range pids {
		if e.Follows(pid) {
			continue
		}
		if err := e.Join(pid, func() bool { return g.watch.Has(pid) }); err != nil && !g.refused[pid] {
			g.refused[pid] = true
			refusals = append(refusals, attachError(err))
		}
		if e.Follows(pid) {
			delete(g.refused, pid)
			g.watch.Again()
		}
	}
	return refusals
}

// forget drops refused processes that are gone.
func (g *group) forget(pids []int) {
	for pid := range g.refused {
		if !slices.Contains(pids, pid) {
			delete(g.refused, pid)
		}
	}
}

// warn passes on warnings, each once.
func (g *group) warn(errs ...error) {
	for _, err := range errs {
		if !g.warned[err.Error()] {
			g.warned[err.Error()] = true
			g.s.warn(err.Error())
		}
	}
}

// describe tells the header what was found.
func (g *group) describe(t *tracepb.Target) {
	t.Cgroup, t.Container = []byte(g.s.o.Cgroup), []byte(g.s.o.Container)
	found := g.watch.Group()
	if found == nil {
		return
	}
	t.ContainerEngine, t.ContainerId, t.ContainerName = found.Engine, found.ID, []byte(found.Name)
	for _, dir := range found.Dirs {
		t.CgroupDirs = append(t.CgroupDirs, []byte(dir))
	}
}

// attachError makes the engine's error one of this package.
func attachError(err error) error {
	var ae *ptrace.AttachError
	if errors.As(err, &ae) {
		return &AttachError{PID: ae.PID, Err: ae.Err, Hint: ae.Hint}
	}
	return err
}
