package signature

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/internal/spki"
)

// Whatever an honest signer makes verifies, and nothing else of it.
func TestEd25519AgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := ed25519.NewKeyFromSeed(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		public := key.Public().(ed25519.PublicKey)
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		signature := ed25519.Sign(key, message)
		require.True(t, verifyEd25519(public, message, signature))
		signature[rapid.IntRange(0, 63).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		require.Equal(t, ed25519.Verify(public, message, signature), verifyEd25519(public, message, signature))
	})
}

// pointsOfSmallOrder are the encodings, canonical or not, of the points whose order divides eight (ZIP 215).
var pointsOfSmallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000", // neutral
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}

// The table of ZIP 215: with s = 0 every pair of points of small order is a key and a signature of any message,
// the neutral key among them.
func TestEd25519OfSmallOrder(t *testing.T) {
	v := &Verifier{}
	for _, a := range pointsOfSmallOrder {
		key, err := hex.DecodeString(a)
		require.NoError(t, err)
		der := spki.Wrap(algEd25519, key)
		for _, r := range pointsOfSmallOrder {
			signature, err := hex.DecodeString(r)
			require.NoError(t, err)
			signature = append(signature, make([]byte, 32)...)
			require.NoError(t, v.Verify(der, []byte("Zcash"), signature), "key %s, R %s", a, r)
			signature[32] = 1
			require.ErrorIs(t, v.Verify(der, []byte("Zcash"), signature), ErrMismatch)
		}
	}
}

// A scalar that is not less than the order is refused, and so is a key that is no point.
func TestEd25519Refuses(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := key.Public().(ed25519.PublicKey)
	signature := ed25519.Sign(key, nil)
	order, err := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	require.NoError(t, err)
	carry := 0
	for i := range order {
		sum := int(signature[32+i]) + int(order[i]) + carry
		signature[32+i], carry = byte(sum), sum>>8
	}
	require.False(t, verifyEd25519(public, nil, signature))
	noPoint := append([]byte{2}, make([]byte, 31)...)
	_, err = new(edwards25519.Point).SetBytes(noPoint)
	require.Error(t, err)
	require.False(t, verifyEd25519(noPoint, nil, ed25519.Sign(key, nil)))
}
