package diff

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"sysreel/analyze"
	"sysreel/analyze/term"
	"sysreel/analyze/tracetest"
	"sysreel/proto/tracefile"
	"sysreel/proto/tracepb"
)

// source makes a trace of what script does.
func source(t *testing.T, name string, script func(b *tracetest.Builder)) Source {
	t.Helper()
	b := tracetest.New(t)
	b.Header.Uuid = []byte((name + "0123456789abcdef")[:16])
	script(b)
	return fileSource(t, name, b.Bytes())
}

func fileSource(t *testing.T, name string, file []byte) Source {
	return Source{Name: name, Open: func() (*analyze.Trace, error) {
		return &analyze.Trace{Reader: tracetest.Reader(t, file), Name: name}, nil
	}}
}

func compare(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := Compare(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pair(t *testing.T, good, bad func(b *tracetest.Builder)) Options {
	t.Helper()
	return Options{Good: []Source{source(t, "good", good)}, Bad: []Source{source(t, "bad", bad)}}
}

const (
	atFDCWD = -100
	rdonly  = 0
	creatEx = 0o301 // O_WRONLY|O_CREAT|O_EXCL
	enoent  = -2
	eagain  = -11
)

// stat returns a struct stat of amd64 with what diff looks at.
func stat(mode uint32, size uint64, uid uint32) tracetest.Out {
	b := make([]byte, 144)
	binary.LittleEndian.PutUint32(b[24:], mode)
	binary.LittleEndian.PutUint32(b[28:], uid)
	binary.LittleEndian.PutUint64(b[48:], size)
	return b
}

func program(b *tracetest.Builder, pid int32, argv ...string) tracefile.Thread {
	t := b.Process(pid, tracefile.Thread{}, nil)
	b.Exec(t, tracetest.Program("/usr/bin/"+argv[0], argv...))
	return t
}

func child(b *tracetest.Builder, pid int32, parent tracefile.Thread, argv ...string) tracefile.Thread {
	b.Call(parent, "fork", 1000, int64(pid))
	t := b.Process(pid, parent, nil)
	b.Exec(t, tracetest.Program("/usr/bin/"+argv[0], argv...))
	return t
}

// compile is a run of make that compiles two files, at the same time.
func compile(pid int32, swap bool, cfg int64) func(b *tracetest.Builder) {
	return func(b *tracetest.Builder) {
		mk := program(b, pid, "make", "-j2")
		b.Call(mk, "openat", 1000, 3, atFDCWD, "Makefile", rdonly)
		names := []string{"main.c", "b.c"}
		pids := []int32{pid + 1, pid + 2}
		if swap {
			names[0], names[1] = names[1], names[0]
		}
		status := int32(0)
		for i, name := range names {
			cc := child(b, pids[i], mk, "cc1", name)
			b.Call(cc, "openat", 1000, 3, atFDCWD, name, rdonly)
			b.Call(cc, "read", 1000, 10, 3, tracetest.Out("int x;...."), 4096)
			ret := int64(4)
			if name == "b.c" {
				ret = cfg
			}
			b.Call(cc, "openat", 1000, ret, atFDCWD, "gen/cfg.h", rdonly)
			if ret < 0 {
				b.Call(cc, "write", 1000, 40, 2, tracetest.In("b.c: gen/cfg.h: No such file or directory\n"), 40)
				b.Call(cc, "exit_group", 0, 0, 1)
				b.Exit(cc, 1<<8)
				status = 2 << 8
				continue
			}
			b.Call(cc, "openat", 1000, 5, atFDCWD, strings.TrimSuffix(name, ".c")+".o", creatEx, 0o666)
			b.Call(cc, "write", 1000, 100, 5, tracetest.In("ELF"), 100)
			b.Call(cc, "exit_group", 0, 0, 0)
			b.Exit(cc, 0)
		}
		b.Call(mk, "wait4", 5000, int64(pid+1), -1, 0, 0, 0)
		if status == 0 {
			ld := child(b, pid+3, mk, "ld")
			b.Call(ld, "openat", 1000, 3, atFDCWD, "main.o", rdonly)
			b.Exit(ld, 0)
		}
		b.Exit(mk, status)
	}
}

func TestSameWhateverPIDsAndOrder(t *testing.T) {
	r := compare(t, pair(t, compile(100, false, 4), compile(70000, true, 4)))
	if r.Verdict != Same || len(r.Findings) != 0 || r.Matched != 1 {
		t.Errorf("verdict %s, matched %v, findings %+v", r.Verdict, r.Matched, r.Findings)
	}
}

// A shell may fork for its last command or replace itself by it.
func TestExecInPlace(t *testing.T) {
	work := func(b *tracetest.Builder, p tracefile.Thread) {
		b.Call(p, "openat", 1000, 3, atFDCWD, "/data", rdonly)
		b.Call(p, "exit_group", 0, 0, 0)
		b.Exit(p, 0)
	}
	r := compare(t, pair(t, func(b *tracetest.Builder) {
		sh := program(b, 10, "sh", "-c", "prog; ")
		work(b, child(b, 11, sh, "prog"))
		b.Call(sh, "wait4", 1000, 11, -1, 0, 0, 0)
		b.Call(sh, "exit_group", 0, 0, 0)
		b.Exit(sh, 0)
	}, func(b *tracetest.Builder) {
		sh := program(b, 20, "sh", "-c", "prog; ")
		b.Exec(sh, tracetest.Program("/usr/bin/prog", "prog"))
		work(b, sh)
	}))
	if r.Verdict != Same {
		t.Errorf("%s: %+v", r.Verdict, r.Findings)
	}
}

// A helper that its parent stops when it is done gets as far as it gets.
func TestStoppedHelper(t *testing.T) {
	run := func(opens int, status int32) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "main")
			h := child(b, 11, p, "helper")
			for range opens {
				b.Call(h, "openat", 1000, 3, atFDCWD, "/cache", rdonly)
			}
			b.Exit(h, status)
			b.Exit(p, 0)
		}
	}
	if r := compare(t, pair(t, run(0, 2), run(1, 100<<8))); r.Verdict != Same {
		t.Errorf("%s: %+v", r.Verdict, r.Findings)
	}
	// Without the signal it is a difference.
	if r := compare(t, pair(t, run(0, 0), run(1, 100<<8))); r.Verdict != Different {
		t.Error("a helper that fails is the same as one that does not")
	}
}

