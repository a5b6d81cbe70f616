package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/canister/storage/anchortest"
	"kedge/ic/principal"
)

// The cursor sees of every device what decoding it would.
func TestCursorAgainstDecoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := byte(rapid.IntRange(Version1, Newest).Draw(t, "version"))
		a := anchortest.Random(t, 7)
		b, err := Append(nil, a, version, nil)
		require.NoError(t, err)
		var got identity.Anchor
		_, err = Decode(b, version, &got)
		require.NoError(t, err)
		c := Devices(b, version)
		require.Equal(t, len(got.Devices)+len(got.Copies), c.Left())
		for _, d := range got.Devices {
			s, err := c.Next()
			require.NoError(t, err)
			require.Equal(t, d.Proven, s.Proven())
			require.Equal(t, d.AddedAt, s.AddedAt())
			require.Equal(t, d.Principal.Bytes(), s.Principal())
			require.Equal(t, string(d.CredentialID), string(s.CredentialID()))
		}
		for _, d := range got.Copies {
			s, err := c.Next()
			require.NoError(t, err)
			require.False(t, s.Proven())
			require.Nil(t, s.Principal())
			require.Equal(t, string(d.CredentialID), string(s.CredentialID()))
		}
		require.Zero(t, c.Left())
		_, err = c.Next()
		require.ErrorIs(t, err, ErrShort)
	})
}

// Two devices have the same keys unless one of what the index is made of differs, each bit of it.
func TestSameKeys(t *testing.T) {
	stored := func(d identity.Device) Stored {
		b, err := Append(nil, &identity.Anchor{Devices: []identity.Device{d}}, Newest, nil)
		require.NoError(t, err)
		c := Devices(b, Newest)
		s, err := c.Next()
		require.NoError(t, err)
		return s
	}
	d := identity.Device{
		Data:      identity.Data{PublicKey: []byte("key"), CredentialID: []byte("credential"), Alias: "alias"},
		Principal: principal.SelfAuthenticating([]byte("key")), AddedAt: 9, LastUsed: 1,
	}
	require.True(t, stored(d).SameKeys(stored(d)))
	same := d
	same.Alias, same.LastUsed, same.Protected = "another", 2, true
	require.True(t, stored(d).SameKeys(stored(same)), "what is not in the index")
	for name, change := range map[string]func(*identity.Device){
		"proven":     func(d *identity.Device) { d.Proven = true },
		"added":      func(d *identity.Device) { d.AddedAt = 10 },
		"credential": func(d *identity.Device) { d.CredentialID = []byte("credentiam") },
		"none":       func(d *identity.Device) { d.CredentialID = nil },
	} {
		other := d
		change(&other)
		require.False(t, stored(d).SameKeys(stored(other)), name)
		require.False(t, stored(other).SameKeys(stored(d)), name)
	}
	for i := range principal.MaxLen {
		b := d.Principal.Bytes()
		b[i] ^= 1
		other := d
		var err error
		other.Principal, err = principal.FromBytes(b)
		require.NoError(t, err)
		require.False(t, stored(d).SameKeys(stored(other)), "byte %d of the principal", i)
	}
}

var anyEvent = rapid.Custom(func(t *rapid.T) identity.Event {
	who := func(name string) (p principal.Principal) {
		switch rapid.IntRange(0, 2).Draw(t, name) {
		case 1:
			p = principal.Anonymous
		case 2:
			p = principal.SelfAuthenticating([]byte(name))
		}
		return p
	}
	return identity.Event{
		At: rapid.Uint64().Draw(t, "at"), Kind: identity.EventKind(rapid.Byte().Draw(t, "kind")), Temporary: rapid.Bool().Draw(t, "temporary"),
		By: who("by"), Device: who("device"), Other: who("other"), Until: rapid.Uint64Range(0, 2).Draw(t, "until"),
	}
})

// Events are read as they were written, from any number on; bytes that are not theirs are not taken for theirs.
func TestEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(anyEvent, 0, 5).Draw(t, "events")
		var b []byte
		for i := range all {
			had := len(b)
			b = AppendEvent(b, uint32(i), &all[i])
			require.LessOrEqual(t, len(b)-had, MaxEvent)
		}
		from := rapid.IntRange(0, len(all)).Draw(t, "from")
		got, ok := Events(nil, b, len(all), uint64(from))
		require.True(t, ok)
		require.Len(t, got, len(all)-from)
		for i, e := range got {
			require.Equal(t, NumberedEvent{uint64(from + i), all[from+i]}, e)
		}
		for n := range b {
			_, ok := Events(nil, b[:n], len(all), 0)
			require.False(t, ok, "cut at %d", n)
		}
		_, ok = Events(nil, append(b, 0), len(all), 0)
		require.False(t, ok, "something is left")
	})
	e := identity.Event{By: principal.Anonymous}
	b := AppendEvent(nil, 0, &e)
	b[14] = principal.MaxLen + 1 // its length
	_, ok := Events(nil, append(b, make([]byte, 40)...), 1, 0)
	require.False(t, ok)
}

