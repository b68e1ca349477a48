//go:build !linux

// Package tmpfile makes files without a name, which vanish with the process
// that has them open unless they are given one. It needs Linux.
package tmpfile

import (
	"errors"
	"os"
)

// Create makes a file without a name on dir's file system.
func Create(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Link gives f a name, which must be free.
func Link(*os.File, string) error { return errors.ErrUnsupported }
