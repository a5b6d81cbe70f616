package storage

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
)

// Raising a record equals reading it and writing it in the new version.
func TestRaiseEqualsReadAndWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, err := appendRecord(nil, asVersion1(anyAnchor(t, 10000)), record1, nil)
		require.NoError(t, err)
		var a identity.Anchor
		_, err = decodeRecord(old, record1, &a)
		require.NoError(t, err)
		want, err := appendRecord(nil, &a, record2, nil)
		require.NoError(t, err)
		got, ok := raiseRecord(nil, old)
		require.True(t, ok)
		require.Equal(t, want, got)
		_, ok = raiseRecord(nil, old[:len(old)-1])
		require.False(t, ok)
	})
}
