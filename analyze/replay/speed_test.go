package replay_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"sysreel/analyze"
	"sysreel/analyze/format"
	"sysreel/analyze/replay"
	"sysreel/proto/tracefile"
)

// BenchmarkTrace writes the text of whole traces: of SYSREEL_TRACES, files with
// commas between, or of those in testdata. It is to be run with GOMAXPROCS=1.
func BenchmarkTrace(b *testing.B) {
	files := []string{"../../testdata/traces/git-good.reel", "../../testdata/traces/shell-v1.reel"}
	if more := os.Getenv("SYSREEL_TRACES"); more != "" {
		files = strings.Split(more, ",")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range []struct {
			name string
			replay.Options
		}{
			{"", replay.Options{}},
			{"-T -ttt -y", replay.Options{Durations: true, Clock: replay.Epoch, Names: replay.Paths}},
			{"-v", replay.Options{Format: format.Options{Verbose: true}}},
			{"-T -yy -v", replay.Options{Durations: true, Names: replay.Protocols, Format: format.Options{Verbose: true}}},
		} {
			o.PIDs, o.Zone = replay.AllPIDs, time.UTC
			b.Run(file[strings.LastIndexByte(file, '/')+1:]+" "+o.name, func(b *testing.B) {
				var lines uint64
				out := new(counter)
				for b.Loop() {
					r, err := tracefile.NewReader(bytes.NewReader(data), tracefile.ReaderOptions{})
					if err != nil {
						b.Fatal(err)
					}
					p := replay.New(o.Options, out)
					if err := analyze.Run(b.Context(), r, analyze.Options{Need: analyze.NeedWorld, Workers: 1, BlockEnd: p.Flush}, p.Add); err != nil {
						b.Fatal(err)
					}
					if err := p.Close(); err != nil {
						b.Fatal(err)
					}
					lines += p.Lines()
				}
				b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
				b.ReportMetric(float64(*out)/b.Elapsed().Seconds()/1e6, "MB/s")
			})
		}
	}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