func TestCauseFirst(t *testing.T) {
	r := compare(t, pair(t, compile(100, false, 4), compile(70000, true, enoent)))
	if r.Verdict != Different || len(r.Findings) == 0 {
		t.Fatalf("verdict %s, %d findings", r.Verdict, len(r.Findings))
	}
	f := r.Findings[0]
	if f.Kind != ResultChanged || f.Process != "cc1" || f.Syscall != "openat" || f.Path != "/home/user/gen/cfg.h" || f.Errno != "ENOENT" || !f.Likely {
		t.Errorf("first finding %+v", f)
	}
	if f.Good == nil || f.Bad == nil || f.Good.Event == 0 || f.Bad.PID != 70001 && f.Bad.PID != 70002 || !strings.Contains(f.Bad.Text, "ENOENT") {
		t.Errorf("evidence good %+v bad %+v", f.Good, f.Bad)
	}
	chain := strings.Join(f.Consequences, " | ")
	for _, want := range []string{"cfg.h: No such file", "cc1 exit 1", "make exit 2", "1 process of the good run not started"} {
		if !strings.Contains(chain, want) {
			t.Errorf("consequences %q lack %q", chain, want)
		}
	}
	if r.Structure.ProcessesMissing != 1 {
		t.Errorf("structure %+v, want one process missing", r.Structure)
	}
	if *r.Good[0].Exit.Code != 0 || *r.Bad[0].Exit.Code != 2 {
		t.Errorf("exits %+v %+v", r.Good[0].Exit, r.Bad[0].Exit)
	}
}

func TestJSONContract(t *testing.T) {
	r := compare(t, pair(t, compile(100, false, 4), compile(70000, true, enoent)))
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"schema", "verdict", "matched", "good", "bad", "findings", "latency"} {
		if _, ok := m[key]; !ok {
			t.Errorf("no %q in %s", key, data)
		}
	}
	f := m["findings"].([]any)[0].(map[string]any)
	for _, key := range []string{"rank", "kind", "summary", "process", "syscall", "path", "errno", "good", "bad", "score", "consequences"} {
		if _, ok := f[key]; !ok {
			t.Errorf("no %q in finding %v", key, f)
		}
	}
	if _, ok := m["good"].([]any)[0].(map[string]any)["exit"].(map[string]any)["code"]; !ok {
		t.Errorf("no exit code in %s", data)
	}
	same, err := json.Marshal(compare(t, pair(t, compile(1, false, 4), compile(1, false, 4))))
	if err != nil || !bytes.Contains(same, []byte(`"findings":[]`)) {
		t.Errorf("findings of the same are not []: %s, %v", same, err)
	}
}

