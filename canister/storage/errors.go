package storage

import (
	"errors"
	"fmt"

	"kedge/canister/storage/stable"
)

// The memory beneath and what is wrong with it, so that most users need this package alone.
type (
	// Memory is stable memory.
	Memory = stable.Memory
	// RAM is a memory for tests and host tools.
	RAM = stable.RAM
	// CorruptedError names a structure whose bytes are not what was written there.
	CorruptedError = stable.CorruptedError
)

// PageSize is the size of a page of stable memory in bytes.
const PageSize = stable.PageSize

// NewRAM returns an empty memory that grows to at most limit pages; 0 stands for the network's limit.
func NewRAM(limit uint64) *RAM { return stable.NewRAM(limit) }

// RAMOf returns a memory that holds a copy of image, rounded up to whole pages.
func RAMOf(image []byte) *RAM { return stable.RAMOf(image) }

// ErrFull is wrapped by Allocate when the anchor range or stable memory is used up.
var ErrFull = stable.ErrFull

// ErrNotKedge is wrapped by Open when the memory does not start with a superblock of Kedge.
var ErrNotKedge = errors.New("not a memory of Kedge")

// NotFoundError says that an anchor number lies in the range but was never given out.
type NotFoundError struct{ Anchor uint64 }

func (e *NotFoundError) Error() string { return fmt.Sprintf("bad Identity Anchor %d", e.Anchor) }

// OutOfRangeError says that an anchor number lies outside the range [Lo, Hi) of this canister.
type OutOfRangeError struct{ Anchor, Lo, Hi uint64 }

func (e *OutOfRangeError) Error() string {
	return fmt.Sprintf("Identity Anchor %d is out of range [%d, %d)", e.Anchor, e.Lo, e.Hi)
}

// UnsupportedError says that a memory or record has a version that this build does not know.
type UnsupportedError struct {
	What    string
	Version int
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s has version %d, which this build does not know; install a newer one", e.What, e.Version)
}
