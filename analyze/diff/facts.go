package diff

import (
	"fmt"
	"slices"
	"strings"

	"sysreel/proto/tracepb"
)

// change is a difference of what a process was given.
type change struct {
	what    string // "environment", "arguments", …
	text    string // in plain words, with both values
	means   feature
	subject string // variable, limit: what a message might name
}

// ownEnv are variables that differ from shell to shell and mean nothing.
var ownEnv = map[string]bool{
	"_": true, "SHLVL": true, "PWD": true, "OLDPWD": true, "PPID": true, "WINDOWID": true, "SSH_CLIENT": true,
	"SSH_CONNECTION": true, "SSH_TTY": true, "SSH_AUTH_SOCK": true, "SSH_AGENT_PID": true, "XDG_SESSION_ID": true,
	"TERM_SESSION_ID": true, "INVOCATION_ID": true, "JOURNAL_STREAM": true, "COLUMNS": true, "LINES": true,
}

// factChanges compares what two processes were given when they ran their
// latest common program. canon masks what the names rules mask.
func factChanges(g, b *proc, canonG, canonB func(string) string) []change {
	var out []change
	for i := range min(len(g.execs), len(b.execs)) {
		x, y := &g.execs[i], &b.execs[i]
		if x.args != y.args {
			out = append(out, change{what: "arguments", text: argumentChange(x.argv, y.argv), means: kindArguments})
		}
		if x.name != y.name && base(x.name) == base(y.name) {
			out = append(out, change{what: "program", text: x.path + " → " + y.path, means: kindProgram, subject: base(y.path)})
		}
	}
	if g.facts == nil || b.facts == nil {
		return out
	}
	out = append(out, envChanges(g.facts, b.facts, canonG, canonB)...)
	if x, y := string(g.facts.Cwd), string(b.facts.Cwd); x != y && canonG(x) != canonB(y) {
		out = append(out, change{what: "working directory", text: x + " → " + y, means: kindDirectory})
	}
	if x, y := g.facts.Umask, b.facts.Umask; x != y {
		out = append(out, change{what: "umask", text: fmt.Sprintf("%04o → %04o", x, y), means: kindUmask})
	}
	out = append(out, credentialChanges(g.facts.Credentials, b.facts.Credentials)...)
	for _, x := range g.facts.Limits {
		for _, y := range b.facts.Limits {
			if x.Name == y.Name && x.Soft != y.Soft {
				out = append(out, change{what: "limit " + x.Name, text: limitText(x.Soft) + " → " + limitText(y.Soft), means: kindLimit})
			}
		}
	}
	return out
}

func limitText(v uint64) string {
	if v == 1<<64-1 {
		return "unlimited"
	}
	return fmt.Sprint(v)
}

func argumentChange(x, y []string) string {
	var less, more []string
	for _, a := range x {
		if !slices.Contains(y, a) {
			less = append(less, a)
		}
	}
	for _, a := range y {
		if !slices.Contains(x, a) {
			more = append(more, a)
		}
	}
	if len(less)+len(more) == 0 {
		return "the same in another order or number"
	}
	none := func(s []string) string {
		if len(s) == 0 {
			return "nothing"
		}
		return clipText(strings.Join(s, " "), 80)
	}
	return none(less) + " → " + none(more)
}

func envChanges(x, y *tracepb.Process, canonG, canonB func(string) string) []change {
	if len(x.Env) == 0 || len(y.Env) == 0 {
		if x.EnvKnown && y.EnvKnown && x.EnvCount != y.EnvCount {
			return []change{{what: "environment", text: fmt.Sprintf("%d → %d variables", x.EnvCount, y.EnvCount), means: kindVariables}}
		}
		return nil
	}
	ex, ey := environment(x.Env), environment(y.Env)
	var names []string
	for n := range ex {
		names = append(names, n)
	}
	for n := range ey {
		if _, ok := ex[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var out []change
	for _, n := range names {
		vx, inX := ex[n]
		vy, inY := ey[n]
		if ownEnv[n] || inX && inY && (vx == vy || canonG(vx) == canonB(vy)) {
			continue
		}
		text := n + ": "
		switch {
		case !inX:
			text += "unset → " + clipText(vy, 60)
		case !inY:
			text += clipText(vx, 60) + " → unset"
		default:
			text += clipText(vx, 60) + " → " + clipText(vy, 60)
		}
		out = append(out, change{what: "environment", text: text, means: kindVariable, subject: n})
	}
	return out
}

func environment(list [][]byte) map[string]string {
	m := make(map[string]string, len(list))
	for _, v := range list {
		name, value, _ := strings.Cut(string(v), "=")
		m[name] = value
	}
	return m
}

func credentialChanges(x, y *tracepb.Credentials) []change {
	if x == nil || y == nil {
		return nil
	}
	var out []change
	num := func(what string, a, b uint32) {
		if a != b {
			out = append(out, change{what: what, text: fmt.Sprintf("%d → %d", a, b), means: kindCredentials})
		}
	}
	num("effective user", x.Euid, y.Euid)
	if x.Uid != y.Uid && x.Uid != x.Euid {
		num("real user", x.Uid, y.Uid)
	}
	num("effective group", x.Egid, y.Egid)
	if !slices.Equal(x.Groups, y.Groups) && x.Euid == y.Euid {
		out = append(out, change{what: "supplementary groups", text: fmt.Sprint(x.Groups, " → ", y.Groups), means: kindGroups})
	}
	if x.CapEffective != y.CapEffective && x.Euid == y.Euid {
		out = append(out, change{what: "effective capabilities", text: fmt.Sprintf("%#x → %#x", x.CapEffective, y.CapEffective), means: kindCredentials})
	}
	num("seccomp mode", x.Seccomp, y.Seccomp)
	if x.NoNewPrivs != y.NoNewPrivs {
		out = append(out, change{what: "no_new_privs", text: fmt.Sprint(x.NoNewPrivs, " → ", y.NoNewPrivs), means: kindPrivileges})
	}
	return out
}

func clipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