// Every rule makes two runs the same that differ without it.
func TestRules(t *testing.T) {
	sock := func(port uint16) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "server")
			b.Call(p, "socket", 1000, 3, 2, 1, 0)
			b.Call(p, "bind", 1000, 0, 3, tracetest.In(tracetest.Sockaddr(127, 0, 0, 1, port)), 16)
			b.Exit(p, 0)
		}
	}
	open := func(name string, flags, mode int) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 4321, "prog")
			b.Call(p, "openat", 1000, 3, atFDCWD, name, flags, mode)
			b.Exit(p, 0)
		}
	}
	one := func(fn func(b *tracetest.Builder, p tracefile.Thread)) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 4321, "prog")
			fn(b, p)
			b.Exit(p, 0)
		}
	}
	reads := func(rets ...int64) func(b *tracetest.Builder) {
		return one(func(b *tracetest.Builder, p tracefile.Thread) {
			for _, r := range rets {
				b.Call(p, "read", 1000, r, 0, tracetest.Out("x"), 100)
			}
		})
	}
	opens := func(names ...string) func(b *tracetest.Builder) {
		return one(func(b *tracetest.Builder, p tracefile.Thread) {
			for _, n := range names {
				b.Call(p, "openat", 1000, 3, atFDCWD, n, rdonly)
			}
		})
	}
	pipe := func(before string) func(b *tracetest.Builder) {
		return one(func(b *tracetest.Builder, p tracefile.Thread) {
			for range strings.Fields(before) {
				b.Call(p, "getpid", 1000, 4321)
			}
			b.Call(p, "pipe2", 1000, 0, tracetest.Out(tracetest.Ints(3, 4)), 0)
			b.Call(p, "read", 1000, 1, 3, tracetest.Out("x"), 100)
		})
	}
	for _, c := range []struct {
		rule      string
		good, bad func(b *tracetest.Builder)
		roots     []Mapping
	}{
		{rulePID, open("/run/x.4321", rdonly, 0), func(b *tracetest.Builder) {
			p := program(b, 777, "prog")
			b.Call(p, "openat", 1000, 3, atFDCWD, "/run/x.777", rdonly)
			b.Exit(p, 0)
		}, nil},
		{ruleFD, one(func(b *tracetest.Builder, p tracefile.Thread) {
			b.Call(p, "openat", 1000, 3, atFDCWD, "/f", rdonly)
			b.Call(p, "read", 1000, 1, 3, tracetest.Out("x"), 10)
		}), one(func(b *tracetest.Builder, p tracefile.Thread) {
			b.Call(p, "openat", 1000, 9, atFDCWD, "/f", rdonly)
			b.Call(p, "read", 1000, 1, 9, tracetest.Out("x"), 10)
		}), nil},
		{ruleValue, one(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "ftruncate", 1000, 0, 1, 100) }),
			one(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "ftruncate", 1000, 0, 1, 200) }), nil},
		{ruleCount, opens("/a", "/b"), opens("/a", "/b", "/a"), nil},
		{ruleTemp, open("/tmp/ccQ4x7Zb.s", creatEx, 0o600), open("/tmp/ccAb2Cd9.s", creatEx, 0o600), nil},
		{ruleUUID, open("/c/123e4567-e89b-12d3-a456-426614174000", rdonly, 0), open("/c/00112233-4455-6677-8899-aabbccddeeff", rdonly, 0), nil},
		{ruleHex, open("/o/0123456789abcdef0123456789abcdefabcdefab", rdonly, 0), open("/o/aaaabbbbccccddddeeeeffff0000111122223333", rdonly, 0), nil},
		{ruleNumber, open("/log/app-1700000000", rdonly, 0), open("/log/app-1700000777", rdonly, 0), nil},
		{rulePort, sock(40001), sock(52002), nil},
		{ruleInode, pipe(""), pipe("a b c"), nil},
		{ruleRoot, open("/srv/old/conf", rdonly, 0), open("/srv/new/conf", rdonly, 0), []Mapping{{"/srv/new", "/srv/old"}}},
		{ruleFamily, one(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "open", 1000, 3, "/f", rdonly) }),
			one(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "openat", 1000, 3, atFDCWD, "/f", rdonly) }), nil},
		{ruleRestart, reads(5), one(func(b *tracetest.Builder, p tracefile.Thread) {
			b.Add(tracefile.Event{Kind: tracefile.Syscall, Flags: tracefile.Restarted, Thread: p, NR: 2, Ret: -512,
				Args: [6]uint64{0x1000}, Bufs: []tracefile.Buf{{Parent: -1, Data: []byte("/odd\x00"), Want: 5}}})
			b.Call(p, "read", 1000, 5, 0, tracetest.Out("x"), 100)
		}), nil},
		{ruleStream, reads(50), reads(20, 30), nil},
		{ruleRetry, reads(5), reads(eagain, 5), nil},
		{ruleQuiet, reads(5), one(func(b *tracetest.Builder, p tracefile.Thread) {
			b.Call(p, "sched_yield", 1000, 0)
			b.Call(p, "read", 1000, 5, 0, tracetest.Out("x"), 100)
		}), nil},
		{ruleOrder, opens("/a", "/b"), opens("/b", "/a"), nil},
		{ruleLook, one(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "stat", 1000, 0, "/f", stat(0o100644, 5, 0)) }),
			one(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "stat", 1000, 0, "/f", stat(0o100644, 5, 0))
				b.Call(p, "open", 1000, 3, "/f", rdonly)
				b.Call(p, "read", 1000, 5, 3, tracetest.Out("data\n"), 100)
			}), nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			o := pair(t, c.good, c.bad)
			o.Map = c.roots
			if r := compare(t, o); r.Verdict != Same {
				t.Errorf("with the rule: %s: %+v", r.Verdict, r.Findings)
			}
			o.NoNorm = []string{c.rule}
			if c.rule == ruleOrder { // order shows as calls made twice
				o.NoNorm = append(o.NoNorm, ruleCount)
			}
			if r := compare(t, o); r.Verdict != Different {
				t.Errorf("without the rule: %s", r.Verdict)
			}
		})
	}
	tested := 18
	if len(rules) != tested {
		t.Errorf("%d rules, %d tested", len(rules), tested)
	}
}

