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

// A thread that chooses its CPUs while nothing is shared keeps them when it and
// others are gathered, and its children have them.
func TestAffinityWhileSpread(t *testing.T) {
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
			return
		}
		<-p.guard.ready
		tid := cmd.Process.Pid
		th := &thread{Thread: tracefile.Thread{TID: int32(tid)}, mask: p.own}
		e.threads[tid] = th
		if e.gather(th); !th.placed {
			t.Error("it is not moved")
		}
		e.spread()
		chosen := p.one
		setAffinity(tid, chosen)
		e.affinityCall(th, affinitySet, 0)
		if !slices.Equal(th.mask, chosen) {
			t.Errorf("it has chosen %x, %x is known", chosen, th.mask)
		}
		setAffinity(tid, p.own) // by someone else
		e.gather(th)
		if !th.placed || !slices.Equal(th.mask, p.own) {
			t.Errorf("moved: %v; %x is known", th.placed, th.mask)
		}
		e.spread()
		setAffinity(tid, chosen)
		e.gather(th)
		if th.placed || !slices.Equal(th.mask, chosen) || !slices.Equal(e.affinity(tid), chosen) {
			t.Errorf("it has one CPU. Moved: %v; %x is known, it has %x", th.placed, th.mask, e.affinity(tid))
		}
		e.spread()
	})
}
