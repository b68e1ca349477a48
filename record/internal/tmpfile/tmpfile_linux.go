// Package tmpfile makes files without a name, which vanish with the process
// that has them open unless they are given one.
package tmpfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Create makes a file without a name on dir's file system. Not every file system
// can (open(2), O_TMPFILE).
func Create(dir string) (*os.File, error) {
	return os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600)
}

// Link gives f a name, which must be free.
func Link(f *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}