func TestKinds(t *testing.T) {
	base := func(fn func(b *tracetest.Builder, p tracefile.Thread), status int32) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			p := program(b, 10, "app")
			b.Call(p, "openat", 1000, 3, atFDCWD, "/etc/app.conf", rdonly)
			fn(b, p)
			b.Exit(p, status)
		}
	}
	nothing := func(b *tracetest.Builder, p tracefile.Thread) {}
	for _, c := range []struct {
		name      string
		good, bad func(b *tracetest.Builder)
		kind      Kind
		summary   string
	}{
		{"file shrank",
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "fstat", 1000, 0, 3, stat(0o100644, 120, 0))
			}, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "fstat", 1000, 0, 3, stat(0o100600, 7, 0)) }, 1<<8),
			InputChanged, "app: /etc/app.conf has another mode 0644 → 0600, size 120 → 7"},
		{"other content",
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "read", 1000, 4, 3, tracetest.Out("a=1\n"), 10)
			}, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "read", 1000, 4, 3, tracetest.Out("a=2\n"), 10)
			}, 1<<8),
			InputChanged, "app: /etc/app.conf has other content, from byte 2 on"},
		{"other content behind what is kept",
			printed(base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "read", 1000, 50, 3, tracetest.Out("a=1\n"), 50, tracetest.Print(7))
				b.Call(p, "read", 1000, 50, 3, tracetest.Out("b=1\n"), 50, tracetest.Print(8))
			}, 0)),
			printed(base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "read", 1000, 50, 3, tracetest.Out("a=1\n"), 50, tracetest.Print(7))
				b.Call(p, "read", 1000, 50, 3, tracetest.Out("b=1\n"), 50, tracetest.Print(9))
			}, 1<<8)),
			InputChanged, "app: /etc/app.conf has other content, first within bytes 54 to 99"},
		{"process missing",
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Exit(child(b, 11, p, "helper", "-x"), 0) }, 0), base(nothing, 0),
			ProcessMissing, "helper was not started: helper -x"},
		{"process added",
			base(nothing, 0), base(func(b *tracetest.Builder, p tracefile.Thread) { b.Exit(child(b, 11, p, "helper", "-x"), 0) }, 0),
			ProcessAdded, "helper was started, only in the bad run: helper -x"},
		{"call missing",
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "openat", 1000, 4, atFDCWD, "/data", rdonly)
			}, 0), base(nothing, 0),
			Missing, "app did not openat /data"},
		{"killed", base(nothing, 0), base(func(b *tracetest.Builder, p tracefile.Thread) { b.Signal(p, 11) }, 11),
			ResultChanged, "app: exit 0 → killed by SIGSEGV"},
		{"hang",
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "flock", 1000, 0, 3, 2) }, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Unfinished(p, "flock", 5e9, 3, 2) }, 15),
			Slower, "app was blocked in flock on /etc/app.conf for 5.00 s until killed by SIGTERM"},
		{"slower",
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "fsync", 1e6, 0, 3) }, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "fsync", 3e9, 0, 3) }, 0),
			Slower, "app took 3.00 s longer in fsync on /etc/app.conf"},
		{"mended",
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "openat", 1000, enoent, atFDCWD, "/data", rdonly)
			}, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "openat", 1000, 4, atFDCWD, "/data", rdonly)
			}, 0),
			ResultChanged, "app: /data exists, not in the good run"},
		{"there too early", // the good run makes it and sees it then
			base(func(b *tracetest.Builder, p tracefile.Thread) {
				b.Call(p, "access", 1000, enoent, "/run/lock", 0)
				b.Call(p, "openat", 1000, 4, atFDCWD, "/run/lock", creatEx, 0o666)
				b.Call(p, "access", 1000, 0, "/run/lock", 0)
			}, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) { b.Call(p, "access", 1000, 0, "/run/lock", 0) }, 1<<8),
			ResultChanged, "app: /run/lock exists, not in the good run"},
		{"name gone from a directory", base(list("a.conf", "b.conf"), 0), base(list("a.conf"), 1<<8),
			InputChanged, "app: missing from /srv/d: b.conf, which the good run listed"},
		{"name new in a directory", base(list("a.conf"), 0), base(list("a.conf", "z.conf"), 1<<8),
			InputChanged, "app: new in /srv/d: z.conf, which the good run did not list"},
		{"many names gone", base(list("a", "b", "c", "d", "e", "f"), 0), base(list("a"), 1<<8),
			InputChanged, "app: missing from /srv/d: b, which the good run listed"},
		{"more work",
			base(func(b *tracetest.Builder, p tracefile.Thread) { repeat(b, p, 3) }, 0),
			base(func(b *tracetest.Builder, p tracefile.Thread) { repeat(b, p, 500) }, 0),
			Added, "app: openat /spool/job 500 times, 3 in the good run"},
		{"environment",
			func(b *tracetest.Builder) { withEnv(b, "TOKEN=a", "SHLVL=1") }, func(b *tracetest.Builder) { withEnv(b, "SHLVL=2") },
			InputChanged, "app: environment TOKEN: a → unset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := compare(t, pair(t, c.good, c.bad))
			if len(r.Findings) == 0 {
				t.Fatal("no finding")
			}
			if f := r.Findings[0]; f.Kind != c.kind || f.Summary != c.summary {
				t.Errorf("first finding is %s: %q\nwant %s: %q", f.Kind, f.Summary, c.kind, c.summary)
			}
		})
	}
}

