//go:build linux && (amd64 || arm64)

package ptrace

import "testing"

// The controller has the number that never changes (GENL_ID_CTRL), and no two
// families have the same.
func TestFamilies(t *testing.T) {
	names := make(map[uint16]string)
	for _, f := range Families() {
		if was, twice := names[f.ID]; twice || f.Name == "" {
			t.Errorf("family %d is %q and %q", f.ID, was, f.Name)
		}
		names[f.ID] = f.Name
	}
	if names[16] != "nlctrl" {
		t.Errorf("families: %v", names)
	}
}

func TestFamilyOf(t *testing.T) {
	for attrs, want := range map[string]Family{
		"":                                 {},
		"\x06\x00\x01\x00\x1b\x00\x00\x00": {ID: 27},
		"\x06\x00\x01\x00\x1b\x00\x00\x00\x08\x00\x02\x00abc\x00": {27, "abc"},
		"\x08\x00\x02\x00abcd": {Name: "abcd"},
		"\x09\x00\x02\x00abcd": {}, // goes on behind the end
		"\x03\x00\x02\x00abcd": {},
		"\x05\x00\x01\x00\x1b": {},
	} {
		if got := familyOf([]byte(attrs)); got != want {
			t.Errorf("%q: %v, not %v", attrs, got, want)
		}
	}
}
