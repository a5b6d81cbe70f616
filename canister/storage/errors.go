package storage

import (
	"errors"
	"fmt"
)

// ErrFull is wrapped by Allocate when the anchor range or stable memory is used up.
var ErrFull = errors.New("canister is full")

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

// CorruptedError names a structure whose bytes are not what was written there.
type CorruptedError struct {
	What   string // "anchor 10003", "superblock", "index node 7", …
	Detail string // what was found and what was expected
}

func (e *CorruptedError) Error() string {
	return fmt.Sprintf("%s is corrupted: %s", e.What, e.Detail)
}

func corrupted(what, format string, args ...any) error {
	return &CorruptedError{What: what, Detail: fmt.Sprintf(format, args...)}
}

// UnsupportedError says that a memory or record has a version that this build does not know.
type UnsupportedError struct {
	What    string
	Version int
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s has version %d, which this build does not know; install a newer one", e.What, e.Version)
}

func isCorrupted(err error) bool {
	var c *CorruptedError
	return errors.As(err, &c)
}

func isFull(err error) bool { return errors.Is(err, ErrFull) }

func asCorrupted(err error, c **CorruptedError) bool { return errors.As(err, c) }
