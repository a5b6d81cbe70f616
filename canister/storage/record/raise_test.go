package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/canister/storage/anchortest"
	"kedge/ic/principal"
)

// Raising a record equals reading it and writing it in the next version.
func TestRaiseEqualsReadAndWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := byte(rapid.IntRange(Version1, Newest-1).Draw(t, "version"))
		var tag *uint64
		a := anchortest.Random(t, 10000)
		if version == Version1 {
			a = anchortest.AsVersion1(a)
		} else if rapid.Bool().Draw(t, "tag") {
			tag = new(uint64)
			*tag = 77
		}
		old, err := Append(nil, a, version, tag)
		require.NoError(t, err)
		var read identity.Anchor
		_, err = Decode(old, version, &read)
		require.NoError(t, err)
		want, err := Append(nil, &read, version+1, tag)
		require.NoError(t, err)
		got, ok := Raise([]byte("before"), old, version)
		require.True(t, ok)
		require.Equal(t, "before"+string(want), string(got))
		_, ok = Raise(nil, old[:len(old)-1], version)
		require.False(t, ok)
		_, ok = Raise(nil, old, Newest)
		require.False(t, ok, "there is no next version")
	})
}

// What a version does not know is left out, and nothing else.
func TestVersionsKeepWhatTheyKnow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anchortest.Random(t, 0)
		for version, want := range map[byte]*identity.Anchor{Version1: anchortest.AsVersion1(a), Version2: anchortest.AsVersion2(a), Version3: a} {
			b, err := Append(nil, a, version, nil)
			require.NoError(t, err)
			var got identity.Anchor
			_, err = Decode(b, version, &got)
			require.NoError(t, err)
			require.Equal(t, want, &got, "version %d", version)
		}
	})
}

func TestContactsThatCannotBeStored(t *testing.T) {
	for _, c := range []*identity.Contacts{
		{List: make([]identity.Contact, 256)},
		{List: []identity.Contact{{Key: principal.Anonymous}}},
	} {
		_, err := Append(nil, &identity.Anchor{Contacts: c}, Version3, nil)
		require.ErrorContains(t, err, "contact")
	}
	b, err := Append(nil, &identity.Anchor{Contacts: &identity.Contacts{List: make([]identity.Contact, 7)}}, Version3, nil)
	require.NoError(t, err)
	var a identity.Anchor
	_, err = Decode(b, Version2, &a)
	require.ErrorContains(t, err, "a record of version 2 begins with what that version does not have")
	for n := range b {
		_, err = Decode(b[:n], Version3, new(identity.Anchor))
		require.Error(t, err)
	}
}
