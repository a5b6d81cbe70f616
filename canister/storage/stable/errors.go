package stable

import (
	"errors"
	"fmt"
)

// ErrFull is wrapped where a number, a region or stable memory is used up.
var ErrFull = errors.New("canister is full")

// CorruptedError names a structure whose bytes are not what was written there.
type CorruptedError struct {
	What   string // "anchor 10003", "superblock", "index node 7", …
	Detail string // what was found and what was expected
}

func (e *CorruptedError) Error() string {
	return fmt.Sprintf("%s is corrupted: %s", e.What, e.Detail)
}

// Corrupted makes a [CorruptedError].
func Corrupted(what, format string, args ...any) error {
	return &CorruptedError{What: what, Detail: fmt.Sprintf(format, args...)}
}

// IsCorrupted tells whether an error is a [CorruptedError], or wraps one.
func IsCorrupted(err error) bool {
	var c *CorruptedError
	return errors.As(err, &c)
}
