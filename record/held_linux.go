//go:build linux && (amd64 || arm64)

package record

import "sysreel/record/internal/ptrace"

// Hold prepares to make this process the command of o, to be recorded by a process
// that gets the descriptors of what it returns and calls Run with them. execute turns
// this process into one that waits for that; it returns only if it fails. If that
// other process ends before, this one exits.
func Hold(o Options) (h Held, execute func() error, err error) {
	path, err := o.program()
	if err != nil {
		return Held{}, nil, err
	}
	held, execute, err := ptrace.Hold(o.command(path))
	return Held(held), execute, err
}
