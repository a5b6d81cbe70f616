package pubkey

import (
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func onCurve(x, y []byte) bool {
	_, err := ecdh.P256().NewPublicKey(append(append([]byte{4}, x...), y...))
	return err == nil
}

func anyCoordinate(t *rapid.T, name string) (b [32]byte) {
	p := elliptic.P256().Params().P
	n := new(big.Int)
	switch rapid.IntRange(0, 3).Draw(t, name+" is") {
	case 0: // near the prime, or 2^256
		n.Sub(p, big.NewInt(rapid.Int64Range(-5, 5).Draw(t, name+" from the prime")))
	case 1: // words of all zeros and all ones
		for range 8 {
			n.Lsh(n, 32).Add(n, big.NewInt(rapid.SampledFrom([]int64{0, 1, word, word - 1, 1 << 31}).Draw(t, name+" word")))
		}
	default:
		n.SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
	}
	n.And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)))
	n.FillBytes(b[:])
	return b
}

// The oracle is crypto/ecdh.
func TestP256AgainstTheLibrary(t *testing.T) {
	curve := elliptic.P256().Params()
	rapid.Check(t, func(t *rapid.T) {
		x, y := anyCoordinate(t, "x"), anyCoordinate(t, "y")
		require.Equal(t, onCurve(x[:], y[:]), onP256(&x, &y))

		// The two points with that x, if there are any, and one that is off by a bit.
		n := new(big.Int).SetBytes(x[:])
		right := new(big.Int).Exp(n, big.NewInt(3), curve.P)
		right.Sub(right, n.Mul(n, big.NewInt(3))).Add(right, curve.B).Mod(right, curve.P)
		root := new(big.Int).ModSqrt(right, curve.P)
		if root == nil {
			return
		}
		for _, candidate := range []*big.Int{root, new(big.Int).Sub(curve.P, root), new(big.Int).Add(curve.P, root)} {
			if candidate.BitLen() > 256 {
				continue
			}
			candidate.FillBytes(y[:])
			require.Equal(t, onCurve(x[:], y[:]), onP256(&x, &y))
			y[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			require.Equal(t, onCurve(x[:], y[:]), onP256(&x, &y))
		}
	})
	for range 200 {
		key, err := ecdh.P256().GenerateKey(rand.Reader)
		require.NoError(t, err)
		point := key.PublicKey().Bytes()
		require.True(t, onP256((*[32]byte)(point[1:]), (*[32]byte)(point[33:])))
	}
}

// A remainder is below the prime whatever the words are.
func TestReduceP256(t *testing.T) {
	p := elliptic.P256().Params().P
	rapid.Check(t, func(t *rapid.T) {
		var c wide
		want := new(big.Int)
		for i := 15; i >= 0; i-- {
			v := rapid.Int64Range(-4*word, 4*word).Draw(t, "word")
			if rapid.Bool().Draw(t, "extreme") {
				v = rapid.SampledFrom([]int64{-word, 0, word, 4 * word}).Draw(t, "extreme word")
			}
			c[i] = uint64(v)
			want.Lsh(want, 32).Add(want, big.NewInt(v))
		}
		got := new(big.Int)
		r := reduceP256(&c)
		for i := 7; i >= 0; i-- {
			require.LessOrEqual(t, r[i], uint64(word))
			got.Lsh(got, 32).Add(got, new(big.Int).SetUint64(r[i]))
		}
		require.Equal(t, want.Mod(want, p).String(), got.String())
	})
}

// The quick look at usual keys says what the parser says.
func TestPlainKeysAgainstTheParser(t *testing.T) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	point := key.PublicKey().Bytes()
	es256 := append([]byte(plainES256), point[1:33]...)
	es256 = append(append(es256, plainES256Y...), point[33:]...)
	ed25519 := append([]byte(plainEd25519), make([]byte, 32)...)
	require.True(t, isPlainES256(es256))
	require.True(t, isPlainEd25519(ed25519))
	require.NoError(t, Check(es256))
	require.NoError(t, Check(ed25519))
	require.Zero(t, testing.AllocsPerRun(10, func() {
		_ = Check(es256)
		_, _, _ = Canister(es256)
		_ = Check(ed25519)
	}))
	for _, plain := range [][]byte{es256, ed25519} {
		for i := range plain {
			for _, flip := range []byte{1, 0x80, 0xff} {
				changed := append([]byte{}, plain...)
				changed[i] ^= flip
				got, want := Check(changed), check(changed)
				require.Equal(t, want == nil, got == nil, "byte %d", i)
				if want != nil {
					require.Equal(t, want.Error(), got.Error())
				}
			}
		}
		require.Error(t, Check(plain[:len(plain)-1]))
		require.Error(t, Check(append(plain[:len(plain):len(plain)], 0)))
	}
}
