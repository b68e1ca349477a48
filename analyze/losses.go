package analyze

import (
	"fmt"
	"sort"
	"strings"

	"sysreel/proto/tracepb"
)

// LossText says what a reason for a loss means.
func LossText(r tracepb.Loss_Reason) string {
	switch r {
	case tracepb.Loss_DROPPED:
		return "events dropped, the output was too slow"
	case tracepb.Loss_NOT_FOLLOWED:
		return "processes not followed"
	case tracepb.Loss_UNREADABLE:
		return "pieces of memory that could not be read"
	case tracepb.Loss_IO_URING:
		return "uses of io_uring, whose operations are not seen"
	case tracepb.Loss_UNSEEN_CALLS:
		return "calls that the recorder cannot see"
	case tracepb.Loss_TRUNCATED:
		return "cut by a recording limit"
	case tracepb.Loss_DETACHED:
		return "threads let go of while they ran"
	case tracepb.Loss_LEFT_ALONE:
		return "processes not followed, as asked"
	case tracepb.Loss_ALTERED:
		return "effects of the recording on the programs"
	case tracepb.Loss_DAMAGED_LINES:
		return "lines of the log that could not be read"
	}
	return fmt.Sprintf("lost for reason %d, which this build does not know", int32(r))
}

// warned lists the reasons of which every analyser warns: what may be missing
// changes the picture. The others were asked for, or are marked where they are.
var warned = map[tracepb.Loss_Reason]bool{
	tracepb.Loss_DROPPED: true, tracepb.Loss_NOT_FOLLOWED: true, tracepb.Loss_IO_URING: true, tracepb.Loss_UNSEEN_CALLS: true,
	tracepb.Loss_ALTERED:       true,
	tracepb.Loss_DAMAGED_LINES: true,
}

// lossWarning says in a line what was lost, "" if nothing that matters.
func lossWarning(losses []*tracepb.Loss) string {
	count := make(map[tracepb.Loss_Reason]uint64)
	for _, l := range losses {
		if warned[l.Reason] {
			count[l.Reason] += max(l.Count, 1)
		}
	}
	var parts []string
	for r, n := range count {
		parts = append(parts, fmt.Sprintf("%d %s", n, LossText(r)))
	}
	sort.Strings(parts)
	return strings.Join(parts, "; ")
}
