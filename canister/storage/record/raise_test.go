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

// Contacts that nobody asks for are written as they were read; asked for, they are what [Decode] reads.
func TestContactsThatAreNotTakenApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anchortest.Random(t, 0)
		tag := rapid.Ptr(rapid.Uint64(), true).Draw(t, "tag")
		b, err := Append(nil, a, Newest, tag)
		require.NoError(t, err)
		var want, got identity.Anchor
		var stored StoredContacts
		wantTag, err := Decode(b, Newest, &want)
		require.NoError(t, err)
		gotTag, err := DecodeLazily(b, Newest, &got, &stored)
		require.NoError(t, err)
		require.Equal(t, wantTag, gotTag)
		require.Equal(t, want.HasContacts(), got.HasContacts())
		again, err := Append([]byte("before"), &got, Newest, tag)
		require.NoError(t, err)
		require.Equal(t, "before"+string(b), string(again))
		older, err := Append(nil, &got, Version2, nil)
		require.NoError(t, err)
		wantOlder, err := Append(nil, &want, Version2, nil)
		require.NoError(t, err)
		require.Equal(t, wantOlder, older)
		if want.HasContacts() {
			idle := true
			for _, c := range want.Contacts.List {
				idle = idle && !c.Noted && c.ApprovedAt == 0
			}
			require.Equal(t, idle, got.Stored.Idle())
			got.RecoveryContacts()
		}
		require.Equal(t, want, got)
		for n := range b {
			_, err := DecodeLazily(b[:n], Newest, new(identity.Anchor), &stored)
			require.Error(t, err)
		}
	})
}
