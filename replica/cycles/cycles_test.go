package cycles_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/replica/cycles"
)

// TestAgainstBigIntegers holds every operation against big integers that saturate at the same bounds.
func TestAgainstBigIntegers(t *testing.T) {
	amount := rapid.Custom(func(t *rapid.T) cycles.Amount {
		return cycles.Amount{Hi: rapid.Uint64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := amount.Draw(t, "a"), amount.Draw(t, "b"), rapid.Uint64().Draw(t, "n")
		big64 := new(big.Int).SetUint64(n)
		require.Equal(t, cycles.FromBig(new(big.Int).Add(a.Big(), b.Big())), a.Plus(b))
		require.Equal(t, cycles.FromBig(new(big.Int).Sub(a.Big(), b.Big())), a.Minus(b))
		require.Equal(t, cycles.FromBig(new(big.Int).Mul(a.Big(), big64)), a.Times(n))
		if n != 0 {
			require.Equal(t, cycles.FromBig(new(big.Int).Quo(a.Big(), big64)), a.Over(n))
		}
		require.Equal(t, a.Big().Cmp(b.Big()) < 0, a.Less(b))
		require.Equal(t, a, cycles.FromBig(a.Big()))
	})
}

func TestLittleEndian(t *testing.T) {
	require.Equal(t, [16]byte{1, 15: 2}, cycles.Amount{Hi: 2 << 56, Lo: 1}.LittleEndian())
	require.Equal(t, "340282366920938463463374607431768211455", cycles.Max.String())
}