func repeat(b *tracetest.Builder, p tracefile.Thread, n int) {
	for range n {
		b.Call(p, "openat", 1000, 4, atFDCWD, "/spool/job", rdonly)
	}
}

func withEnv(b *tracetest.Builder, env ...string) {
	p := b.Process(10, tracefile.Thread{}, nil)
	f := tracetest.Program("/usr/bin/app", "app")
	for _, v := range env {
		f.Env = append(f.Env, []byte(v))
	}
	f.EnvKnown, f.EnvCount = true, uint32(len(env))
	f.Limits = []*tracepb.Limit{{Name: "NOFILE", Soft: 1024, Hard: 4096}}
	b.Exec(p, f)
	b.Exit(p, 0)
}

func TestMisuse(t *testing.T) {
	good, bad := source(t, "good", compile(100, false, 4)), source(t, "bad", compile(200, false, enoent))
	note := func(o Options, want string) {
		t.Helper()
		if r := compare(t, o); !strings.Contains(strings.Join(r.Notes, "\n"), want) {
			t.Errorf("notes %q lack %q", r.Notes, want)
		}
	}
	note(Options{Good: []Source{good}, Bad: []Source{good}}, "both are the same recording")
	note(Options{Good: []Source{bad}, Bad: []Source{good}}, "are they swapped?")
	other := source(t, "other", func(b *tracetest.Builder) { b.Exit(program(b, 5, "sleep", "1"), 0) })
	note(Options{Good: []Source{good}, Bad: []Source{other}}, "different programs, make and sleep")
	b := tracetest.New(t)
	compile(300, false, 4)(b)
	note(Options{Good: []Source{good}, Bad: []Source{fileSource(t, "cut", b.Cut())}}, "cut: ")
	empty := source(t, "empty", func(b *tracetest.Builder) { b.Exit(b.Process(1, tracefile.Thread{}, nil), 0) })
	compare(t, Options{Good: []Source{empty}, Bad: []Source{empty}})
	if _, err := Compare(context.Background(), Options{Good: []Source{good}}); err == nil {
		t.Error("no bad run, and no error")
	}
	if _, err := Compare(context.Background(), Options{Good: []Source{good}, Bad: []Source{bad}, NoNorm: []string{"nope"}}); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("unknown rule: %v", err)
	}
}

