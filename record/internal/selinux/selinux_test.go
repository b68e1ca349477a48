//go:build linux

package selinux

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// policyIn writes a policy and returns its directory.
func policyIn(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const table = "contexts/files/file_contexts"

// The last pattern that fits counts, paths without a pattern before all patterns.
func TestContext(t *testing.T) {
	f, err := Open(policyIn(t, map[string]string{
		"config": "# a comment\nSELINUX=enforcing\nSELINUXTYPE=mls\n",
		"mls/" + table: `
# a comment
/.*			u:r:default_t:s0
/etc(/.*)?		u:r:etc_t:s0
/etc/passwd	--	u:r:passwd_t:s0
/etc/.*\.conf	--	u:r:conf_t:s0
/etc/a\.conf		u:r:a_t:s0
/dev/tty[0-9]+	-c	u:r:tty_t:s0
/(usr/)?bin/sh	-l	u:r:link_t:s0
/proc/.*		<<none>>
/home/[^/]+		-d	u:r:home_t:s0
/home/(?!x)y		u:r:lookaround_t:s0
`,
		"mls/" + table + ".homedirs":  "/home/root/.*\tu:r:rootfile_t:s0\n",
		"mls/" + table + ".local":     "/home/root/own\tu:r:own_t:s0\n",
		"mls/" + table + ".subs":      "/srv/home /users\n",
		"mls/" + table + ".subs_dist": "/users /home/\n/usr/lib64 /usr/lib\n/usr/lib64/x /etc\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		kind uint32
		want string
	}{
		{"/x", syscall.S_IFREG, "default_t"},
		{"/etc", syscall.S_IFDIR, "etc_t"},
		{"/etcetera", syscall.S_IFREG, "default_t"},
		{"/etc/passwd", syscall.S_IFREG, "passwd_t"},
		{"/etc/passwd", syscall.S_IFDIR, "etc_t"},
		{"/etc/b.conf", syscall.S_IFREG, "conf_t"},
		{"/etc/b\n.conf", syscall.S_IFREG, "conf_t"},
		{"/etc/a.conf", syscall.S_IFREG, "a_t"},
		{"/etc/aXconf", syscall.S_IFREG, "etc_t"},
		{"/dev/tty1", syscall.S_IFCHR, "tty_t"},
		{"/dev/tty1", syscall.S_IFBLK, "default_t"},
		{"/bin/sh", syscall.S_IFLNK, "link_t"},
		{"/usr/bin/sh", syscall.S_IFLNK, "link_t"},
		{"/proc/1", syscall.S_IFDIR, ""},
		{"/home/me", syscall.S_IFDIR, "home_t"},
		{"/home/y", syscall.S_IFREG, "default_t"}, // what the pattern needs is not to be had
		{"/home/root/f", syscall.S_IFREG, "rootfile_t"},
		{"/home/root/own", syscall.S_IFREG, "own_t"},
		{"/srv/home/me", syscall.S_IFDIR, "home_t"},
		{"/usr/lib64/x", syscall.S_IFDIR, "etc_t"},
		{"/usr/lib64x", syscall.S_IFDIR, "default_t"},
	} {
		if c.want != "" {
			c.want = "u:r:" + c.want + ":s0"
		}
		for range 2 { // it is remembered
			if got := f.Context(c.path, c.kind); got != c.want {
				t.Errorf("%q, kind %o: %q, want %q", c.path, c.kind, got, c.want)
			}
		}
	}
}

func TestOpenFails(t *testing.T) {
	if _, err := Open(t.TempDir()); !os.IsNotExist(err) {
		t.Errorf("no policy: %v", err)
	}
	for _, line := range []string{"/x", "/x -q c", "/x -- c d"} {
		if _, err := Open(policyIn(t, map[string]string{"targeted/" + table: line})); err == nil {
			t.Errorf("%q was taken", line)
		}
	}
	if got := Absent().Context("/x", 0); got != Unknown {
		t.Errorf("without a policy: %q", got)
	}
}

// Files are known by the path that they have in truth.
func TestExpected(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(policyIn(t, map[string]string{"targeted/" + table: dir + "/file -- f\n" + dir + "/link -l l\n" + dir + " -d d\n"}))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"link": "file", "dirlink": ".", "pipe": "pipe:[1]"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(file, filepath.Join(dir, "fd")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path   string
		follow bool
		want   string
	}{
		{"file", false, "f"}, {"link", false, "l"}, {"dirlink/link", false, "l"}, {"dirlink/", false, "d"},
		{"fd", true, "f"}, {"pipe", true, ""}, {"absent", false, ""}, {"absent", true, ""},
	} {
		if got := f.Expected(dir+"/"+c.path, c.follow); got != c.want {
			t.Errorf("%s, %v: %q, want %q", c.path, c.follow, got, c.want)
		}
	}
}
