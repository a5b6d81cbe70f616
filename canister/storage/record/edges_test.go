package record

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// headSize is the length of the record of an anchor without devices: version 2 and above, and version 1.
const (
	headSize  = 22
	headSize1 = 4
)

func anchorOf(devices ...identity.Device) *identity.Anchor { return &identity.Anchor{Devices: devices} }

func encoded(t *testing.T, version byte, a *identity.Anchor) []byte {
	t.Helper()
	b, err := Append(nil, a, version, nil)
	require.NoError(t, err)
	return b
}

func decoded(b []byte, version byte) (a identity.Anchor, err error) {
	_, err = Decode(b, version, &a)
	return a, err
}

// longer puts bytes at the end of the one device that ends a record.
func longer(b []byte, device int, more ...byte) []byte {
	out := append(bytes.Clone(b), more...)
	le.PutUint16(out[device:], le.Uint16(out[device:])+uint16(len(more)))
	return out
}

// A device record says how long each part is; bytes that belong to no part, or that a version does not have, are
// damage, whatever the checksum says.
func TestDevicesThatSayTooMuch(t *testing.T) {
	text := identity.Metadata{{Key: "key", Text: "text"}}
	plain := encoded(t, Version3, anchorOf(identity.Device{}))
	with := encoded(t, Version3, anchorOf(identity.Device{Data: identity.Data{Metadata: text}}))
	_, err := decoded(with, Version3)
	require.NoError(t, err)
	metadataLength := headSize + 62
	for name, b := range map[string][]byte{
		"a byte at the end":            longer(plain, headSize, 0),
		"a byte behind metadata":       longer(with, headSize, 0),
		"a byte at the end of them":    func() []byte { b := longer(with, headSize, 0); b[metadataLength]++; return b }(),
		"metadata cut short":           func() []byte { b := bytes.Clone(with); b[headSize+fixed2+2+2+3+1]++; return b }(),
		"an unknown kind of metadata":  func() []byte { b := bytes.Clone(with); b[headSize+fixed2+2+2+3] = 3; return b }(),
		"more entries than there are":  func() []byte { b := bytes.Clone(with); b[headSize+fixed2]++; return b }(),
		"many more":                    func() []byte { b := bytes.Clone(with); b[headSize+fixed2+1]++; return b }(),
		"an AAGUID that is not there":  func() []byte { b := bytes.Clone(plain); b[headSize+4] |= flagAAGUID; return b }(),
		"a challenge cut short":        func() []byte { b := longer(plain, headSize, 1, 2, 3); b[headSize+4] |= flagChallenge; return b }(),
		"a public key beyond the end":  func() []byte { b := bytes.Clone(plain); b[headSize+54]++; return b }(),
		"an origin beyond the end":     func() []byte { b := bytes.Clone(plain); b[headSize+60]++; return b }(),
		"an unknown flag":              func() []byte { b := bytes.Clone(plain); b[headSize+4] |= 1 << 6; return b }(),
		"an unknown version":           func() []byte { b := bytes.Clone(plain); b[headSize+2] = 4; return b }(),
		"shorter than its fixed part":  func() []byte { b := bytes.Clone(plain); b[headSize]--; return b }(),
		"metadata that are not marked": func() []byte { b := bytes.Clone(with); b[headSize+4] &^= flagMetadata; return b }(),
	} {
		_, err := decoded(b, Version3)
		require.Error(t, err, name)
	}

	// Version 1 has no temporary key, even where the bytes would be one.
	b := encoded(t, Version1, anchorOf(identity.Device{}))
	b = longer(b, headSize1, make([]byte, 1+principalSize+8)...)
	b[headSize1+4] |= flagTemporary
	_, err = decoded(b, Version1)
	require.Error(t, err)
}

// The smallest records, and the fields that are empty.
func TestSmallestDevices(t *testing.T) {
	for version := byte(Version1); version <= Newest; version++ {
		a, err := decoded(encoded(t, version, anchorOf(identity.Device{}, identity.Device{})), version)
		require.NoError(t, err)
		require.Equal(t, []identity.Device{{}, {}}, a.Devices)
		require.Nil(t, a.Devices[0].PublicKey)
		require.Nil(t, a.Devices[0].CredentialID)

		data := identity.Data{PublicKey: []byte{}, CredentialID: []byte{}, KeyType: maskKeyType, Metadata: identity.Metadata{}}
		a, err = decoded(encoded(t, version, anchorOf(identity.Device{Data: data})), version)
		require.NoError(t, err)
		data.PublicKey = nil
		require.Equal(t, data, a.Devices[0].Data)
	}
	_, err := Append(nil, anchorOf(identity.Device{Data: identity.Data{KeyType: maskKeyType + 1}}), Newest, nil)
	require.ErrorContains(t, err, "key type 8")
}

