package diff

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule is one way in which calls are made alike before they are compared.
// Rules change what is compared, never what is shown.
type Rule struct {
	Name string
	Why  string
}

// Names of the rules, as given to Options.NoNorm.
const (
	rulePID     = "pid"
	ruleFD      = "fd"
	ruleTemp    = "temp"
	ruleUUID    = "uuid"
	ruleHex     = "hex"
	ruleNumber  = "number"
	rulePort    = "port"
	ruleInode   = "inode"
	ruleValue   = "value"
	ruleCount   = "count"
	ruleRoot    = "root"
	ruleFamily  = "family"
	ruleRestart = "restart"
	ruleStream  = "stream"
	ruleRetry   = "would-block"
	ruleQuiet   = "quiet"
	ruleOrder   = "order"
	ruleLook    = "look"
)

var rules = []Rule{
	{rulePID, "process and thread numbers, also in /proc/N and in names, become roles: the kernel hands them out in turn"},
	{ruleFD, "a descriptor becomes the object behind it: numbers depend on what else happens to be open"},
	{ruleValue, "addresses, sizes, offsets, times and other plain numbers among the arguments are not compared: randomisation, allocators and clocks change them"},
	{ruleCount, "how often a call is made is not compared where both runs make it, unless it is many times as often"},
	{ruleTemp, "names made by mkstemp, mkdtemp and the like (created exclusively with a random-looking part) become <temp>"},
	{ruleUUID, "UUIDs in names become <uuid>"},
	{ruleHex, "runs of 8 or more hexadecimal digits in names (hashes, object names) become <hex>"},
	{ruleNumber, "runs of 5 or more decimal digits in names (dates, epochs, counters) become <n>"},
	{rulePort, "ports from 32768 on that the kernel chose for a client become *"},
	{ruleInode, "pipes and sockets go by what they are, not by their inode numbers"},
	{ruleRoot, "working directories of the two commands stand for each other, and what --map names"},
	{ruleFamily, "open, openat and openat2 are one call, as are stat, newfstatat and statx, fork, vfork, clone and clone3, poll, select and epoll_wait: C libraries differ in which they use"},
	{ruleRestart, "a call interrupted by a signal and restarted is one call"},
	{ruleStream, "adjacent reads or adjacent writes of one pipe, socket or terminal are one transfer: how data is cut up depends on timing"},
	{ruleRetry, "EAGAIN and EINPROGRESS of non-blocking transfers are not compared: they depend on timing"},
	{ruleQuiet, "memory, locking, clock, scheduling, wake-up and signal-mask calls count only when they fail in an unusual way"},
	{ruleOrder, "threads of a process and processes of one role may share their work differently: what one lacks and another has in excess cancels out"},
	{ruleLook, "that one run looked at a file once more, or wrote it, is not compared where both ended alike and both looked at it, or wrote it, or it was not there: what is cached decides it, as when git reads again what was written in the same clock tick as its index"},
}

// Rules returns the normalisation rules in the order in which they are explained.
func Rules() []Rule { return slices.Clone(rules) }

// ruleSet is the rules that are switched off.
type ruleSet map[string]bool

// newRuleSet checks the names in off.
func newRuleSet(off []string) (ruleSet, error) {
	s := ruleSet{}
	for _, name := range off {
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == name }) {
			var names []string
			for _, r := range rules {
				names = append(names, r.Name)
			}
			return nil, fmt.Errorf("no normalisation rule %q; the rules are %s", name, strings.Join(names, ", "))
		}
		s[name] = true
	}
	return s, nil
}

func (s ruleSet) on(name string) bool { return !s[name] }
