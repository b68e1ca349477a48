//go:build linux && (amd64 || arm64)

package capture

import (
	"hash/crc32"

	"sysreel/proto/syscalls"
)

// A fingerprint tells reads apart of which the bytes kept are the same. What it
// covers beyond those is read in the same fetch, into space of the Capturer's.

// castagnoli is the polynomial for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fingerprinted are the calls whose data may have one. What is received comes in
// pieces, as it happens to.
func fingerprinted(d *syscalls.Desc) bool {
	switch d.Name {
	case "read", "pread64", "readv", "preadv", "preadv2":
		return true
	}
	return false
}

// coverage returns how many bytes of what a call has read are to be covered. Whole
// pages are pieces of a large file as a rule: of each only the beginning.
func (c *Capturer) coverage(ret int64) int {
	if ret%pageSize == 0 {
		return min(c.Fingerprint, c.FingerprintPages)
	}
	return c.Fingerprint
}

// cover makes room for a piece of data, as far as it is to be covered.
func (c *Capturer) cover(q *piece) {
	q.place = len(c.whole)
	q.whole = int(min(q.want, uint64(max(c.covered-q.place, 0))))
	c.whole = grow(c.whole, q.whole)
}

// addRest asks for what is covered and not kept of the pieces from index from on.
func (c *Capturer) addRest(from int, call *Call) {
	for k := from; k < len(c.pieces) && call.Whole; k++ {
		if q := &c.pieces[k]; !q.done && q.whole > int(q.keep) {
			if c.mem.n == maxPieces {
				call.Whole = false
				return
			}
			c.mem.add(q.addr+q.keep, c.whole[q.place+int(q.keep):q.place+q.whole])
		}
	}
}

// takeRest checks that it was read. It stands behind what else was asked for.
func (c *Capturer) takeRest(from int, call *Call) {
	n := len(c.asked)
	for k := from; k < len(c.pieces) && call.Whole; k++ {
		if q := &c.pieces[k]; !q.done && q.whole > int(q.keep) {
			call.Whole = int(c.got[n]) == q.whole-int(q.keep)
			n++
		}
	}
}

// fingerprint returns the fingerprint of a call whose data was read, 0 if it is
// kept whole, could not be read or must not have one.
func (c *Capturer) fingerprint(call *Call) uint16 {
	more := false
	for k := range c.pieces {
		q := &c.pieces[k]
		if q.whole == 0 {
			continue
		}
		if q.faulted {
			return 0
		}
		more = more || q.whole > int(q.keep)
		copy(c.whole[q.place:q.place+q.whole], call.data[q.at:q.at+q.got])
	}
	if !more || hasKeyHead(c.whole) {
		return 0
	}
	sum := crc32.Checksum(c.whole, castagnoli)
	if v := uint16(sum) + uint16(sum>>16); v != 0 {
		return v
	}
	return 1<<16 - 1
}

// keyHead is in the first line of a PEM private key, of whatever kind. Data with
// it has no fingerprint.
const keyHead = "PRIVATE KEY-----"

// keySkip is how far one may go on from a byte that is not where keyHead ends
// (Horspool's search): package bytes takes ten times as long in text that has
// words like it.
var keySkip = func() (t [256]uint8) {
	for i := range t {
		t[i] = uint8(len(keyHead))
	}
	for i := range len(keyHead) - 1 {
		t[keyHead[i]] = uint8(len(keyHead) - 1 - i)
	}
	return t
}()

func hasKeyHead(b []byte) bool {
	for end := len(keyHead); end <= len(b); end += int(keySkip[b[end-1]]) {
		if string(b[end-len(keyHead):end]) == keyHead {
			return true
		}
	}
	return false
}