// What a version does not have is neither written nor read in it.
func TestVersionsDoNotMix(t *testing.T) {
	d := identity.Device{AddedUnprotected: true, AgreesToContacts: true}
	require.Zero(t, encoded(t, Version1, anchorOf(d))[headSize1+5])
	b := encoded(t, Version2, anchorOf(d))
	require.Equal(t, byte(flagAddedUnprotected), b[headSize+5])
	b[headSize+5] |= flagAgrees
	a, err := decoded(b, Version2)
	require.NoError(t, err)
	require.False(t, a.Devices[0].AgreesToContacts)
}

// Metadata nest as deep as they can be written, no deeper.
func TestDepthOfMetadata(t *testing.T) {
	nested := func(depth int) identity.Metadata {
		m := identity.Metadata{}
		for range depth {
			m = identity.Metadata{{Key: "k", Kind: identity.MetadataMap, Map: m}}
		}
		return m
	}
	deepest := nested(maxMetadataDepth - 1)
	a, err := decoded(encoded(t, Newest, anchorOf(identity.Device{Data: identity.Data{Metadata: deepest}})), Newest)
	require.NoError(t, err)
	require.Equal(t, deepest, a.Devices[0].Metadata)
	_, err = Append(nil, anchorOf(identity.Device{Data: identity.Data{Metadata: nested(maxMetadataDepth)}}), Newest, nil)
	require.ErrorContains(t, err, "nests deeper")

	text, err := appendMetadata(nil, deepest, 0)
	require.NoError(t, err)
	inner := len(text) - 2 // the empty map in the middle gets an entry that is one more
	text = append(text[:inner:inner], 1, 0, 1, 0, 'k', byte(identity.MetadataMap), 0, 0)
	r := reader{b: text}
	r.metadata(0)
	require.True(t, r.failed)

	r = reader{b: []byte{1, 0, 1, 0, 'k', 3}}
	r.metadata(0)
	require.True(t, r.failed, "an unknown kind")
}

// The greatest record is written and read; one byte more is refused.
func TestGreatestRecords(t *testing.T) {
	long := func(n int) identity.Device {
		return identity.Device{Data: identity.Data{Alias: strings.Repeat("a", n)}}
	}
	greatest := anchorOf(long(Max - headSize - fixed2))
	b := encoded(t, Newest, greatest)
	require.Len(t, b, Max)
	a, err := decoded(b, Newest)
	require.NoError(t, err)
	require.Equal(t, greatest.Devices, a.Devices)
	_, err = Append(nil, anchorOf(long(Max-headSize-fixed2+1)), Newest, nil)
	require.ErrorContains(t, err, "the record of anchor 0 takes 61441 bytes")

	d := long(Max - fixed2)
	_, err = appendDevice(nil, &d, Newest)
	require.NoError(t, err)
	d = long(Max - fixed2 + 1)
	_, err = appendDevice(nil, &d, Newest)
	require.ErrorContains(t, err, "device takes 61441 bytes")

	// A version 1 that is as great as can be does not fit the next.
	raised, ok := Raise([]byte("before"), encoded(t, Version1, anchorOf(long(Max-headSize-fixed2))), Version1)
	require.True(t, ok)
	require.Equal(t, "before"+string(b), string(raised[:6])+string(encoded(t, Newest, greatest)))
	require.Len(t, raised, 6+Max)
	_, ok = Raise([]byte("before"), encoded(t, Version1, anchorOf(long(Max-headSize-fixed2+1))), Version1)
	require.False(t, ok)
}

