package delegation

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// The published vector: the salt of the genesis image among Internet Identity's test fixtures.
func vectorSalt(t testing.TB) *[32]byte {
	return (*[32]byte)(unhex(t, "4d7e3481726397f6676c832ac5c95328a7d48aa669b81c8877933208da64a2d0"))
}

func TestSeedAndKeyAreThoseOfInternetIdentity(t *testing.T) {
	seed, err := NewSeed(vectorSalt(t), 10030, "example.com")
	require.NoError(t, err)
	require.Equal(t, "3a8926914dd1c836ec67ba66ac6425c21dffd3ca5c5968855f87780a1ec57985", hex.EncodeToString(seed[:]))

	canister := unhex(t, "00000000000000000101")
	key := seed.AppendPublicKey(nil, canister)
	require.Equal(t, "303c300c060a2b0601040183b8430102032c000a00000000000000000101"+hex.EncodeToString(seed[:]), hex.EncodeToString(key))

	principal := sha256.Sum224(key)
	require.Equal(t, "15b61cbb6d58a374378dec6eba0beb291945fd0cfee4987d43694afb", hex.EncodeToString(principal[:]))
}

func TestSeedRefuses(t *testing.T) {
	_, err := NewSeed(&[32]byte{}, 10000, "example.com")
	require.ErrorIs(t, err, ErrNoSalt)
	_, err = NewSeed(vectorSalt(t), 10000, strings.Repeat("a", 256))
	require.EqualError(t, err, "frontend hostname 256 exceeds the limit of 255 bytes")
	_, err = NewSeed(vectorSalt(t), 1<<64-1, strings.Repeat("a", 255))
	require.NoError(t, err)
}

// The signature of a real build, with the assets' branch given as its pruned hash and the
// certificate stubbed.
func TestSignatureIsThatOfInternetIdentity(t *testing.T) {
	seed, err := NewSeed(vectorSalt(t), 10030, "example.com")
	require.NoError(t, err)
	now := uint64(1_700_000_000_000_000_000)
	m := NewMessage([]byte("dummykey"), 1_700_001_800_000_000_000)
	require.Equal(t, "991b614deca4497d52b5fbeab2632b5c5518c56a30f9d859ebaa7993b9cf9187", hex.EncodeToString(m[:]))

	s := New()
	s.Add(seed, m, now)
	assets := (*[32]byte)(unhex(t, "7f793087c625b5dde4437e10ad7c5cdb515746e0fdb731b02bb9dffd1d437716"))
	sig := s.sig()
	require.Equal(t, "56979eb2c3a3b4405e2b7b4a5adb7453d031ad33ccf7175fde0b2a86b875f164", hex.EncodeToString(sig[:]))
	root := s.Root(assets)
	require.Equal(t, "e21a4b92d7bc0dc2cb8e4d1bb88f2e0d0e71cdd2b3fc66629dc60c84eb020110", hex.EncodeToString(root[:]))

	signature, ok := s.Get(nil, seed, m, now, assets, unhex(t, "d9d9f7a0"))
	require.True(t, ok)
	require.Equal(t, "d9d9f7a2"+"6b6365727469666963617465"+"44d9d9f7a0"+"6474726565"+
		"8301"+"820458207f793087c625b5dde4437e10ad7c5cdb515746e0fdb731b02bb9dffd1d437716"+
		"830243736967"+"8302582072b54cb1ea9083ccf6c868bfa598455b97647a9d7a0a8dddb19593777a990c20"+
		"83025820991b614deca4497d52b5fbeab2632b5c5518c56a30f9d859ebaa7993b9cf9187"+"820340", hex.EncodeToString(signature))
}
