package storage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/tree"
	"kedge/ic/principal"
)

// An entry of the index only points: what the anchor says counts.
func TestLookupsCompareTheAnchor(t *testing.T) {
	s := stored(t, 2)
	nameless := register(t, s, "key 2", func(d *identity.Device) { d.CredentialID = nil })
	mine := principal.SelfAuthenticating([]byte("key 1"))
	stray := func(key uint64, proven bool, since uint64, slot uint32) {
		require.NoError(t, s.tree.Insert(tree.Entry{Key: key, Order: orderOf(proven, since, slot)}))
	}
	for _, key := range []uint64{callerKey(mine.Bytes()), credentialKey([]byte("credential"))} {
		stray(key, false, 0, 9)     // an anchor that was never given out
		stray(key, false, 77e9, 1)  // the anchor has the device, added at another time
		stray(key, true, 0, 1)      // and it is not proven
		stray(key, false, 0, 1<<27) // no slot of this memory
		stray(key, false, 0, 2)     // of another device, which is as old
	}
	stray(callerKey(mine.Bytes()), true, 0, 0) // of another principal, before the right one
	stray(credentialKey([]byte("nobody's")), false, 0, 0)
	numbers, next, err := s.LookupCaller(mine, 0, 1)
	require.NoError(t, err)
	require.Equal(t, []uint64{10001}, numbers)
	numbers, next, err = s.LookupCaller(mine, next, 10)
	require.NoError(t, err)
	require.Empty(t, numbers)
	require.Zero(t, next)
	found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{{10000, []byte("key 0"), false}, {10001, []byte("key 1"), false}}, found)
	found, _, err = s.LookupCredential([]byte("nobody's"), 0, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	found, next, err = s.LookupCredential([]byte("credential"), 0, 0)
	require.NoError(t, err)
	require.Empty(t, found)
	require.NotZero(t, next)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: credentialKey(nil), Order: orderOf(false, 0, uint32(nameless-10000))}))
	found, next, err = s.LookupCredential(nil, 0, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Zero(t, next)
}

// What strangers' entries of another key with the same hash take of a page are not answers.
func TestLookupCountsAnswersAlone(t *testing.T) {
	s := stored(t, 2)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: credentialKey([]byte("credential")), Order: orderOf(true, 0, 0)})) // stale, and first
	found, next, err := s.LookupCredential([]byte("credential"), 0, 2)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Zero(t, next)
}

func TestLookupOfCopies(t *testing.T) {
	s := stored(t, 1)
	a, err := s.Read(10000)
	require.NoError(t, err)
	a.Devices[0].AddedAt, a.Devices[0].Proven = 5e9, true
	a.Copies = []identity.Data{
		{PublicKey: []byte("key 0"), CredentialID: []byte("of the copy")}, {PublicKey: []byte("key 1"), CredentialID: []byte("of another")},
	}
	require.NoError(t, s.Write(a))
	found, _, err := s.LookupCredential([]byte("of the copy"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{{10000, []byte("key 0"), false}}, found)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: credentialKey([]byte("of the copy")), Order: orderOf(false, 9e9, 0)}))
	found, _, err = s.LookupCredential([]byte("of the copy"), 0, 10)
	require.NoError(t, err)
	require.Len(t, found, 1, "a copy has no time of adding")
}

// A damaged anchor hides itself alone, and so does what is left of one behind the last.
func TestLookupPassesDamageOver(t *testing.T) {
	s := stored(t, 4)
	at, err := s.alloc.Address(slots, 1)
	require.NoError(t, err)
	overwrite(t, s, at+60, 0xff)
	s.sb.count--
	found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{{10000, []byte("key 0"), false}, {10002, []byte("key 2"), false}}, found)
	done, err := s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	require.Len(t, entries(t, s), 2*2)
}

// Two devices of an imported anchor may share a credential id, and so an entry of the index. It stays until the last
// of them goes, whichever that is.
func TestSharedEntries(t *testing.T) {
	for gone := range 3 {
		s := stored(t, 1)
		a := oneDevice(10000, "key 0", nil)
		for _, key := range []string{"key 1", "key 2"} {
			a.Devices = append(a.Devices, oneDevice(0, key, nil).Devices[0])
		}
		require.NoError(t, s.Write(a))
		left := oneDevice(10000, "key 0", nil)
		left.Devices = append(append(left.Devices[:0], a.Devices[:gone]...), a.Devices[gone+1:]...)
		require.NoError(t, s.Write(left))
		found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
		require.NoError(t, err)
		require.Len(t, found, 2, "without device %d", gone)
		left.Devices = nil
		require.NoError(t, s.Write(left))
		require.Empty(t, entries(t, s))
	}
	// One that was added at the same time with another id goes.
	s := stored(t, 1)
	a := oneDevice(10000, "key 0", nil)
	a.Devices = append(a.Devices, oneDevice(0, "key 1", func(d *identity.Device) { d.CredentialID = []byte("another") }).Devices[0])
	require.NoError(t, s.Write(a))
	require.Len(t, entries(t, s), 4)
	require.NoError(t, s.Write(oneDevice(10000, "key 0", nil)))
	require.Len(t, entries(t, s), 2)
}
