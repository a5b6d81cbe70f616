package link

import (
	"fmt"
	"sort"

	"kedge/wasm"
)

// maxGap is how many zero bytes between two segments are cheaper written out than left out: a
// segment of its own costs about nine bytes, but all that reads a module pays per segment, and
// compression makes nothing of zeros.
const maxGap = 32

// mergeData joins the data segments: Go leaves out every run of eight zeros and more, which makes
// tens of thousands of segments.
func (l *linker) mergeData() error {
	type piece struct {
		offset uint64
		bytes  []byte
	}
	pieces := make([]piece, 0, len(l.m.Data))
	for i, d := range l.m.Data {
		offset, err := constantOffset(d)
		if err != nil {
			return fmt.Errorf("data segment %d: %w", i, err)
		}
		own := i >= l.goData
		if !own && offset < scratchEnd {
			return fmt.Errorf("the module has data at address %d, below %d, which Go leaves free", offset, scratchEnd)
		}
		if len(d.Bytes) > 0 {
			pieces = append(pieces, piece{uint64(offset), d.Bytes})
		}
	}
	sort.Slice(pieces, func(i, j int) bool { return pieces[i].offset < pieces[j].offset })
	var merged []wasm.Data
	end := uint64(0) // of the last segment
	for i, p := range pieces {
		switch {
		case p.offset < end:
			return fmt.Errorf("data segments overlap at address %d", p.offset)
		case i > 0 && p.offset-end <= maxGap:
			last := &merged[len(merged)-1]
			last.Bytes = append(append(last.Bytes, make([]byte, p.offset-end)...), p.bytes...)
		default:
			merged = append(merged, wasm.Data{Offset: wasm.ConstI32(int32(p.offset)), Bytes: append([]byte(nil), p.bytes...)})
		}
		end = p.offset + uint64(len(p.bytes))
	}
	l.m.Data = merged
	l.m.DataCount = false
	return nil
}

// constantOffset returns the address of an active segment.
func constantOffset(d wasm.Data) (uint32, error) {
	in := wasm.Walk(d.Offset)
	if d.Mode != wasm.Active || d.Memory != 0 || !in.Next() || in.Op != wasm.OpI32Const {
		return 0, fmt.Errorf("it is not active with a constant offset")
	}
	return uint32(in.Const), in.Err()
}
