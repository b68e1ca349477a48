package paint

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	sequence = regexp.MustCompile("\x1b\\[[0-9;]*m")
	ending   = regexp.MustCompile("\x1b\\[0m\\)\x1b\\[0m *(\x1b\\[0m=.*)") // of a call with its result
)

// plain is text without colours.
func plain(s string) string { return sequence.ReplaceAllString(s, "") }

// Lines of strace 7.2 get their colours again, to the byte. One line of each call
// is there and others, picked from what strace --color=always wrote of the tests'
// programs. An escape is written as ␛.
func TestStrace(t *testing.T) {
	file, err := os.ReadFile("testdata/strace72.txt")
	if err != nil {
		t.Fatal(err)
	}
	p := New("")
	lines := 0
	for line := range strings.Lines(strings.ReplaceAll(string(file), "␛", "\x1b")) {
		want := strings.TrimSuffix(line, "\n")
		if got := repaint(p, want); got != want {
			t.Errorf("%s\n got %q\nwant %q", plain(want), got, want)
		}
		lines++
	}
	if lines < 500 {
		t.Errorf("%d lines", lines)
	}
}

// repaint paints a line of strace's, the colours of which tell where it stopped at
// the beginning of a call.
func repaint(p *Painter, line string) string {
	if !strings.HasPrefix(line, p.start[syscallName]) {
		return string(p.Line(nil, []byte(plain(line)))) + Reset
	}
	head, tail := strings.TrimSuffix(line, " <unfinished ...>"+Reset), " <unfinished ...>"+Reset
	if m := ending.FindStringSubmatchIndex(line); m != nil {
		text := plain(line[m[2]:])
		head, tail = line[:m[0]], string(p.End(nil))+line[m[0]+len("\x1b[0m)\x1b[0m"):m[2]]
		tail += string(p.Result(nil, []byte(strings.TrimPrefix(text, "= ")))) + Reset + Reset
	}
	call := []byte(plain(head))
	at := pause(string(p.Call(nil, call, 0, len(call))), head)
	return string(p.Call(nil, call, 0, at)) + Reset + string(p.Call(nil, call, at, len(call))) + tail
}

// pause returns where in the plain text the colours of two painted texts first differ:
// strace resets them where a call is to wait.
func pause(painted, paused string) int {
	n := 0
	for ; painted != ""; n++ {
		a, b := colors(painted), colors(paused)
		if a != b {
			break
		}
		painted, paused = painted[len(a)+1:], paused[len(b)+1:]
		if painted == colors(painted) { // only what ends the colours is left
			n++
			break
		}
	}
	return n
}

// colors returns the sequences that a text begins with.
func colors(s string) string {
	n := 0
	for strings.HasPrefix(s[n:], "\x1b[") {
		n += strings.IndexByte(s[n:], 'm') + 1
	}
	return s[:n]
}

func TestChosenColors(t *testing.T) {
	for _, tt := range []struct{ colors, want string }{
		{"", "<33>f<0>(<35><34>AF_INET<35><0>, <35><33>htons<0>(<35>1<0>)<0>"},
		{"const=7:argval=x:SYSCALL=5:argname=:call=;", "<5>f<0>(<35><7>AF_INET<35><0>, <35><33>htons<0>(<35>1<0>)<0>"},
		{" call = 1;4 :punct=9:nonsense=3:arg=3::=:", "<33>f<9>(<35><34>AF_INET<35><9>, <35><1;4>htons<9>(<35>1<9>)<0>"},
	} {
		const call = "f(AF_INET, htons(1)"
		got := string(New(tt.colors).Call(nil, []byte(call), 0, len(call)))
		want := strings.NewReplacer("<", "\x1b[", ">", "m").Replace(tt.want)
		if got != want {
			t.Errorf("%q: %q, want %q", tt.colors, got, want)
		}
	}
}

// Whatever the text is, colours take nothing from it and add nothing but their
// sequences, and the parts of a call are the whole.
func FuzzPaint(f *testing.F) {
	for _, s := range []string{
		`openat(AT_FDCWD</tmp>, "a\"b"..., O_RDONLY|O_CLOEXEC`, `read(3<TCP:[1->2]>, "x", 1`, "ioctl(0, TCGETS or X, {a=[1, 2], b=~[CHLD RT_1]}",
		"f(1 /* A|B */, 1<<(X-1)|Y, {W}, [3 4], ???, S_IFREG|0644", "--- SIGCHLD {si_signo=SIGCHLD} ---", `"`, "{", "}])>", "a(", " /* ", "1<<(", "[", "'", ", l2_bdaddr",
		"-1 ENOENT (No such file or directory) (INJECTED)", "3<{eventfd-count=1}>", "prctl(PR_X, PR_SVE_", "x.y.z.=1", "<... ", "{tv_sec=1",
	} {
		f.Add([]byte(s), uint(3))
	}
	p := New("")
	f.Fuzz(func(t *testing.T, text []byte, cut uint) {
		if bytes.IndexByte(text, '\x1b') >= 0 || len(text) > 1<<12 {
			return
		}
		at := int(cut % uint(len(text)+1))
		whole := p.Call(nil, text, 0, len(text))
		parts := p.Call(p.Call(nil, text, 0, at), text, at, len(text))
		if string(whole) != string(parts) {
			t.Errorf("%q\n%q in one\n%q in two, from %d", text, whole, parts, at)
		}
		line := p.Line(nil, text)
		for _, painted := range [][]byte{whole, line} {
			if got := sequence.ReplaceAll(painted, nil); !bytes.Equal(got, text) || Columns(painted) != len(text) {
				t.Errorf("%q became %q, %d columns", text, got, Columns(painted))
			}
		}
		want := fmt.Sprintf("= %s", text)
		if got := string(sequence.ReplaceAll(p.Result(nil, text), nil)); len(text) > 0 && text[0] != ' ' && got != want && got != strings.TrimSuffix(want, " ") {
			t.Errorf("%q became %q", want, got)
		}
	})
}
