package stracelog_test

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// BenchmarkImport reads a log: that of SYSREEL_LOG, or one of testdata many times
// over; GOMAXPROCS=1 tells what one CPU does. The ratio is to counting the lines,
// as wc -l does. A log of half a million lines or so is wanted:
//
//	strace -f -ttt -T -o build.log go build ./...
//	SYSREEL_LOG=$PWD/build.log go test ./analyze/stracelog -run - -bench Import -benchtime 5x
func BenchmarkImport(b *testing.B) {
	var log bytes.Buffer
	if file := os.Getenv("SYSREEL_LOG"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		log.Write(data)
	} else {
		data, err := os.ReadFile("../../testdata/logs/ttt-T-y.log")
		if err != nil {
			b.Fatal(err)
		}
		for log.Len() < 32<<20 {
			log.Write(data)
		}
	}
	text := log.String()
	lines := float64(bytes.Count(log.Bytes(), []byte("\n")))
	b.SetBytes(int64(len(text)))
	var imported, counted time.Duration
	for b.Loop() {
		begin := time.Now()
		importText(b, text)
		imported += time.Since(begin)
		b.StopTimer()
		begin = time.Now()
		for range 8 { // a count is too short for the clock
			bytes.Count(log.Bytes(), []byte("\n"))
		}
		counted += time.Since(begin) / 8
		b.StartTimer()
	}
	b.ReportMetric(lines*float64(b.N)/imported.Seconds(), "lines/s")
	b.ReportMetric(float64(imported)/float64(max(counted, 1)), "x/count")
}
