//go:build unix

package main

import (
	"os"
	"regexp"
	"strings"
)

// The baseline is what people do today: strace both runs, mask what varies, and
// read the lines that only one of them has.

var masks = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`^\d+ +`), ""},
	{regexp.MustCompile(`0x[0-9a-f]+`), "ADDR"},
	{regexp.MustCompile(`\d{2}:\d{2}:\d{2}`), "TIME"},
	{regexp.MustCompile(`/tmp/[A-Za-z0-9_.]{6,}`), "TEMP"},
	{regexp.MustCompile(`\b\d{3,}\b`), "N"},
	{regexp.MustCompile(`\(\d+, `), "(FD, "},
	{regexp.MustCompile(`= \d+$`), "= N"},
}

// maskedLines returns the lines of an strace log, masked.
func maskedLines(path string) (masked, raw []string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		raw = append(raw, line)
		for _, m := range masks {
			line = m.re.ReplaceAllString(line, m.to)
		}
		masked = append(masked, line)
	}
	return masked, raw, nil
}

// baselineRank returns the place of the first line of the masked difference
// that shows the answer, counting distinct lines, and how many there are; 0 if
// none shows it.
func baselineRank(goodLog, badLog string, w *want) (rank, lines int, err error) {
	good, _, err := maskedLines(goodLog)
	if err != nil {
		return 0, 0, err
	}
	bad, raw, err := maskedLines(badLog)
	if err != nil {
		return 0, 0, err
	}
	inGood, inBad := map[string]bool{}, map[string]bool{}
	for _, l := range good {
		inGood[l] = true
	}
	for i, l := range bad {
		if inGood[l] || inBad[l] {
			continue
		}
		inBad[l] = true
		lines++
		if rank == 0 && w.inLine(raw[i]) {
			rank = lines
		}
	}
	return rank, lines, nil
}
