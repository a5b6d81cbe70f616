package cdk

import (
	"errors"
	"fmt"
	"io"
)

// PageSize is the unit in which stable memory grows, in bytes.
const PageSize = 64 << 10

// ErrStableFull is returned by [StableMemory.Grow] when the network refuses to give more.
var ErrStableFull = errors.New("stable memory cannot grow")

// StableMemory is the memory that survives upgrades: an array of bytes of up to 500 GiB, all zero
// at first. A message that traps changes nothing in it. Every 4 KiB page that is read or written
// costs (1,000 to 10,000 instructions), every call 20 instructions and one per byte.
type StableMemory struct{}

var (
	_ io.ReaderAt = StableMemory{}
	_ io.WriterAt = StableMemory{}
)

// Stable returns the canister's stable memory.
func Stable() StableMemory { return StableMemory{} }

// Pages returns the size in pages of [PageSize].
func (StableMemory) Pages() uint64 { return system.StableSize() }

// Size returns the size in bytes.
func (m StableMemory) Size() int64 { return int64(m.Pages() * PageSize) }

// Grow adds pages of zeros at the end. The error wraps [ErrStableFull].
func (m StableMemory) Grow(pages uint64) error {
	if !system.StableGrow(pages) {
		return fmt.Errorf("%w: %d pages of 64 KiB more than %d", ErrStableFull, pages, m.Pages())
	}
	return nil
}

// MustRead fills p from an offset. The message traps if that is not all inside the memory; who asks for the size before
// has what ReadAt does at half of its instructions.
func (StableMemory) MustRead(p []byte, offset uint64) { system.StableRead(p, offset) }

// MustWrite writes p at an offset. The message traps if that is not all inside the memory.
func (StableMemory) MustWrite(p []byte, offset uint64) { system.StableWrite(offset, p) }

// ReadAt implements [io.ReaderAt]. Beyond the end it reads what there is and returns io.EOF.
func (m StableMemory) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("stable memory: negative offset %d", offset)
	}
	n := m.clip(len(p), offset)
	if n > 0 {
		system.StableRead(p[:n], uint64(offset))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements [io.WriterAt]. It does not grow the memory: what does not fit is refused as a
// whole, with an error that wraps io.ErrShortWrite.
func (m StableMemory) WriteAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("stable memory: negative offset %d", offset)
	}
	if m.clip(len(p), offset) < len(p) {
		return 0, fmt.Errorf("stable memory: %d bytes at offset %d do not fit into %d: %w", len(p), offset, m.Size(), io.ErrShortWrite)
	}
	if len(p) > 0 {
		system.StableWrite(uint64(offset), p)
	}
	return len(p), nil
}

// clip returns how many of n bytes at the offset exist.
func (m StableMemory) clip(n int, offset int64) int {
	return int(max(0, min(int64(n), m.Size()-offset)))
}
