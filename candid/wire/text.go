//go:build !wasip1

package wire

// NewText returns a new text, for an opt.
func NewText() *string { return new(string) }
