// Package inject reads what is to be done to system calls: the notation of
// strace's -e inject= and -e fault=. It depends on no operating system.
package inject

import (
	"time"

	"sysreel/proto/syscalls"
)

// Rule is what is to be done to some calls, and at which of them.
type Rule struct {
	Calls *syscalls.Set
	When  When

	// Forced: the call is not made and returns Result, an error if that is in
	// −4095…−1. In its place the one named Instead is made, or none.
	Forced  bool
	Result  int64
	Instead string

	Signal int // sent to the thread at enter; 0: none

	// Delays keep the thread stopped before the call is made and before it
	// returns; negative: no delay.
	DelayEnter, DelayExit time.Duration

	// Pokes are written to memory before the call is made and when it has been.
	PokeEnter, PokeExit []Poke
}

// Poke is what is written to where an argument points.
type Poke struct {
	Arg  int // from 0
	Data []byte
}

// When says at which of the calls something is done. They are counted from 1,
// for each thread and for each system call of it.
type When struct {
	First, Last uint32
	Step        uint32 // 0: First only
}

// Includes reports whether call number n is one of them.
func (w When) Includes(n uint32) bool {
	if n < w.First || n > w.Last {
		return false
	}
	return n == w.First || w.Step > 0 && (n-w.First)%w.Step == 0
}

// Delays reports whether the rule delays calls.
func (r *Rule) Delays() bool { return r.DelayEnter >= 0 || r.DelayExit >= 0 }

// Rules are rules in the order given: of those that name a call the last one
// holds for it.
type Rules []*Rule

// Parse parses a list of expressions.
func Parse(list []string) (Rules, error) {
	var all Rules
	for _, expr := range list {
		r, err := ParseRule(expr)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// For returns the rule that holds for a call, nil if none does.
func (r Rules) For(d *syscalls.Desc) *Rule {
	for i := len(r) - 1; i >= 0; i-- {
		if r[i].Calls.Has(d) {
			return r[i]
		}
	}
	return nil
}

// Signals reports whether any rule sends signals.
func (r Rules) Signals() bool {
	for _, rule := range r {
		if rule.Signal != 0 {
			return true
		}
	}
	return false
}
