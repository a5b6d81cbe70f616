package kedge

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

// Computed again with integers, from the construction that kedge.did describes.
func TestContactWords(t *testing.T) {
	key := principal.SelfAuthenticating([]byte("new key"))
	message := append([]byte("\x0ekedge contacts\x00\x00\x00\x00\x00\x00\x27\x10\x1d"), key.Bytes()...)
	sum := sha256.Sum256(message)
	n := new(big.Int).SetBytes(sum[:])
	for i, place := range ContactWordsOf(10000, key) {
		shifted := new(big.Int).Rsh(n, uint(256-11*(i+1)))
		require.Equal(t, uint16(shifted.Uint64()&2047), place)
	}
	require.NotEqual(t, ContactWordsOf(10000, key), ContactWordsOf(10001, key))
	require.NotEqual(t, ContactWordsOf(10000, key), ContactWordsOf(10000, principal.SelfAuthenticating([]byte("another"))))
}
