package bignum_test

import (
	"math/big"
	"testing"

	"github.com/aviate-labs/agent-go/leb128"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/candid/wire"
	"kedge/candid/wire/bignum"
)

func decode(t require.TestingT, want wire.Ref, raw []byte, f func(*wire.Decoder, wire.Ref) *big.Int) *big.Int {
	args := []wire.Field{{Type: want}}
	d := wire.NewDecoder(append(wire.AppendHeader(nil, nil, args), raw...), nil, &wire.Signature{Args: args})
	w, _ := d.Arg()
	n := f(d, w)
	require.NoError(t, d.Finish())
	return n
}

// Numbers of any size come back, and their bytes are those of agent-go's codec.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "digits"))
		theirs, err := leb128.EncodeUnsigned(n)
		require.NoError(t, err)
		require.Equal(t, []byte(theirs), bignum.AppendNat(nil, n))
		require.Equal(t, n.String(), decode(t, wire.Nat, bignum.AppendNat(nil, n), bignum.Nat).String())

		if rapid.Bool().Draw(t, "negative") {
			n.Neg(n)
		}
		theirs, err = leb128.EncodeSigned(n)
		require.NoError(t, err)
		require.Equal(t, []byte(theirs), bignum.AppendInt(nil, n))
		require.Equal(t, n.String(), decode(t, wire.Int, bignum.AppendInt(nil, n), bignum.Int).String())
	})
}

// Every number near a change of length.
func TestEdges(t *testing.T) {
	for bits := range 80 {
		for d := int64(-2); d <= 2; d++ {
			n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(bits)), big.NewInt(d))
			for _, n := range []*big.Int{n, new(big.Int).Neg(n)} {
				theirs, err := leb128.EncodeSigned(n)
				require.NoError(t, err)
				require.Equal(t, []byte(theirs), bignum.AppendInt(nil, n), n)
				require.Equal(t, n.String(), decode(t, wire.Int, bignum.AppendInt(nil, n), bignum.Int).String())
			}
		}
	}
}

func TestNilIsZero(t *testing.T) {
	require.Equal(t, []byte{0}, bignum.AppendNat(nil, nil))
	require.Equal(t, []byte{0}, bignum.AppendInt(nil, nil))
	require.Panics(t, func() { bignum.AppendNat(nil, big.NewInt(-1)) })
}
