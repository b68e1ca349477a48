//go:build linux && (amd64 || arm64)

package record

import "sysreel/record/internal/procfs"

// OuterPIDs returns a function that finds what this process calls the thread, process
// group or session that has a number in another PID namespace, whose inode is given;
// it returns 0 if there is none now. The function must not be used concurrently.
func OuterPIDs() func(namespace uint64, id int32) int32 { return new(procfs.Namespaces).Outer }
