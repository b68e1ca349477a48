//go:build linux && (amd64 || arm64)

// Package capture copies the memory that a system call's arguments point to,
// as the call's description says, with as few kernel calls as it can: one for
// all pointers among the arguments, one for what those point to in turn.
package capture

import (
	"sysreel/proto/syscalls"
)

// Plan is a call's description made ready for copying. Plans are made by
// Capturer.Plan and shared; they must not be changed.
type Plan struct {
	Desc   *syscalls.Desc
	copies []syscalls.Copy
	// skip marks copies that policy leaves out.
	skip []bool
	// conds are conditions on the arguments for a copy, nil: none.
	conds []*syscalls.Cond
	// rounds lists the copies at enter and those at exit in groups: all of a
	// group can be read at once, because what leads to them was read before.
	rounds [2][][]uint8
	// needs tells whether there is any copy for a phase.
	needs [3]bool
	// Fingerprinted tells whether what the call reads may have a fingerprint.
	Fingerprinted bool
}

// NeedsEnter reports whether anything is to be copied at enter.
func (p *Plan) NeedsEnter() bool { return p != nil && p.needs[syscalls.AtEnter] }

// NeedsExit reports whether anything is to be copied at exit.
func (p *Plan) NeedsExit(failed bool) bool {
	return p != nil && (p.needs[syscalls.AtExit] || !failed && p.needs[syscalls.AtSuccess])
}

// side is 0 for copies made at enter and 1 for those made at exit.
func side(cp *syscalls.Copy) int { return int(min(cp.Phase, 1)) }

// Plan prepares a description. It returns nil if there is nothing to copy.
func (c *Capturer) Plan(d *syscalls.Desc) *Plan {
	if d == nil || len(d.Copies) == 0 || len(d.Copies) > maxCopies {
		return nil
	}
	p := &Plan{Desc: d, Fingerprinted: fingerprinted(d), copies: d.Copies, skip: make([]bool, len(d.Copies)), conds: make([]*syscalls.Cond, len(d.Copies))}
	for i := range d.Args {
		a := &d.Args[i]
		if a.If.Mask == 0 {
			continue
		}
		for j, cp := range d.Copies {
			if int(cp.Arg) == a.Reg {
				p.conds[j] = &a.If
			}
		}
	}
	if !c.Environ {
		// The pointers are kept: they tell how many variables there are.
		for _, a := range d.Args {
			if a.Type.Kind == syscalls.Pointer && a.Type.Elem.Name == "envs" {
				for i, cp := range d.Copies {
					p.skip[i] = p.skip[i] || int(cp.Arg) == a.Reg && cp.Parent >= 0
				}
			}
		}
	}
	level := make([]int, len(d.Copies))
	for i := range d.Copies {
		cp := &d.Copies[i]
		if int(cp.Parent) >= i || cp.Phase > syscalls.AtExit {
			return nil // not a plan: a parent comes before its children
		}
		if cp.Parent >= 0 && side(&d.Copies[cp.Parent]) == side(cp) {
			level[i] = level[cp.Parent] + 1
		}
		if p.skip[i] {
			continue
		}
		p.needs[cp.Phase] = true
		rounds := &p.rounds[side(cp)]
		for len(*rounds) <= level[i] {
			*rounds = append(*rounds, nil)
		}
		(*rounds)[level[i]] = append((*rounds)[level[i]], uint8(i))
	}
	return p
}
