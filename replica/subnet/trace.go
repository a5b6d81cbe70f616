package subnet

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// trace is a running hash of all that rounds did: the instructions and balance after each step, every
// answer. Executing a log again must give the same trace, or the state is not the one that was
// acknowledged.
type trace struct {
	hash hash.Hash
}

// begin starts the trace of a round from that of the round before.
func (t *trace) begin(before [32]byte) {
	t.hash = sha256.New()
	t.hash.Write(before[:])
}

// add adds to the trace. A hash cannot fail.
func (t *trace) add(parts ...any) {
	if t.hash != nil {
		_, _ = fmt.Fprintln(t.hash, parts...)
	}
}

// end returns the trace after the round.
func (t *trace) end() (sum [32]byte) {
	t.hash.Sum(sum[:0])
	t.hash = nil
	return sum
}
