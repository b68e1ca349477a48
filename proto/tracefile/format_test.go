package tracefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"sysreel/proto/tracepb"
)

// need skips the test where a program is missing, save in CI.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
}

// TestStandardTools looks into a trace with zstd and protoc.
func TestStandardTools(t *testing.T) {
	need(t, "zstd", "protoc")
	events := randomEvents(rand.New(rand.NewPCG(3, 3)), 3000)
	file := filepath.Join(t.TempDir(), "x.reel")
	if err := os.WriteFile(file, write(t, events, 1000, 500, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("zstd", "-t", file).CombinedOutput(); err != nil {
		t.Fatalf("zstd -t: %v\n%s", err, out)
	}
	content, err := exec.Command("zstd", "-dc", file).Output()
	if err != nil {
		t.Fatalf("zstd -dc: %v", err)
	}
	protoc := exec.Command("protoc", "--proto_path=../..", "--decode=sysreel.v1.Trace", "proto/trace.proto")
	protoc.Stdin = bytes.NewReader(content)
	text, err := protoc.Output()
	if err != nil {
		t.Fatalf("protoc --decode: %v", err)
	}
	for what, n := range map[string]int{"  header {": 1, "  block {": 3, "  detail {": 3, "  index {": 1, "  footer {": 1} {
		if got := strings.Count(string(text), "\n"+what+"\n"); got != n {
			t.Errorf("protoc printed %d of %q, want %d", got, what, n)
		}
	}
	// Every field that was written is in the schema: an unknown one prints as a number.
	for line := range strings.Lines(string(text)) {
		if f := strings.TrimSpace(line); f != "" && f[0] >= '0' && f[0] <= '9' {
			t.Fatalf("field without a name: %q", line)
		}
	}
}

// makeChunk makes a chunk, as a later version might.
func makeChunk(h chunkHeader, frames ...[]byte) []byte {
	enc, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true))
	if err != nil {
		panic(err)
	}
	b := make([]byte, headerSize)
	h.frames = uint8(len(frames))
	for i, f := range frames {
		n := len(b)
		b = enc.EncodeAll(f, b)
		h.frame[i] = frameSize{uint32(len(b) - n), uint32(len(f))}
	}
	return seal(h, b)
}

// seal puts a header with right checksums before the frames in b.
func seal(h chunkHeader, b []byte) []byte {
	h.crc = crc32.Checksum(b[headerSize:], crcTable)
	h.put((*[headerSize]byte)(b))
	return b
}

// renumber corrects the sequence numbers of a trace's chunks.
func renumber(trace []byte) []byte {
	trace = slices.Clone(trace)
	seq := uint32(0)
	for off := 0; off < len(trace); seq++ {
		var h chunkHeader
		if !h.get(trace[off:]) {
			panic("bad header")
		}
		h.seq = seq
		n := off + headerSize + h.size()
		copy(trace[off:n], seal(h, slices.Clone(trace[off:n])))
		off = n
	}
	return trace
}

// insert puts a chunk after the header chunk.
func insert(t *testing.T, trace, chunk []byte) []byte {
	ends, _ := chunkEnds(t, trace)
	return renumber(slices.Concat(trace[:ends[0]], chunk, trace[ends[0]:]))
}

func TestUnknownChunks(t *testing.T) {
	trace, events := smallTrace(t)
	var h chunkHeader
	h.get(trace)
	h.first = 1
	h.kind = 77
	got, rd := readGood(t, bytes.NewReader(insert(t, trace, makeChunk(h, []byte("anything"), []byte("else")))), events)
	if got != len(events) || rd.State() != Complete {
		t.Errorf("with a chunk of an unknown kind: %d events, %v: %s", got, rd.State(), rd.Warning())
	}
	h.kind = 77 | critical
	r, err := NewReader(bytes.NewReader(insert(t, trace, makeChunk(h, []byte("anything")))), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, ErrVersion) {
		t.Errorf("critical chunk of an unknown kind: %v, want ErrVersion", err)
	}
}

