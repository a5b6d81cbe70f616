package spki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrapAgreesWithX509(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	algorithm, point, err := Unwrap(der)
	require.NoError(t, err)
	require.Len(t, point, 65)
	require.Equal(t, der, Wrap(algorithm, point))
}

func TestEveryLength(t *testing.T) {
	for _, n := range []int{0, 1, 100, 126, 127, 128, 254, 255, 256, 300, 40_000} {
		algorithm, key, err := Unwrap(Wrap([]byte{6, 1, 1}, make([]byte, n)))
		require.NoError(t, err, n)
		require.Equal(t, []byte{6, 1, 1}, algorithm)
		require.Len(t, key, n)
	}
}

func TestUnwrapRefuses(t *testing.T) {
	good := Wrap([]byte{6, 1, 1}, []byte{1, 2, 3})
	for name, der := range map[string][]byte{
		"empty":             nil,
		"cut":               good[:len(good)-1],
		"left over":         append(bytes.Clone(good), 0),
		"long form":         append([]byte{0x30, 0x81}, good[1:]...),
		"indefinite":        {0x30, 0x80, 0, 0},
		"huge":              {0x30, 0x84, 1, 0, 0, 0},
		"cut length":        {0x30, 0x82, 1},
		"unused bits":       bytes.Replace(good, []byte{3, 4, 0}, []byte{3, 4, 1}, 1),
		"empty bit string":  {0x30, 0x07, 0x30, 0x03, 6, 1, 1, 3, 0},
		"left over inside":  {0x30, 0x0b, 0x30, 0x03, 6, 1, 1, 3, 2, 0, 9, 5, 0},
		"no bit string":     {0x30, 0x05, 0x30, 0x03, 6, 1, 1},
		"not a sequence":    {0x31, 0x00},
		"no inner sequence": {0x30, 0x00},
	} {
		_, _, err := Unwrap(der)
		require.Error(t, err, name)
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add(Wrap([]byte{6, 1, 1}, []byte{1, 2, 3}))
	f.Add(Wrap([]byte{6, 1, 1}, make([]byte, 300)))
	f.Fuzz(func(t *testing.T, der []byte) {
		if algorithm, key, err := Unwrap(der); err == nil && !bytes.Equal(Wrap(algorithm, key), der) {
			t.Fatalf("%x is accepted, but not the DER of its parts", der)
		}
	})
}