func TestRender(t *testing.T) {
	o := pair(t, compile(100, false, 4), compile(70000, true, enoent))
	o.Context = 1
	r := compare(t, o)
	var plain, wide, color strings.Builder
	for _, x := range []struct {
		w *strings.Builder
		o RenderOptions
	}{
		{&plain, RenderOptions{Options: term.Options{Width: 80}}},
		{&wide, RenderOptions{All: true, SideBySide: true, Options: term.Options{Width: 160}}},
		{&color, RenderOptions{Options: term.Options{Color: true}}},
	} {
		if err := Render(x.w, r, x.o); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(plain.String(), "\n")
	if !strings.HasPrefix(lines[0], "different · bad run: exit 2 (good: exit 0) · ") {
		t.Errorf("first line %q", lines[0])
	}
	if want := " 1 LIKELY  cc1: openat /home/user/gen/cfg.h failed with ENOENT"; !strings.HasPrefix(lines[1], want) {
		t.Errorf("second line %q, want %q", lines[1], want)
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(color.String(), "\x1b[31mLIKELY") {
		t.Error("colour where there should be none, or none where there should be")
	}
	if !strings.Contains(wide.String(), "│") || !strings.Contains(wide.String(), "score ") {
		t.Errorf("side by side with scores:\n%s", wide.String())
	}
	var same strings.Builder
	if err := Render(&same, compare(t, pair(t, compile(1, false, 4), compile(2, true, 4))), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(same.String(), "same: exit 0 · 100.0 % of the calls match") {
		t.Errorf("same renders as %q", same.String())
	}
}

// That a call was tampered with is said, and is no difference in itself.
func TestInjected(t *testing.T) {
	script := func(flags tracefile.Flags, ret int64) func(b *tracetest.Builder) {
		return func(b *tracetest.Builder) {
			if flags != 0 {
				b.Header.Policy = &tracepb.Policy{Inject: []string{"openat:error=EIO:when=2"}}
			}
			p := b.Process(100, tracefile.Thread{}, tracetest.Program("/bin/prog", "prog"))
			b.Call(p, "openat", 10_000, 3, atFDCWD, "/etc/a", rdonly)
			b.Flagged(p, flags, "openat", 10_000, ret, atFDCWD, "/etc/b", rdonly)
			b.Exit(p, 0)
		}
	}
	if r := compare(t, pair(t, script(0, -5), script(tracefile.Injected, -5))); r.Verdict != Same {
		t.Errorf("only the mark differs: %s, %+v", r.Verdict, r.Findings)
	}
	r := compare(t, pair(t, script(0, 3), script(tracefile.Injected, -5)))
	if len(r.Findings) == 0 {
		t.Fatal("no finding")
	}
	f := r.Findings[0]
	if !strings.HasSuffix(f.Summary, "/etc/b failed with EIO (Input/output error), ok in the good run (injected by the recorder)") ||
		f.Bad == nil || len(f.Bad.Tampered) != 1 || f.Good == nil || f.Good.Tampered != nil {
		t.Errorf("finding %+v", f)
	}
	if len(r.Notes) != 1 || r.Notes[0] != "bad: calls were tampered with: openat:error=EIO:when=2" {
		t.Errorf("notes %q", r.Notes)
	}
}
