package bech32

import (
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// age writes the text of a key again from its bytes, by code of its own.
func TestEncodeAgreesWithAge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		text, err := Encode("age-secret-key-", key)
		require.NoError(t, err)
		identity, err := age.ParseX25519Identity(strings.ToUpper(text))
		require.NoError(t, err)
		require.Equal(t, strings.ToUpper(text), identity.String())
	})
}

// Valid strings of BIP-173.
func TestEncodeVectors(t *testing.T) {
	for want, in := range map[string]struct {
		prefix string
		data   []byte
	}{
		"a12uel5l": {"a", nil},
		"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs": {"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio", nil},
	} {
		got, err := Encode(in.prefix, in.data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, prefix := range []string{"", "A", "a b", strings.Repeat("a", 84)} {
		_, err := Encode(prefix, nil)
		require.Error(t, err)
	}
}
