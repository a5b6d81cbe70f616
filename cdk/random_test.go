package cdk

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// RFC 8439, section A.1, test vectors 1 and 2: the key stream of the zero key, whose first 32 bytes
// become the key and the rest the output.
func TestGeneratorIsChaCha20(t *testing.T) {
	var g generator
	out := make([]byte, 64)
	g.read(out)
	require.Equal(t, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7", hex.EncodeToString(g.key[:]))
	require.Equal(t, "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"+
		"9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed", hex.EncodeToString(out))
}

func TestGeneratorErasesItsKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var g generator
		g.mix(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "entropy"))
		require.True(t, g.seeded)
		seen := map[[32]byte]bool{g.key: true}
		for range 5 {
			out := make([]byte, rapid.IntRange(0, 200).Draw(t, "size"))
			for i := range out {
				out[i] = 0xff // what was there must not show
			}
			before := g
			g.read(out)
			require.False(t, seen[g.key], "a key is used once")
			seen[g.key] = true
			again := make([]byte, len(out))
			before.read(again)
			require.Equal(t, out, again, "the same state draws the same")
		}
	})
}

func TestMixDependsOnBoth(t *testing.T) {
	var a, b, c generator
	a.mix([]byte("one"))
	b.mix([]byte("two"))
	require.NotEqual(t, a.key, b.key)
	c = b
	a.mix([]byte("three"))
	b.mix([]byte("three"))
	require.NotEqual(t, a.key, b.key, "mixing adds to what there was")
	require.NotEqual(t, c.key, b.key)
}
