package diff

// Schema names the JSON form of Result.
const Schema = "sysreel.diff/1"

// Result is the outcome of a comparison. Its JSON form is a contract: fields
// are added, never changed or taken away.
type Result struct {
	Schema   string    `json:"schema"`
	Verdict  Verdict   `json:"verdict"`
	Matched  float64   `json:"matched"` // part of the calls that have a counterpart, 0 to 1
	Good     []Run     `json:"good"`
	Bad      []Run     `json:"bad"`
	Findings []Finding `json:"findings"` // most likely cause first; never nil
	Latency  []Latency `json:"latency"`  // largest change of total time first; never nil

	Structure Structure `json:"structure"`
	Errors    []Count   `json:"errors,omitempty"` // errnos whose number changed
	Notes     []string  `json:"notes,omitempty"`  // what to know before trusting this

	Detail *Detail `json:"-"` // nil without Options.Detail
}

// Verdict says whether the runs did the same.
type Verdict string

const (
	Same      Verdict = "same"
	Different Verdict = "different"
)

// Run is one of the traces.
type Run struct {
	File    string   `json:"file"`
	Command []string `json:"command"`
	Exit    *Exit    `json:"exit"` // of the command; null if the trace does not tell
	Events  uint64   `json:"events"`
	Elapsed int64    `json:"elapsed_ns"` // from the first event to the last
}

// Exit is how a process ended: Signal if one killed it, else Code.
type Exit struct {
	Code   *int   `json:"code,omitempty"`
	Signal string `json:"signal,omitempty"`
}

// Kind is the kind of a finding.
type Kind string

const (
	ResultChanged  Kind = "result-changed"
	Missing        Kind = "missing"
	Added          Kind = "added"
	ProcessMissing Kind = "process-missing"
	ProcessAdded   Kind = "process-added"
	InputChanged   Kind = "input-changed"
	Slower         Kind = "slower"
	Faster         Kind = "faster"
)

// Finding is one difference, with what follows from it.
type Finding struct {
	Rank    int     `json:"rank"` // from 1
	Kind    Kind    `json:"kind"`
	Summary string  `json:"summary"` // one line, plain words
	Process string  `json:"process,omitempty"`
	Syscall string  `json:"syscall,omitempty"`
	Path    string  `json:"path,omitempty"`
	Errno   string  `json:"errno,omitempty"`
	Good    *Call   `json:"good,omitempty"`
	Bad     *Call   `json:"bad,omitempty"`
	Score   float64 `json:"score"`
	// Consequences are the differences that follow from this one, in order.
	Consequences []string `json:"consequences,omitempty"`
	Likely       bool     `json:"likely"` // strong enough to be called a likely cause
	// Reasons say what the score rests on.
	Reasons []string `json:"reasons,omitempty"`
	Count   int      `json:"count,omitempty"` // calls of this kind, if more than one
	// Of groups: the bad runs that show it, and Fisher's exact test of that
	// against the good runs, adjusted for the number of findings.
	BadRuns int      `json:"bad_runs,omitempty"`
	P       *float64 `json:"p,omitempty"`
}

// Call is the evidence: an event of a trace.
type Call struct {
	Event uint64 `json:"event"`
	PID   int32  `json:"pid"`
	Text  string `json:"text"`
	// Tampered says what the recorder did to the call on purpose: injected, …
	Tampered []string `json:"tampered,omitempty"`
	// With Options.Context: what the same thread did before and after.
	Before []string `json:"before,omitempty"`
	After  []string `json:"after,omitempty"`
}

// Latency compares the time that went into one kind of call on one object.
type Latency struct {
	Process   string `json:"process"`
	Syscall   string `json:"syscall"` // empty: time between calls
	Object    string `json:"object,omitempty"`
	GoodCalls uint64 `json:"good_calls"`
	BadCalls  uint64 `json:"bad_calls"`
	GoodNS    int64  `json:"good_ns"` // total
	BadNS     int64  `json:"bad_ns"`
	DeltaNS   int64  `json:"delta_ns"`
	// Of groups: over the runs, Hodges-Lehmann shift in ns, Cliff's delta, the
	// exact Mann-Whitney p-value adjusted for the number of rows.
	ShiftNS float64  `json:"shift_ns,omitempty"`
	Effect  float64  `json:"effect,omitempty"`
	P       *float64 `json:"p,omitempty"`
}

// Structure counts what exists in one side only.
type Structure struct {
	ProcessesMissing int `json:"processes_missing"`
	ProcessesAdded   int `json:"processes_added"`
	CallsMissing     int `json:"calls_missing"`
	CallsAdded       int `json:"calls_added"`
}

// Count is a number in both runs.
type Count struct {
	Name string `json:"name"`
	Good int    `json:"good"`
	Bad  int    `json:"bad"`
}
