//go:build linux && (amd64 || arm64)

package ptrace

// attached is called at the first stop of a thread that was attached to.
func (e *Engine) attached(t *thread, s stop, now int64) {
	e.started(t, nil, now)
}

// Attach seizes processes.
func (e *Engine) Attach(pids []int) error { return nil }
