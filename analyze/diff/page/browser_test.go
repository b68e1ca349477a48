package page_test

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// chromium returns the browser's name.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("chromium is missing")
	}
	t.Skip("chromium is missing")
	return ""
}

// dom loads a page as a file, in the state that the address says, and returns
// what has become of it.
func dom(t *testing.T, file, state string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(),
		"--window-size=1280,800", "--virtual-time-budget=60000", "--enable-logging=stderr", "--dump-dom", "file://"+file+"#"+state)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, complaints.String())
	}
	for line := range strings.Lines(complaints.String()) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("the browser says: %s", line)
		}
	}
	return string(out)
}

func pageFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

var row = regexp.MustCompile(`(?s)<div class="row[^"]*"[^>]*role="option".*?</div>`)

// A link shows what it was made of: the call that it names, with the calls
// around it and what it is in full.
func TestBrowserCalls(t *testing.T) {
	t.Parallel()
	chromium(t)
	text, r := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0)
	n := r.Findings[0].Bad.Event
	got := dom(t, pageFile(t, text), fmt.Sprintf("tab=calls&at=b%d&find=openat", n))
	if !strings.Contains(got, `data-ready="0"`) {
		t.Fatalf("the calls were not shown:\n%.3000s", got)
	}
	current := regexp.MustCompile(`(?s)<div class="row changed current".*?</div>`).FindString(got)
	for _, want := range []string{`id="current"`, fmt.Sprintf("#%d", n), "ENOENT", `aria-selected="true"`, "≠", `<mark class="hit">openat</mark>`} {
		if !strings.Contains(current, want) {
			t.Errorf("the selected row lacks %s: %s", want, current)
		}
	}
	if k := len(row.FindAllString(got, -1)); k < 10 || k > 100 {
		t.Errorf("%d rows are there, want those in sight", k)
	}
	detail := got[strings.Index(got, `id="detail"`):]
	if !strings.Contains(detail, "(No such file or directory)") || !strings.Contains(detail, "after the beginning") {
		t.Errorf("the selected call is not told in full: %.600s", detail)
	}
	if !regexp.MustCompile(`<output id="status">[0-9]+ matches</output>`).MatchString(got) {
		t.Error("the matches are not counted")
	}
	if !strings.Contains(got, `<section id="calls" class="tab shown">`) || strings.Contains(got, `<section id="findings" class="tab shown">`) {
		t.Error("another view is shown than the address says")
	}
}

// What a trace contains does not run.
func TestBrowserHostile(t *testing.T) {
	t.Parallel()
	chromium(t)
	text, _ := write(t, source(t, hostile[2], hostileRun(false)), source(t, hostile[4], hostileRun(true)), 0)
	// Were a text able to, it would alert, which chromium logs, or add elements.
	got := dom(t, pageFile(t, text), "tab=calls&fold=0&find=%3Cimg")
	if strings.Contains(got, "<img") || strings.Count(got, "<script") != 3 {
		t.Error("text became elements")
	}
	if !strings.Contains(got, `<mark class="hit">&lt;img</mark>`) {
		t.Error("the text that was searched for is not marked")
	}
}

// A long list is drawn as far as it is in sight, and opens at the place that the
// address tells.
func TestBrowserLong(t *testing.T) {
	t.Parallel()
	chromium(t)
	const n = 10_000
	text, r := write(t, source(t, "good", long(n, false)), source(t, "bad", long(n, true)), 0)
	at := r.Findings[0].Bad.Event
	got := dom(t, pageFile(t, text), fmt.Sprintf("tab=calls&fold=0&at=b%d", at))
	if !strings.Contains(got, fmt.Sprintf("#%d ", at)) || !strings.Contains(got, fmt.Sprintf("#%d ", at+3)) {
		t.Error("the place that the address tells is not in sight")
	}
	if k := len(row.FindAllString(got, -1)); k < 10 || k > 100 {
		t.Errorf("%d rows are there, want those in sight", k)
	}
	if !regexp.MustCompile(`id="spacer" role="presentation" style="height: [0-9]{6}px;?"`).MatchString(got) {
		t.Error("the list is not as long as it should be")
	}
}

// drive is a script that presses keys once the calls are there, and notes in the
// title what the address says after each.
const drive = `<script>
const told = [];
const press = key => { (document.activeElement || document.body).dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})); told.push(key + ' ' + location.hash); };
const wait = () => document.body.dataset.ready === undefined ? setTimeout(wait, 10) : run();
const run = () => {
  for (const key of ['n', 'n', 'p', 'j', 'k']) press(key);
  press('/');
  told.push(document.activeElement.id);
  press('Escape');
  press('1');
  press('j');
  press('2');
  press('j');
  press('?');
  told.push(String(document.getElementById('help').open));
  document.title = told.join('; ');
};
wait();
</script></body>`

// Keys do what the help says, and the address follows.
func TestBrowserKeys(t *testing.T) {
	t.Parallel()
	chromium(t)
	text, r := write(t, traceFile("git-good.reel"), traceFile("git-bad.reel"), 0)
	// The policy would keep this script from running, too.
	text = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`).ReplaceAllString(text, "")
	got := dom(t, pageFile(t, strings.Replace(text, "</body>", drive, 1)), "tab=calls")
	title := regexp.MustCompile(`<title>(.*?)</title>`).FindStringSubmatch(got)[1]
	steps := strings.Split(html.UnescapeString(title), "; ")
	if len(steps) != 14 {
		t.Fatalf("%d steps were made: %q", len(steps), steps)
	}
	first := fmt.Sprintf("#tab=calls&at=b%d", r.Findings[0].Bad.Event)
	for i, want := range []string{"n " + first, "n #tab=calls&at=", "p " + first, "j #tab=calls&at=", "k " + first, "/ " + first, "search", "Escape", "1 #at=", "j #finding=1", "2 #tab=processes", "j #tab=processes&finding=1&process=0", "? ", "true"} {
		if !strings.HasPrefix(steps[i], want) {
			t.Errorf("step %d: %q, want %q", i, steps[i], want)
		}
	}
	if steps[1] == steps[0] || steps[3] == steps[4] {
		t.Errorf("a key did not move: %q", steps)
	}
}
