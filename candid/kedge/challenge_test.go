package kedge

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

func TestChallengeFor(t *testing.T) {
	canister := principal.Canister(7)
	nonce := [NonceSize]byte(bytes.Repeat([]byte{9}, NonceSize))
	want := sha256.Sum256([]byte("\x11kedge attestation" + "\x0a\x00\x00\x00\x00\x00\x00\x00\x07\x01\x01" +
		"\x00\x00\x00\x00\x00\x00\x27\x10" + "\x00\x03key" + "\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09"))
	require.Equal(t, want, ChallengeFor(canister, 10_000, []byte("key"), nonce))

	for name, other := range map[string][sha256.Size]byte{
		"canister": ChallengeFor(principal.Canister(8), 10_000, []byte("key"), nonce),
		"anchor":   ChallengeFor(canister, 10_001, []byte("key"), nonce),
		"key":      ChallengeFor(canister, 10_000, []byte("kex"), nonce),
		"nonce":    ChallengeFor(canister, 10_000, []byte("key"), [NonceSize]byte{}),
	} {
		require.NotEqual(t, want, other, name)
	}
}