// TestUnknownFields adds fields to every message of a block.
func TestUnknownFields(t *testing.T) {
	trace, events := smallTrace(t)
	extra := func(b []byte) []byte {
		b = protowire.AppendTag(b, 1000, protowire.VarintType)
		b = protowire.AppendVarint(b, 1<<40)
		b = protowire.AppendTag(b, 1001, protowire.BytesType)
		b = protowire.AppendBytes(b, []byte("future"))
		b = protowire.AppendTag(b, 1002, protowire.Fixed64Type)
		b = protowire.AppendFixed64(b, 7)
		b = protowire.AppendTag(b, 1003, protowire.Fixed32Type)
		return protowire.AppendFixed32(b, 7)
	}
	var out []byte
	for off := 0; off < len(trace); {
		var h chunkHeader
		h.get(trace[off:])
		data := trace[off+headerSize : off+headerSize+h.size()]
		var frames [][]byte
		for i := range int(h.frames) {
			packed := data[:h.frame[i].packed]
			data = data[len(packed):]
			content, err := decoder().DecodeAll(packed, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := new(tracepb.Trace)
			if err := proto.Unmarshal(content, m); err != nil {
				t.Fatal(err)
			}
			addUnknown(m.Chunk[0].ProtoReflect(), extra(nil))
			m.Chunk[0].ProtoReflect().SetUnknown(nil) // a Chunk has one field
			if content, err = proto.Marshal(m); err != nil {
				t.Fatal(err)
			}
			frames = append(frames, content)
		}
		off += headerSize + h.size()
		out = append(out, makeChunk(h, frames...)...)
	}
	got, rd := readGood(t, bytes.NewReader(out), events)
	if got != len(events) || rd.State() != Complete {
		t.Errorf("%d events, %v: %s", got, rd.State(), rd.Warning())
	}
}

func TestNewer(t *testing.T) {
	trace, _ := smallTrace(t)
	major := slices.Clone(trace)
	var h chunkHeader
	h.get(major)
	h.major = 2
	h.put((*[headerSize]byte)(major))
	_, err := NewReader(bytes.NewReader(major), ReaderOptions{})
	if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("newer major version: %v", err)
	}

	for name, header := range map[string]*tracepb.Header{
		"feature 9": {Major: 1, RequiredFeatures: []uint32{9}},
		"format 3":  {Major: 3},
	} {
		content, err := proto.Marshal(&tracepb.Trace{Chunk: []*tracepb.Chunk{{Kind: &tracepb.Chunk_Header{Header: header}}}})
		if err != nil {
			t.Fatal(err)
		}
		h.major = 1
		if _, err := NewReader(bytes.NewReader(makeChunk(h, content)), ReaderOptions{}); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotTrace(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct{ data, want string }{
		"empty":  {"", "it is empty"},
		"text":   {"hello, wörld\n", "it looks like text"},
		"strace": {"1234 1700000000.123456 execve(\"/bin/ls\", [\"ls\"], 0x7ffe /* 9 vars */) = 0 <0.0005>\n", "strace's text"},
		"short":  {"read(3, \"\", 1) = 0\n", "strace's text"},
		"gzip":   {"\x1f\x8b\x08\x00abc", "gzip"},
		"zstd":   {"\x28\xb5\x2f\xfdabcd", "compressed with zstd"},
		"elf":    {"\x7fELF\x02\x01", "ELF"},
		"perf":   {"PERFILE2\x00\x00", "perf.data"},
		"zeros":  {"\x00\x00\x00\x00\x00", "zero bytes"},
		"other":  {"\x01\x02\x03\xff", "begins with bytes 01 02 03 ff"},
		"cut":    {"\x5c\x2a\x4d\x18\x60", "begins with bytes"},
	} {
		for _, pipe := range []bool{false, true} {
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, []byte(test.data), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			if pipe {
				_, err = NewReader(onlyReader{f}, ReaderOptions{})
			} else {
				_, err = NewReader(f, ReaderOptions{})
			}
			f.Close()
			if !errors.Is(err, ErrNotTrace) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %q", name, err, test.want)
			}
		}
	}
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := NewReader(d, ReaderOptions{}); !errors.Is(err, ErrNotTrace) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: %v", err)
	}
	trace, _ := smallTrace(t)
	if _, err := NewReader(bytes.NewReader(trace[:110]), ReaderOptions{}); !errors.Is(err, ErrNotTrace) || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("cut in the header: %v", err)
	}
}

// TestHeaderLayout holds the chunk header to the bytes of FORMAT.md.
func TestHeaderLayout(t *testing.T) {
	trace, events := smallTrace(t)
	le := binary.LittleEndian
	ends, kinds := chunkEnds(t, trace)
	if got := []chunkKind{kinds[0], kinds[1], kinds[len(kinds)-3], kinds[len(kinds)-2], kinds[len(kinds)-1]}; !slices.Equal(got,
		[]chunkKind{0x8001, 0x8002, 0x0003, 0x8004, 0x8005}) {
		t.Fatalf("kinds %x", got)
	}
	b := trace[ends[1]:ends[2]] // the second block
	frames := int(le.Uint32(b[40:]) + le.Uint32(b[48:]))
	switch {
	case le.Uint32(b) != 0x184D2A5C, le.Uint32(b[4:]) != 96, string(b[8:16]) != "\x89REEL\r\n\x1a",
		string(b[16:32]) != "0123456789abcdef", b[32] != 1, b[33] != 2, le.Uint16(b[34:]) != 0x8002,
		le.Uint32(b[36:]) != 2, frames != len(b)-104, le.Uint32(b[56:]) != 8, le.Uint32(b[60:]) != 0,
		le.Uint64(b[64:]) != 9, int64(le.Uint64(b[80:])) != events[15].End,
		le.Uint32(b[88:]) != uint32(ends[1]-ends[0]), le.Uint32(b[92:]) != 0:
		t.Errorf("header % x", b[:104])
	}
	first := events[8].Start
	for _, e := range events[8:16] {
		first = min(first, e.Start)
	}
	if int64(le.Uint64(b[72:])) != first {
		t.Errorf("earliest start %d, want %d", le.Uint64(b[72:]), first)
	}
	// The end mark leads back to the index.
	off := len(trace) - 104
	off -= int(le.Uint32(trace[off+88:]))
	if le.Uint16(trace[off+34:]) != 0x8004 {
		t.Error("no footer before the end mark")
	}
	off -= int(le.Uint32(trace[off+88:]))
	if le.Uint16(trace[off+34:]) != 0x0003 {
		t.Error("no index before the footer")
	}
}
