package diff

import "testing"

func TestNames(t *testing.T) {
	rs, _ := newRuleSet(nil)
	n := newNames(rs, []root{{"/srv/app-new", "/srv/app"}})
	n.addPID(4321)
	n.created("/tmp/ccQ4x7Zb.s", true)
	n.created("/tmp/tmpab3d_x9k", true)
	n.created("/w/.git/objects/tmp_obj_Xk3v9A", false)
	n.created("/w/.git/index.lock", false) // exclusive, but a name
	for _, c := range []struct{ in, want string }{
		{"/etc/passwd", "/etc/passwd"},
		{"/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"},
		{"/tmp/ccQ4x7Zb.s", "/tmp/<temp>.s"},
		{"/tmp/tmpab3d_x9k/f", "/tmp/<temp>/f"},
		{"/w/.git/objects/tmp_obj_Xk3v9A", "/w/.git/objects/tmp_obj_<temp>"},
		{"/w/.git/index.lock", "/w/.git/index.lock"},
		{"/proc/4321/status", "/proc/<pid>/status"},
		{"/proc/77/maps", "/proc/<pid>/maps"},
		{"/proc/self/maps", "/proc/self/maps"},
		{"/run/app.4321.sock", "/run/app.<pid>.sock"},
		{"/w/.git/objects/ab/cdef0123456789abcdef0123456789abcdef01", "/w/.git/objects/<hex>/<hex>"},
		{"/w/.git/objects/ec", "/w/.git/objects/<hex>"},
		{"/w/.git/objects/ec/tmp_obj_Xk3v9A", "/w/.git/objects/<hex>/tmp_obj_<temp>"},
		{"/cache/0a/0a23456789abcdef0123456789abcdef-d", "/cache/<hex>/<hex>-d"},
		{"/locale/de/LC_MESSAGES/x.mo", "/locale/de/LC_MESSAGES/x.mo"},
		{"/c/123e4567-e89b-12d3-a456-426614174000.json", "/c/<uuid>.json"},
		{"/log/app-1700000000.log", "/log/app-<n>.log"},
		{"/srv/app-new/conf", "/srv/app/conf"},
		{"/srv/app-newer/conf", "/srv/app-newer/conf"},
		{"/dev/pts/3", "/dev/pts/<n>"},
		{"/usr/share/zoneinfo/Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"},
		{"deadbeef", "deadbeef"}, // a word as likely as a hash
		{"-o /tmp/ccQ4x7Zb.s", "-o /tmp/<temp>.s"},
	} {
		if got := n.path(c.in); got != c.want {
			t.Errorf("path(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// A rule that is off must leave names as they are.
func TestRandomLooking(t *testing.T) {
	for s, want := range map[string]bool{
		"SBvmca": true, "Q4x7Zb": true, "a1b2c3": true, "12345678": true,
		"config": false, "README": false, "Makefile": false, "build01": false, "output": false,
	} {
		if randomLooking(s) != want {
			t.Errorf("randomLooking(%q) = %v", s, !want)
		}
	}
}

func TestNamesWithoutRules(t *testing.T) {
	for _, c := range []struct{ rule, in string }{
		{ruleUUID, "/c/123e4567-e89b-12d3-a456-426614174000.json"},
		{ruleHex, "/o/0123456789abcdef0123456789abcdefabcdefab"},
		{ruleNumber, "/log/app-1700000000.log"},
		{rulePID, "/proc/4321/status"},
		{ruleTemp, "/tmp/ccQ4x7Zb.s"},
		{ruleRoot, "/srv/new/conf"},
	} {
		make := func(off ...string) string {
			rs, err := newRuleSet(off)
			if err != nil {
				t.Fatal(err)
			}
			n := newNames(rs, []root{{"/srv/new", "/srv/old"}})
			n.addPID(4321)
			n.created("/tmp/ccQ4x7Zb.s", true)
			return n.path(c.in)
		}
		others := []string{c.rule}
		if c.rule == ruleUUID || c.rule == ruleHex {
			others = []string{ruleUUID, ruleHex, ruleNumber}
		}
		if got := make(others...); got != c.in {
			t.Errorf("without %s: path(%q) = %q", c.rule, c.in, got)
		}
		if got := make(); got == c.in {
			t.Errorf("with %s: path(%q) is unchanged", c.rule, c.in)
		}
	}
	if _, err := newRuleSet([]string{"pids"}); err == nil {
		t.Error("an unknown rule was accepted")
	}
}
