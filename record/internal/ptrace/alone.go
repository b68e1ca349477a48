//go:build linux && (amd64 || arm64)

package ptrace

import "sysreel/proto/tracefile"

// letGoOf lets a stopped thread go on alone.
func (e *Engine) letGoOf(t *thread, now int64) {
	e.unfinished(t, now)
	e.emit(&tracefile.Event{Kind: tracefile.Detach, Thread: t.Thread, Start: now, End: now}, nil)
	e.leavePlace(t)
	detach(int(t.TID), 0)
	e.forget(t)
}
