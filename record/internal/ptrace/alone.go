//go:build linux && (amd64 || arm64)

package ptrace

import (
	"sysreel/proto/tracefile"
	"sysreel/record/internal/capture"
)

// whole makes the capturer keep all of a call's data if that is asked for of its
// descriptor. It returns what it was to keep.
func (e *Engine) whole(c *call) (usual capture.Keep) {
	usual = e.capturer.Keep
	if e.cfg.WholeRead == nil && e.cfg.WholeWritten == nil || c.entry.desc == nil || !c.entry.takesFD {
		return usual
	}
	fd := int32(c.args[0])
	if e.cfg.WholeRead != nil && e.cfg.WholeRead(fd) || e.cfg.WholeWritten != nil && e.cfg.WholeWritten(fd) {
		e.capturer.Keep = capture.Keep{Snap: capture.Whole, Written: capture.Whole}
	}
	return usual
}

// letGoOf lets a stopped thread go on alone.
func (e *Engine) letGoOf(t *thread, now int64) {
	e.unfinished(t, now)
	e.emit(&tracefile.Event{Kind: tracefile.Detach, Thread: t.Thread, Start: now, End: now}, nil)
	e.leavePlace(t)
	detach(int(t.TID), 0)
	e.forget(t)
}
