//go:build linux && (amd64 || arm64)

package ptrace

import (
	"os/exec"
	"slices"
	"testing"

	"sysreel/proto/tracefile"
)

// A thread that was made while all shared a CPU gets its creator's CPUs, even if all
// share another one when it is told of, or none.
func TestInheritLate(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	Go(func() {
		e := New(Config{})
		defer e.Discard()
		p := &e.place
		if !p.on || p.own.count() < 2 {
			return // one CPU: nothing is moved
		}
		var cpus []int
		for cpu := range 64 * p.words {
			if p.own.has(cpu) {
				cpus = append(cpus, cpu)
			}
		}
		tid := cmd.Process.Pid
		for _, now := range []int{cpus[0], cpus[1]} {
			p.one = singleCPU(now, p.words)
			for _, cpu := range cpus[:2] {
				p.had[cpu/64] |= 1 << (cpu % 64)
			}
			if errno := setAffinity(tid, singleCPU(cpus[0], p.words)); errno != 0 {
				t.Error(errno)
			}
			th := &thread{Thread: tracefile.Thread{TID: int32(tid)}}
			if e.inherit(th, p.own); !slices.Equal(e.affinity(tid), p.own) || th.placed {
				t.Errorf("made on CPU %d, told of on %d: it has %x", cpus[0], now, e.affinity(tid))
			}
		}
		// What a program has chosen itself stays.
		clear(p.had)
		setAffinity(tid, singleCPU(cpus[0], p.words))
		if e.inherit(&thread{Thread: tracefile.Thread{TID: int32(tid)}}, p.own); e.affinity(tid).count() != 1 {
			t.Errorf("a CPU that was never shared: it has %x", e.affinity(tid))
		}
	})
}
