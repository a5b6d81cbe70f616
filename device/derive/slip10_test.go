package derive

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// The vectors are those of SLIP-0010 itself; two of them take a step again.
func TestP256(t *testing.T) {
	const seed = "000102030405060708090a0b0c0d0e0f"
	tests := []struct {
		name, seed string
		path       []uint32
		key        string
	}{
		{"master", seed, nil, "612091aaa12e22dd2abef664f8a01a82cae99ad7441b7ef8110424915c268bc2"},
		{"before a retry", seed, []uint32{28578 | Hardened}, "06f0db126f023755d0b8d86d4591718a5210dd8d024e3e14b6159d63f53aa669"},
		{"retry of a child", seed, []uint32{28578 | Hardened, 33941}, "092154eed4af83e078ff9b84322015aefe5769e31270f62c3f66c33888335f3a"},
		{"retry of the master", "a7305bc8df8d0951f0cb224c0e95d7707cbdf2c6ce7e8d481fec69c7ff5e9446", nil,
			"3b8c18469a4634517d6d0b65448f8e6c62091b45540a1743c5846be55d47d88f"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			key, err := P256(unhex(t, tc.seed), tc.path...)
			require.NoError(t, err)
			private, err := key.Bytes()
			require.NoError(t, err)
			require.Equal(t, tc.key, hex.EncodeToString(private))
		})
	}
	key, err := P256(unhex(t, seed))
	require.NoError(t, err)
	require.Equal(t, "0266874dc6ade47b3ecd096745ca09bcd29638dd52c2c12117b11ed3e458cfa9e8",
		hex.EncodeToString(elliptic.MarshalCompressed(elliptic.P256(), key.X, key.Y)))
}

func TestEd25519(t *testing.T) {
	key, err := Ed25519(unhex(t, "000102030405060708090a0b0c0d0e0f"), Hardened, 1|Hardened, 2|Hardened, 2|Hardened, 1000000000|Hardened)
	require.NoError(t, err)
	require.Equal(t, "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793", hex.EncodeToString(key.Seed()))
	require.Equal(t, "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
		hex.EncodeToString(key.Public().(ed25519.PublicKey)))
}

func TestEd25519RefusesStep(t *testing.T) {
	_, err := Ed25519(make([]byte, 16), 44|Hardened, 7)
	require.EqualError(t, err, "step 7 of a path is not hardened, Ed25519 has no such step")
}

func TestDeriveRefusesSeed(t *testing.T) {
	for _, size := range []int{0, 15, 65} {
		_, err := Ed25519(make([]byte, size))
		require.ErrorContains(t, err, "a SLIP-0010 seed has 16 to 64 bytes")
		_, err = P256(make([]byte, size))
		require.ErrorContains(t, err, "a SLIP-0010 seed has 16 to 64 bytes")
	}
}

// addModOrder has to agree with math/big, at the borders above all.
func TestAddModOrder(t *testing.T) {
	n := elliptic.P256().Params().N
	top := new(big.Int).Lsh(big.NewInt(1), 256)
	near := []*big.Int{big.NewInt(0), n, top, new(big.Int).Rsh(n, 1)}
	number := rapid.Custom(func(t *rapid.T) *big.Int {
		if rapid.Bool().Draw(t, "anywhere") {
			return new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "bytes"))
		}
		v := new(big.Int).Add(rapid.SampledFrom(near).Draw(t, "near"), big.NewInt(rapid.Int64Range(-3, 3).Draw(t, "offset")))
		return v.Mod(v, top)
	})
	rapid.Check(t, func(t *rapid.T) {
		k := new(big.Int).Mod(number.Draw(t, "k"), n)
		il := number.Draw(t, "il")
		got, ok := addModOrder(readScalar(k.FillBytes(make([]byte, 32))), readScalar(il.FillBytes(make([]byte, 32))))
		want := new(big.Int).Add(k, il)
		want.Mod(want, n)
		require.Equal(t, il.Cmp(n) < 0 && want.Sign() != 0, ok)
		if ok {
			require.Equal(t, want.FillBytes(make([]byte, 32)), got.bytes())
			_, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), got.bytes())
			require.NoError(t, err)
		}
	})
}
