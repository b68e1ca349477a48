package format

import (
	"math/rand/v2"
	"testing"
)

// Eight bytes are looked at at once; each byte must be seen at each place.
func TestPlainRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for c := range 256 {
		plain := c >= ' ' && c < 0x7f && c != '"' && c != '\\'
		for at := range 20 {
			data := make([]byte, 20)
			for i := range data {
				for data[i] < ' ' || data[i] >= 0x7f || data[i] == '"' || data[i] == '\\' {
					data[i] = byte(rng.Uint32())
				}
			}
			data[at] = byte(c)
			want := at
			if plain {
				want = len(data)
			} else {
				for i := at + 1; i < len(data); i++ { // what follows is of any kind
					data[i] = byte(rng.Uint32())
				}
			}
			if n := plainRun(data); n != want {
				t.Fatalf("plainRun(%q) is %d, want %d", data, n, want)
			}
		}
	}
}
