package diff

import "fmt"

// A feature is something that makes a difference more or less likely to be the
// cause. What a candidate scores is the sum of the weights of its features, each
// times its share. One feature is its kind of difference; the others are
// circumstances.
type feature uint8

const (
	kindFailed        feature = iota // ok → error
	kindErrno                        // error → another error
	kindNewError                     // error of a call that the good run did not make
	kindMended                       // error → ok
	kindDetail                       // other flags
	kindMissing                      // a call that the bad run did not make
	kindAdded                        // a call that the good run did not make
	kindMetadata                     // another size, mode or owner
	kindContent                      // other data
	kindGone                         // a name that a directory no longer has
	kindCome                         // one that it has now
	kindOutput                       // calls on standard input and output: they tell the outcome
	kindProcess                      // a process that the bad run does not have
	kindNewProcess                   // a process that the good run does not have
	kindFailedProcess                // the same, and it failed
	kindLoneError                    // error of a process that the good run does not have
	kindExit
	kindSignal
	kindHang
	kindWaiting // stuck in waiting for one that is stuck itself
	kindMore    // many times the calls, or a fraction of them
	kindTime    // took longer, or less

	kindArguments
	kindProgram
	kindVariable  // of the environment
	kindVariables // their number only
	kindDirectory // the working directory
	kindUmask
	kindCredentials
	kindGroups
	kindPrivileges // no_new_privs
	kindLimit

	inMessage       // its path is in a message of the bad run
	errorInMessage  // its error's text is
	inOrigin        // in the process that failed first
	nearOrigin      // the same for what did not fail: a cause less often
	inFailing       // in another process that failed
	lastFailure     // the last failure before that process's message
	firstDifference // of its process
	originInput     // a changed input of the process that failed first
	afterChange     // what a process did after something had already changed for it
	succeededLater
	foundElsewhere // found in another directory: a search
	afterMessage   // after the failing process had said what was wrong
	processEnded   // missing because the process was gone
	stuckBefore    // a signal that ended a run which was stuck
	inUnfailing    // in a process that ended well while another failed

	numFeatures
)

// Weights holds the weight of every feature. Those in use are DefaultWeights.
type Weights [numFeatures]float64

// features are named for the person who reads a finding's reasons. The weights are
// those that cmd/bench-diff -fit finds, rounded; what its failures do not tell
// stands as it was first judged.
var features = [numFeatures]struct {
	text   string
	weight float64
}{
	kindFailed:        {"a call failed", 5.3},
	kindErrno:         {"another error", 3.9},
	kindNewError:      {"a failure", 2.4},
	kindMended:        {"an error less", 1.2},
	kindDetail:        {"other arguments", 1.4},
	kindMissing:       {"missing", 0.9},
	kindAdded:         {"added", 0.9},
	kindMetadata:      {"another size, mode or owner", 3.1},
	kindContent:       {"other data", 3},
	kindGone:          {"a name less in a directory", 6.2},
	kindCome:          {"a name more in a directory", 3},
	kindOutput:        {"an output", 0},
	kindProcess:       {"a process is missing", 2},
	kindNewProcess:    {"a process more", 1.2},
	kindFailedProcess: {"a process more, which failed", 2.4},
	kindLoneError:     {"a failure in a process more", 1.4},
	kindExit:          {"another exit status", 0.2},
	kindSignal:        {"killed", 4.7},
	kindHang:          {"stuck", 6.1},
	kindWaiting:       {"waits for what is stuck", 0.9},
	kindMore:          {"another number of calls", 1.4},
	kindTime:          {"time", 3},

	kindArguments:   {"other arguments", 1.7},
	kindProgram:     {"another program", 3},
	kindVariable:    {"environment", 2.8},
	kindVariables:   {"environment", 1},
	kindDirectory:   {"working directory", 2},
	kindUmask:       {"umask", 1.5},
	kindCredentials: {"credentials", 3},
	kindGroups:      {"groups", 2.5},
	kindPrivileges:  {"privileges", 2},
	kindLimit:       {"limit", 3},

	inMessage:       {"named in a message of the bad run", 4.2},
	errorInMessage:  {"its error text is in a message of the bad run", 2.1},
	inOrigin:        {"in the process that failed first", 1.5},
	nearOrigin:      {"in a process that failed", -0.2},
	inFailing:       {"in a process that failed", 1.2},
	lastFailure:     {"last failure before the message", 1.2},
	firstDifference: {"first difference of its process", 1},
	originInput:     {"input of the process that failed first", 1.1},
	afterChange:     {"after another change in its process", -1.4},
	succeededLater:  {"succeeded later", -3.2},
	foundElsewhere:  {"found elsewhere later", -1.8},
	afterMessage:    {"after the failure had been told", -3.2},
	processEnded:    {"the process had ended", -2.5},
	stuckBefore:     {"the run was stuck before", -3},
	inUnfailing:     {"in a process that did not fail", -1.5},
}

// DefaultWeights returns the weights that Compare uses.
func DefaultWeights() *Weights {
	var w Weights
	for i := range features {
		w[i] = features[i].weight
	}
	return &w
}

// Names lists what the weights are of, in their order.
func (w *Weights) Names() []string {
	names := make([]string, numFeatures)
	for i := range features {
		names[i] = features[i].text
	}
	return names
}

// has is a feature of a candidate.
type has struct {
	feature feature
	share   float64
}

// likelyScore is the score from which on a finding is a likely cause.
const likelyScore = 3.0

// reasons says what the score of k rests on.
func (k *candidate) reasons(w *Weights) []string {
	out := make([]string, len(k.features))
	for i, h := range k.features {
		out[i] = fmt.Sprintf("%+.1f %s", w[h.feature]*h.share, features[h.feature].text)
	}
	return out
}
