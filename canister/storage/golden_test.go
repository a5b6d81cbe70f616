package storage

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// The golden images were captured once, when their format was first written, and are never captured
// again: whoever changes what is read or written here changes what people's anchors are made of.

// goldenAnchors are the anchors of the golden images: a simple one, one without devices, one with every
// field, and one that fills its overflow block. Each version stores what it knows of them.
func goldenAnchors() []*identity.Anchor {
	key := func(anchor, device int) []byte { return fmt.Appendf(nil, "public key %d of anchor %d", device, anchor) }
	dev := func(anchor, device int) identity.Device {
		k := key(anchor, device)
		return identity.Device{
			Data:      identity.Data{PublicKey: k, Alias: fmt.Sprintf("device %d", device), CredentialID: fmt.Appendf(nil, "credential %d", device)},
			ID:        identity.DeviceID(device),
			Principal: principal.SelfAuthenticating(k),
			Proven:    device != 1,
			LastUsed:  1_700_000_000_000_000_000 + uint64(device),
			AddedAt:   1_690_000_000_000_000_000 + uint64(anchor)*1e9,
		}
	}
	simple := &identity.Anchor{Number: 10000, CreatedAt: 1_690_000_000_000_000_000, Devices: []identity.Device{dev(10000, 0), dev(10000, 1)}}
	simple.Events = []identity.Event{
		{At: 1, Kind: identity.EventRegistered, By: simple.Devices[0].Principal, Device: simple.Devices[0].Principal},
		{At: 2, Kind: identity.EventProtected, By: simple.Devices[0].Principal, Device: simple.Devices[1].Principal, Until: 604800},
	}
	empty := &identity.Anchor{Number: 10001}

	whole := &identity.Anchor{Number: 10002, Devices: []identity.Device{dev(10002, 0), dev(10002, 1), dev(10002, 2)}}
	phrase := &whole.Devices[0]
	phrase.Purpose, phrase.KeyType, phrase.Protected, phrase.CredentialID = identity.Recovery, identity.SeedPhrase, true, nil
	phrase.SessionsUntil = 1_800_000_000_000_000_000
	phrase.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 1}, {ID: 2, CompletesAt: 77}}}
	lapsing := &whole.Devices[1]
	lapsing.Protected, lapsing.LapsesAt = true, identity.LapseAfter
	passkey := &whole.Devices[2]
	passkey.KeyType, passkey.HasOrigin, passkey.Origin = identity.Platform, true, "https://identity.ic0.app"
	passkey.AAGUID = []byte("0123456789abcdef")
	passkey.Metadata = identity.Metadata{
		{Key: "os", Text: "plan 9"},
		{Key: "raw", Kind: identity.MetadataBytes, Bytes: []byte{0, 255}},
		{Key: "more", Kind: identity.MetadataMap, Map: identity.Metadata{{Key: "inner", Text: "value"}}},
	}
	passkey.Temporary = identity.TemporaryKey{Principal: principal.SelfAuthenticating([]byte("temporary")), ExpiresAt: 99}
	passkey.Challenge = identity.Challenge{Nonce: [16]byte{1, 2, 3}, ExpiresAt: 1_700_000_000_000_000_300}
	passkey.Attestation = identity.Attestation{At: 1_700_000_000_000_000_000, UserPresent: true, UserVerified: true, BackupEligible: true, Counter: 7, CounterStalled: true}
	whole.Copies = []identity.Data{{PublicKey: key(10002, 0), Alias: "the same key once more", KeyType: identity.Unknown}}
	whole.Guard, whole.DeviceBound, whole.SessionLimit = true, true, 3600_000_000_000
	whole.Registration = &identity.Registration{Opener: 2, ExpiresAt: 900, Attempts: 1, Code: 123456, Tentative: &identity.Data{PublicKey: []byte("offered"), Alias: "offered"}}

	full := &identity.Anchor{Number: 10003}
	for i := range identity.MaxDevices {
		d := dev(10003, i)
		d.CredentialID = bytes.Repeat([]byte{byte(i + 1)}, 180)
		full.Devices = append(full.Devices, d)
	}
	for i := range 40 {
		full.Events = append(full.Events, identity.Event{At: uint64(i), Kind: identity.EventAdded, By: full.Devices[0].Principal, Device: full.Devices[i%10].Principal})
	}
	return []*identity.Anchor{simple, empty, whole, full}
}