// A record is read whole or not at all: no cut, no byte too many, no unknown version or flag.
func TestDamagedRecords(t *testing.T) {
	for _, a := range anchortest.Golden() {
		for version := byte(Version1); version <= Newest; version++ {
			b, err := Append(nil, a, version, nil)
			require.NoError(t, err)
			for n := range b {
				_, err := Decode(b[:n:n], version, new(identity.Anchor))
				require.Error(t, err, "cut at %d", n)
			}
			_, err = Decode(append(b[:len(b):len(b)], 0), version, new(identity.Anchor))
			require.Error(t, err, "a byte too many")
		}
	}
	d := identity.Device{Data: identity.Data{PublicKey: []byte("key")}}
	for name, change := range map[string]func(b []byte){
		"unknown version":                      func(b []byte) { b[2] = 9 },
		"unknown flag":                         func(b []byte) { b[4] |= 1 << 6 },
		"length":                               func(b []byte) { b[0]++ },
		"short length":                         func(b []byte) { b[0], b[1] = 1, 0 },
		"key's length":                         func(b []byte) { b[54]++ },
		"origin's length":                      func(b []byte) { b[60]++ },
		"metadata":                             func(b []byte) { b[62]++ },
		"version 1 with what it does not have": func(b []byte) { b[2], b[4] = Version1, flagConsent },
	} {
		b, err := Append(nil, &identity.Anchor{Devices: []identity.Device{d}}, Newest, nil)
		require.NoError(t, err)
		change(b[22:])
		_, err = Decode(b, Newest, new(identity.Anchor))
		require.Error(t, err, name)
	}
	_, err := Decode([]byte{0xff, 0xff, 0xff, 0xff}, Version1, new(identity.Anchor))
	require.ErrorContains(t, err, "65535 devices and 65535 duplicates in 0 bytes")
}

// What cannot be stored is refused with its reason, and the greatest that can is stored.
func TestLimits(t *testing.T) {
	nested := func(depth int) identity.Metadata {
		m := identity.Metadata{}
		for range depth - 1 {
			m = identity.Metadata{{Key: "k", Kind: identity.MetadataMap, Map: m}}
		}
		return m
	}
	with := func(change func(*identity.Device)) *identity.Anchor {
		d := identity.Device{Data: identity.Data{PublicKey: []byte("key")}, Principal: principal.SelfAuthenticating([]byte("key"))}
		change(&d)
		return &identity.Anchor{Number: 5, Devices: []identity.Device{d}}
	}
	long := make([]byte, 1<<16)
	for text, a := range map[string]*identity.Anchor{
		"key type 8 and purpose 0":  with(func(d *identity.Device) { d.KeyType = 8 }),
		"key type 0 and purpose 2":  with(func(d *identity.Device) { d.Purpose = 2 }),
		"a principal of 1 bytes":    with(func(d *identity.Device) { d.Principal = principal.Anonymous }),
		"an AAGUID of 15 bytes":     with(func(d *identity.Device) { d.AAGUID = long[:15] }),
		"longer than 61440 bytes":   with(func(d *identity.Device) { d.Alias = string(long[:Max+1]) }),
		"names 256 askers":          with(func(d *identity.Device) { d.Consent = &identity.Consent{Askers: make([]identity.Asker, 256)} }),
		"nests deeper than 32 maps": with(func(d *identity.Device) { d.Metadata = nested(33) }),
		"entry \"\" is longer":      with(func(d *identity.Device) { d.Metadata = identity.Metadata{{Text: string(long)}} }),
		"unknown kind 3":            with(func(d *identity.Device) { d.Metadata = identity.Metadata{{Kind: 3}} }),
		"metadata has 65536":        with(func(d *identity.Device) { d.Metadata = make(identity.Metadata, 65536) }),
		"metadata takes":            with(func(d *identity.Device) { d.Metadata = identity.Metadata{{Text: string(long[:65535])}} }),
		"device takes":              with(func(d *identity.Device) { d.Alias, d.Origin = string(long[:Max/2]), string(long[:Max/2]) }),
		"more than 65535 devices":   {Number: 5, Devices: make([]identity.Device, 65536)},
		"the record of anchor 5 takes": {Number: 5, Devices: []identity.Device{
			with(func(d *identity.Device) { d.Alias = string(long[:Max/2]) }).Devices[0], with(func(d *identity.Device) { d.Alias = string(long[:Max/2]) }).Devices[0],
		}},
		"duplicate of a device": {Number: 5, Copies: []identity.Data{{KeyType: 8}}},
		"tentative device":      {Number: 5, Registration: &identity.Registration{Tentative: &identity.Data{KeyType: 8}}},
	} {
		_, err := Append(nil, a, Newest, nil)
		require.ErrorContains(t, err, text)
	}
	for _, a := range []*identity.Anchor{
		with(func(d *identity.Device) { d.Consent = &identity.Consent{Askers: make([]identity.Asker, 255)} }),
		with(func(d *identity.Device) { d.Metadata = nested(32) }),
		with(func(d *identity.Device) { d.Alias = string(long[:Max-200]) }),
		with(func(d *identity.Device) { d.Principal = principal.Principal{} }),
		{Contacts: &identity.Contacts{List: make([]identity.Contact, 255)}},
	} {
		b, err := Append(nil, a, Newest, nil)
		require.NoError(t, err)
		got := identity.Anchor{Number: a.Number}
		_, err = Decode(b, Newest, &got)
		require.NoError(t, err)
		require.Equal(t, a, &got)
	}
	deep := []byte{}
	for range 40 {
		deep = append(deep, 1, 0, 0, 0, 2) // a map of one entry, an empty key, kind map
	}
	r := reader{b: deep}
	r.metadata(0)
	require.True(t, r.failed)
}

// An attestation is read back bit by bit.
func TestAttestationBits(t *testing.T) {
	for i := range 32 {
		d := identity.Device{Attestation: identity.Attestation{
			At: 1, UserPresent: i&1 != 0, UserVerified: i&2 != 0, BackupEligible: i&4 != 0, BackedUp: i&8 != 0, CounterStalled: i&16 != 0, Counter: 77,
		}}
		b, err := Append(nil, &identity.Anchor{Devices: []identity.Device{d}}, Newest, nil)
		require.NoError(t, err)
		var a identity.Anchor
		_, err = Decode(b, Newest, &a)
		require.NoError(t, err)
		require.Equal(t, d.Attestation, a.Devices[0].Attestation)
	}
}
