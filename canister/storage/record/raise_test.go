package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/canister/storage/anchortest"
)

// Raising a record equals reading it and writing it in the new version.
func TestRaiseEqualsReadAndWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, err := Append(nil, anchortest.AsVersion1(anchortest.Random(t, 10000)), Version1, nil)
		require.NoError(t, err)
		var a identity.Anchor
		_, err = Decode(old, Version1, &a)
		require.NoError(t, err)
		want, err := Append(nil, &a, Version2, nil)
		require.NoError(t, err)
		got, ok := Raise(nil, old)
		require.True(t, ok)
		require.Equal(t, want, got)
		_, ok = Raise(nil, old[:len(old)-1])
		require.False(t, ok)
	})
}