// asVersion1 is what record version 1 keeps of an anchor.
func asVersion1(a *identity.Anchor) *identity.Anchor {
	b := &identity.Anchor{Number: a.Number, Copies: a.Copies}
	for _, d := range a.Devices {
		b.Devices = append(b.Devices, identity.Device{
			Data: d.Data, ID: d.ID, Principal: d.Principal, Proven: d.Proven, LastUsed: d.LastUsed, LapsesAt: d.LapsesAt,
		})
	}
	return b
}

func withoutEvents(a *identity.Anchor) *identity.Anchor {
	b := *a
	b.Events = nil
	return &b
}

func buildGolden(t *testing.T, layout int) *RAM {
	t.Helper()
	mem := NewRAM(0)
	s, err := Create(mem, Config{Lo: 10000, Hi: 20000, Layout: layout})
	require.NoError(t, err)
	require.NoError(t, s.SetSalt([32]byte(bytes.Repeat([]byte{5}, 32))))
	require.NoError(t, s.SetServiceTime(123, 456))
	require.NoError(t, s.SetConfig([]byte("configuration")))
	require.NoError(t, s.SetState([]byte("state")))
	for _, a := range goldenAnchors() {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.Equal(t, a.Number, number)
		if layout == Layout1 {
			a = asVersion1(a)
		}
		require.NoError(t, s.Write(a))
	}
	return mem
}

// sameButSuperblock says whether two images agree in all but four fields of the superblock that are not part
// of what is stored: how many chunks of history are set aside, how many entries the index had at some moment,
// how often the superblock was written (no longer counted), and so its checksum.
func sameButSuperblock(t *testing.T, a, b *RAM) bool {
	t.Helper()
	a, b = a.Clone(), b.Clone()
	for _, m := range []*RAM{a, b} {
		for _, at := range []uint64{0, superblockMirror} {
			require.NoError(t, m.WriteAt(make([]byte, 4), at+88+16*uint64(history)+4))
			require.NoError(t, m.WriteAt(make([]byte, 8), at+160))
			require.NoError(t, m.WriteAt(make([]byte, 16), at+496))
		}
	}
	return a.Equal(b)
}

func readGolden(t *testing.T, name string) *RAM {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	image, err := io.ReadAll(z)
	require.NoError(t, err)
	return RAMOf(image)
}

func checkGolden(t *testing.T, s *Store, version1 bool) {
	t.Helper()
	lo, hi := s.Range()
	require.Equal(t, [2]uint64{10000, 20000}, [2]uint64{lo, hi})
	salt, set := s.Salt()
	require.True(t, set)
	require.Equal(t, [32]byte(bytes.Repeat([]byte{5}, 32)), salt)
	service, stepped := s.ServiceTime()
	require.Equal(t, [2]uint64{123, 456}, [2]uint64{service, stepped})
	config, err := s.Config()
	require.NoError(t, err)
	require.Equal(t, "configuration", string(config))
	state, err := s.State()
	require.NoError(t, err)
	require.Equal(t, "state", string(state))
	anchors := goldenAnchors()
	require.Equal(t, len(anchors), s.Count())
	for _, want := range anchors {
		got, err := s.Read(want.Number)
		require.NoError(t, err)
		if version1 {
			require.Equal(t, asVersion1(want), got)
		} else {
			require.Equal(t, withoutEvents(want), got)
		}
	}
}

func TestGoldenVersion1(t *testing.T) {
	golden := readGolden(t, "v1.mem.gz")
	s, err := Open(golden)
	require.NoError(t, err)
	require.Equal(t, Layout1, s.Layout())
	checkGolden(t, s, true)
	require.True(t, sameButSuperblock(t, golden, buildGolden(t, Layout1)), "layout 1 is written in other bytes than when it was captured")
}

func TestGoldenVersion2(t *testing.T) {
	golden := readGolden(t, "v2.mem.gz")
	s, err := Open(golden)
	require.NoError(t, err)
	require.Equal(t, Layout2, s.Layout())
	checkGolden(t, s, false)
	h, err := s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Len(t, h.Events, 2)
	require.Equal(t, goldenAnchors()[0].Events[1], h.Events[1].Event)
	found, _, err := s.LookupCredential([]byte("credential 0"), 0, 16)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, uint64(10000), found[0].Anchor)
	require.True(t, sameButSuperblock(t, golden, buildGolden(t, Layout2)), "layout 2 is written in other bytes than when it was captured")
}
