package cross

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"sysreel/proto/syscalls"
	"sysreel/proto/tracefile"
	"sysreel/proto/world"
)

// Pair returns an event twice: as it might have been recorded on AMD64, and on
// the architecture to. The text of both is to be the same but for the names in
// [Twins].
func Pair(e tracefile.Event, to syscalls.Arch) (here, there tracefile.Event, err error) {
	here = Generic(e)
	if there, err = Convert(here, to); err != nil {
		return here, there, err
	}
	if to.PtrSize() == 4 {
		here, err = Narrow(here)
	}
	return here, there, err
}

// Dropped is a call that could not be translated.
type Dropped struct {
	Event uint64 // its number
	Err   error
}

// Rewrite writes a trace of AMD64 twice, as [Pair] has its events, but for those
// that cannot be translated. The UUID and all times stay.
func Rewrite(r *tracefile.Reader, here, there io.Writer, to syscalls.Arch) ([]Dropped, error) {
	var writers [2]*tracefile.Writer
	for i, w := range []io.Writer{here, there} {
		h := proto.CloneOf(r.Header())
		if i == 1 && h.Machine != nil {
			h.Machine.Arch = map[syscalls.Arch]string{syscalls.ARM64: "aarch64", syscalls.I386: "i686"}[to]
		}
		var err error
		if writers[i], err = tracefile.NewWriter(w, h, tracefile.WriterOptions{Tracker: world.New()}); err != nil {
			return nil, err
		}
	}
	var dropped []Dropped
	for {
		chunk, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		var block tracefile.Block
		if err := chunk.Block(&block); err != nil {
			return nil, err
		}
		var inFlight [2][]tracefile.Event
		for _, e := range block.InFlight {
			if a, b, err := Pair(e, to); err == nil {
				inFlight[0], inFlight[1] = append(inFlight[0], a), append(inFlight[1], b)
			}
		}
		for i := range block.Events {
			var e tracefile.Event
			block.Event(i, &e)
			a, b, err := Pair(e, to)
			if err != nil {
				dropped = append(dropped, Dropped{e.Num, err})
				continue
			}
			for i, e := range []*tracefile.Event{&a, &b} {
				if err := writers[i].Add(e); err != nil {
					return nil, fmt.Errorf("event %d: %w", e.Num, err)
				}
			}
		}
		for i, w := range writers {
			if err := w.Flush(inFlight[i]); err != nil {
				return nil, err
			}
		}
	}
	for _, w := range writers {
		f := proto.CloneOf(r.Footer())
		f.Losses = nil
		if err := w.Close(f); err != nil {
			return nil, err
		}
	}
	return dropped, nil
}