// Raise refuses what reading would refuse.
func TestRaiseRefusesDamage(t *testing.T) {
	tentative := func() *identity.Anchor {
		a := anchorOf(identity.Device{})
		a.Registration = &identity.Registration{Opener: 0, ExpiresAt: 1, Code: 2, Tentative: &identity.Data{Alias: "new"}}
		return a
	}
	for version := byte(Version1); version < Newest; version++ {
		b := encoded(t, version, tentative())
		_, ok := Raise(nil, b, version)
		require.True(t, ok)
		_, ok = Raise(nil, append(bytes.Clone(b), 0), version)
		require.False(t, ok, "a byte at the end")
		for n := range b {
			_, ok = Raise(nil, b[:n], version)
			require.False(t, ok, "cut at %d", n)
		}
	}
	b := encoded(t, Version2, tentative())
	raised, ok := Raise(nil, b, Version2)
	require.True(t, ok)
	require.Equal(t, encoded(t, Version3, tentative()), raised)

	one, two := encoded(t, Version1, anchorOf(identity.Device{})), encoded(t, Version2, anchorOf(identity.Device{}))
	_, ok = Raise(nil, append(bytes.Clone(one[:headSize1]), two[headSize:]...), Version1)
	require.False(t, ok, "a device of version 2 in a record of version 1")
	_, ok = Raise(nil, append(bytes.Clone(two[:headSize]), one[headSize1:]...), Version2)
	require.False(t, ok, "a device of version 1 in a record of version 2")
	b = bytes.Clone(b)
	at := headSize + 15
	b[at+2] = Version1
	_, ok = Raise(nil, b, Version2)
	require.False(t, ok, "a tentative device of version 1")
	two[16] |= flagContacts
	_, ok = Raise(nil, two, Version2)
	require.False(t, ok, "contacts in version 2")
}

// The room that a caller gives is used as far as it reaches, and nothing is left of what was there.
func TestRoomForDevices(t *testing.T) {
	room := make([]identity.Device, 0, 2)
	for devices := range 4 {
		b := encoded(t, Newest, anchorOf(make([]identity.Device, devices)...))
		a := identity.Anchor{Devices: room}
		_, err := Decode(b, Newest, &a)
		require.NoError(t, err)
		require.Len(t, a.Devices, devices)
		if devices == 0 {
			require.Nil(t, a.Devices)
		} else {
			require.Equal(t, devices <= cap(room), &a.Devices[0] == &room[:1][0])
		}
	}
	list := make([]identity.Contact, 0, 2)
	contacts := identity.Contacts{List: list}
	for n := range 4 {
		b := encoded(t, Newest, &identity.Anchor{Contacts: &identity.Contacts{List: make([]identity.Contact, n)}})
		a := identity.Anchor{Contacts: &contacts}
		contacts.List = list
		_, err := Decode(b, Newest, &a)
		require.NoError(t, err)
		require.Same(t, &contacts, a.Contacts)
		require.Len(t, a.Contacts.List, n)
		if n > 0 {
			require.Equal(t, n <= cap(list), &contacts.List[0] == &list[:1][0])
		}
	}
	a := identity.Anchor{Contacts: &contacts}
	_, err := Decode(encoded(t, Newest, anchorOf()), Newest, &a)
	require.NoError(t, err)
	require.Nil(t, a.Contacts)
}

// A principal is never longer than principals are, even where the bytes are there.
func TestEventsWithTooLongAPrincipal(t *testing.T) {
	e := identity.Event{By: principal.SelfAuthenticating([]byte("key"))}
	b := AppendEvent(nil, 0, &e)
	_, ok := Events(nil, b, 1, 0)
	require.True(t, ok)
	b[14]++
	_, ok = Events(nil, append(b, 0), 1, 0)
	require.False(t, ok)

	// Nor is what should be its bytes taken for another event.
	next := AppendEvent(nil, 1, &identity.Event{})
	_, ok = Events(nil, append(b[:15:15], next...), 2, 0)
	require.False(t, ok)
}

func TestIdleContacts(t *testing.T) {
	for _, c := range []struct {
		contact identity.Contact
		idle    bool
	}{
		{identity.Contact{Anchor: 1, Accepted: true, ByProtected: true}, true},
		{identity.Contact{Noted: true}, false},
		{identity.Contact{Key: principal.SelfAuthenticating([]byte("key")), ApprovedAt: 1}, false},
	} {
		for at := range 3 {
			contacts := identity.Contacts{List: make([]identity.Contact, 3)}
			contacts.List[at] = c.contact
			var a identity.Anchor
			var stored StoredContacts
			_, err := DecodeLazily(encoded(t, Newest, &identity.Anchor{Contacts: &contacts}), Newest, &a, &stored)
			require.NoError(t, err)
			require.Equal(t, c.idle, a.Stored.Idle())
			require.Equal(t, &contacts, a.RecoveryContacts())
		}
	}
}
