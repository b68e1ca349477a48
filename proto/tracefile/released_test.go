package tracefile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sysreel/proto/tracepb"
)

// TestReleased reads the traces of every released version, with both readers.
func TestReleased(t *testing.T) {
	const dir = "../../testdata/traces"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no version is released yet:", err)
	}
	files, err := filepath.Glob(dir + "/*.reel")
	if err != nil || len(files) == 0 {
		t.Fatalf("no trace in %s (%v)", dir, err)
	}
	for _, file := range append(files, recordings(t)...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, rd := readAll(t, bytes.NewReader(data))
		if rd.State() != Complete || len(got) == 0 || uint64(len(got)) != rd.Footer().GetEvents() {
			t.Errorf("%s: %d events, footer says %d, %v %s", file, len(got), rd.Footer().GetEvents(), rd.State(), rd.Warning())
		}
		want, _, err := referenceRead(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d events, reference has %d", file, len(got), len(want))
		}
		for i := range got {
			if err := sameEvent(&got[i], &want[i]); err != nil {
				t.Fatalf("%s: event %d: %v", file, i+1, err)
			}
		}
	}
}

// TestForms asserts that the recordings that the two readers agree on use every
// form of columns and tables.
func TestForms(t *testing.T) {
	seen := map[string]int{}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	for _, file := range recordings(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		content, err := dec.DecodeAll(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		var m tracepb.Trace
		if err := proto.Unmarshal(content, &m); err != nil {
			t.Fatal(err)
		}
		countForms(m.ProtoReflect(), seen)
	}
	for _, form := range []string{
		"constant", "plain", "delta", "index", "plain low", "delta low", "delta by_thread", "delta by_thread low",
		"constant less_last", "delta less_last", "constant less_ret", "delta less_ret", "index less_ret",
		"words", "dirents", "data", "lengths", "strided slot", "parent",
	} {
		if seen[form] == 0 {
			t.Errorf("no column or table of form %q", form)
		}
	}
	t.Log(seen)
}

func countForms(m protoreflect.Message, seen map[string]int) {
	switch x := m.Interface().(type) {
	case *tracepb.Column:
		form := "constant"
		switch {
		case len(x.Plain) > 0:
			form = "plain"
		case len(x.Delta) > 0:
			form = "delta"
		case len(x.Index) > 0:
			form = "index"
		}
		if x.ByThread {
			form += " by_thread"
		}
		if x.LessLast {
			form += " less_last"
		}
		if x.LessRet {
			form += " less_ret"
		}
		if seen[form]++; x.Low != nil {
			seen[form+" low"]++
		}
		return
	case *tracepb.Table:
		switch {
		case x.Dirents != nil:
			seen["dirents"]++
		case len(x.Word) > 0:
			seen["words"]++
		case x.Size > 0:
			seen["data"]++
		default:
			seen["lengths"]++
		}
	case *tracepb.Slot:
		if x.Count > 1 {
			seen["strided slot"]++
		}
		if x.Parent > 0 {
			seen["parent"]++
		}
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				countForms(v.List().Get(i).Message(), seen)
			}
		default:
			countForms(v.Message(), seen)
		}
		return true
	})
}
