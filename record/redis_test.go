//go:build linux && (amd64 || arm64)

package record

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A redis server under load is attached to and let go of again and again, by a
// recorder that is asked to end and by one that is killed. No request fails,
// and nothing of the recorder stays behind. SYSREEL_STRESS is how often it is
// asked; it is killed a fifth as often.
func TestRedis(t *testing.T) {
	needTool(t, "redis-server", "redis-benchmark")
	detaches := rounds(t, 5)
	kills := max(detaches/5, 3)

	dir, err := os.MkdirTemp("/tmp", "sysreel-redis") // short, whatever TMPDIR is: it names a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--logfile", filepath.Join(dir, "log"))
	begin(t, server)
	pid := server.Process.Pid
	c := dial(t, socket)
	before := affinity(t, pid)

	load := exec.Command("redis-benchmark", "-s", socket, "-c", "20", "-n", "2000000000", "-q", "-e", "-t", "set,get")
	load.Dir = dir
	failed := begin(t, load)

	// One client counts: each of its requests must be answered, once.
	var answered atomic.Int64
	stop, counted := make(chan struct{}), make(chan error, 1)
	go func() {
		c := dial(t, socket)
		for n := 1; ; n++ {
			if s, err := c.do("INCR", "count"); err != nil || s != ":"+itoa(n) {
				counted <- fmt.Errorf("request %d: %q, %v", n, s, err)
				return
			}
			answered.Add(1)
			select {
			case <-stop:
				counted <- nil
				return
			default:
			}
		}
	}()

	events, killed := 0, 0
	for i := range detaches + kills {
		file := filepath.Join(dir, "t.reel")
		rec := attach(t, Options{PIDs: []int{pid}}, file)
		if i%4 == 1 { // a child of the server writes its data out
			if s, err := c.do("BGSAVE"); err != nil || s[0] == '-' && !strings.Contains(s, "already in progress") {
				t.Fatalf("BGSAVE: %q, %v", s, err)
			}
		}
		// Requests are answered under the recorder, too.
		for from, n := answered.Load(), rand.Int64N(300); answered.Load() < from+n && len(counted) == 0; {
			time.Sleep(time.Millisecond)
		}
		if killed*detaches < (i-killed)*kills {
			killed++
			rec.Process.Kill()
			rec.Wait()
			untouchedSoon(t, pid, before)
		} else {
			tr := finish(t, rec, file)
			events += len(tr.events)
			untouched(t, pid, before)
		}
		if s := states(pid); strings.ContainsAny(s, "tT") {
			t.Fatalf("round %d: the states of the server's threads are %s", i, s)
		}
		select {
		case err := <-counted:
			t.Fatalf("round %d: the client: %v", i, err)
		case err := <-failed:
			t.Fatalf("round %d: redis-benchmark has ended: %v", i, err)
		default:
		}
	}
	close(stop)
	if err := <-counted; err != nil {
		t.Error(err)
	}
	info, err := c.do("INFO")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"total_error_replies:0\r\n", "rejected_connections:0\r\n", "rdb_last_bgsave_status:ok\r\n"} {
		if !strings.Contains(info, want) {
			t.Errorf("the server does not say %q:\n%s", want, info)
		}
	}
	t.Logf("%d detaches, %d kills, %d events recorded", detaches, kills, events)
	if events == 0 {
		t.Error("nothing was recorded")
	}
}

// begin starts a command that is ended with the test. The channel tells how it
// ended before.
func begin(t *testing.T, cmd *exec.Cmd) <-chan error {
	t.Helper()
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(over)
		err := cmd.Wait()
		ended <- fmt.Errorf("%w: %s", err, out)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-over
	})
	return ended
}

// states returns the letters of /proc for the threads of a process.
func states(pid int) (all string) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			all += string(b[strings.LastIndexByte(string(b), ')')+2])
		}
	}
	return all
}

// client speaks to a redis server.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, socket string) *client {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			return &client{conn, bufio.NewReader(conn)}
		}
		if time.Now().After(deadline) {
			t.Errorf("redis-server does not answer: %v", err)
			return &client{conn, nil}
		}
	}
}

// do makes a request and returns the reply, a bulk string without its length.
func (c *client) do(args ...string) (string, error) {
	if c.in == nil {
		return "", net.ErrClosed
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := c.Write([]byte(b.String())); err != nil {
		return "", err
	}
	line, err := c.in.ReadString('\n')
	line = strings.TrimSuffix(line, "\r\n")
	if err != nil || len(line) == 0 {
		return "", fmt.Errorf("reply %q: %w", line, err)
	}
	if line[0] != '$' {
		return line, nil
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil || n < 0 {
		return "", fmt.Errorf("reply %q", line)
	}
	bulk := make([]byte, n+2)
	if _, err := io.ReadFull(c.in, bulk); err != nil {
		return "", err
	}
	return string(bulk[:n]), nil
}
