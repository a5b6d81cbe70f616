package ii

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/migrations/ii/iitest/old"
	"kedge/migrations/ii/wire"
)

// agree requires that a shape reads a message as the decoder does, or leaves it to it. It reports whether
// the shape read it.
func agree(t require.TestingT, s *shape, message []byte) bool {
	var room shapeRoom
	var got wire.AnyAnchor
	if !s.read(message, &room, &got) {
		return false
	}
	var want wire.AnyAnchor
	var err error
	if s.anchor == nil {
		want.Devices, err = wire.DecodeAnyDevicesArgs(message)
	} else {
		want, err = wire.DecodeAnyAnchorArgs(message)
	}
	require.NoError(t, err)
	require.Equal(t, want, got)
	return true
}

func TestShapesReadRealImages(t *testing.T) {
	for _, name := range []string{"genesis_v1", "genesis_v5", "genesis_v7"} {
		t.Run(name, func(t *testing.T) {
			m, err := Open(realImage(t, name))
			require.NoError(t, err)
			shaped := 0
			for i := range m.Anchors {
				want, b, err := m.Decode(i)
				require.NoError(t, err)
				got, same, err := m.decodeNext(i)
				require.NoError(t, err)
				require.Equal(t, b, append([]byte{}, same...))
				require.Equal(t, want.Anchor, got.Anchor)
				require.Equal(t, want.Empty, got.Empty)
				anchor, _ := want.Import()
				require.Equal(t, anchor, m.importNext(got))
				if got == &m.reused.record {
					shaped++
				}
			}
			require.Greater(t, shaped, int(m.Anchors)*3/4, "most records are read by a shape")
		})
	}
}

// someBlob makes short blobs, and some whose length takes two bytes.
func someBlob() *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 0, 200) }

func someDevices(t *rapid.T) []old.Device {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) old.Device {
		d := old.Device{
			Pubkey: someBlob().Draw(t, "key"), Alias: rapid.String().Draw(t, "alias"),
			Purpose: old.Purpose(rapid.IntRange(0, 1).Draw(t, "purpose")), KeyType: old.KeyType(rapid.IntRange(0, 4).Draw(t, "type")),
			Protection: old.Protection(rapid.IntRange(0, 1).Draw(t, "protection")),
			Origin:     rapid.Ptr(rapid.String(), true).Draw(t, "origin"), LastUsageTimestamp: rapid.Ptr(rapid.Uint64(), true).Draw(t, "used"),
		}
		if rapid.Bool().Draw(t, "credential?") {
			d.CredentialID = someBlob().Draw(t, "credential")
		}
		if rapid.Bool().Draw(t, "aaguid?") {
			d.Aaguid = someBlob().Draw(t, "aaguid")
		}
		if rapid.IntRange(0, 9).Draw(t, "metadata?") == 0 {
			d.Metadata = old.Metadata{}
		}
		return d
	}), 0, 6).Draw(t, "devices")
}

// messages makes a record in each of the three generations, of the same devices.
func messages(devices []old.Device, created *uint64) [][]byte {
	var any []wire.AnyDevice
	var early []old.EarlyDevice
	for i := range devices {
		d := &devices[i]
		purpose, protection := wire.Purpose(d.Purpose), wire.Protection(d.Protection) // the same cases in the same order
		in := wire.AnyDevice{
			Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Purpose: &purpose, Protection: &protection,
			Origin: d.Origin, LastUsageTimestamp: d.LastUsageTimestamp, Aaguid: d.Aaguid,
		}
		if d.Metadata != nil {
			in.Metadata = wire.Metadata{}
		}
		any = append(any, in)
		early = append(early, old.EarlyDevice{Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, KeyType: &d.KeyType})
	}
	return [][]byte{
		wire.EncodeAnyDevicesArgs(any), old.EncodeEarlyDevicesArgs(early),
		wire.EncodeAnyAnchorArgs(wire.AnyAnchor{Devices: any, CreatedAt: created}),
		old.EncodeAnchorArgs(old.Anchor{Devices: devices, CreatedAt: created}),
	}
}

func TestShapesAgreeOnRandomRecords(t *testing.T) {
	var shapes []*shape
	for _, message := range messages(nil, nil) {
		s, ok := shapeOf(message)
		require.True(t, ok)
		shapes = append(shapes, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		devices := someDevices(t)
		plain := true
		for _, d := range devices {
			plain = plain && d.Metadata == nil
		}
		for i, message := range messages(devices, rapid.Ptr(rapid.Uint64(), true).Draw(t, "created")) {
			read := agree(t, shapes[i], message)
			if i == 1 || plain {
				require.True(t, read, "what has no metadata is read by a shape")
			} else {
				require.False(t, read, "metadata is left to the decoder")
			}
		}
	})
}

// Anything may follow a table that is known: what is cut short, and devices that are too many, are left to the decoder.
func TestShapeLeavesToTheDecoder(t *testing.T) {
	device := old.Device{Pubkey: []byte("key"), Alias: "alias", CredentialID: []byte("id"), Origin: ptr("origin"), LastUsageTimestamp: ptr(uint64(7)), Aaguid: []byte("aaguid")}
	for i, message := range messages([]old.Device{device, device}, ptr(uint64(3))) {
		s, ok := shapeOf(message)
		require.True(t, ok)
		require.True(t, agree(t, s, message))
		require.False(t, agree(t, s, append(slices.Clone(message), 0)), "a byte too many")
		for n := len(s.table); n < len(message); n++ {
			require.False(t, agree(t, s, message[:n]), "message %d cut to %d of %d bytes", i, n, len(message))
		}
	}
	for _, n := range []int{24, 25} {
		message := messages(slices.Repeat([]old.Device{{Pubkey: []byte("key")}}, n), nil)[3]
		s, ok := shapeOf(message)
		require.True(t, ok)
		require.Equal(t, n == 24, agree(t, s, message), "%d devices", n)
	}
	// The room has what was read before, of which nothing shows.
	var room shapeRoom
	var a wire.AnyAnchor
	full := messages([]old.Device{device}, ptr(uint64(3)))[3]
	s, _ := shapeOf(full)
	require.True(t, s.read(full, &room, &a))
	bare := messages([]old.Device{{Pubkey: []byte("key")}}, nil)[3]
	require.True(t, s.read(bare, &room, &a))
	want, err := wire.DecodeAnyAnchorArgs(bare)
	require.NoError(t, err)
	require.Equal(t, want, a)
}

// A shape reads whole messages only, and what it leaves to the decoder it leaves whole.
func TestShapeReadsWholeMessages(t *testing.T) {
	origin, used, created := "https://a.example", uint64(1<<63), uint64(77)
	purpose, kind, protection := wire.PurposeRecovery, wire.KeyTypeSeedPhrase, wire.ProtectionProtected
	full := wire.AnyAnchor{CreatedAt: &created, Devices: []wire.AnyDevice{{
		Pubkey: []byte{1, 2}, Alias: "ä", CredentialID: []byte{3, 4, 5}, Origin: &origin, LastUsageTimestamp: &used,
		Purpose: &purpose, KeyType: &kind, Protection: &protection, Aaguid: []byte{9},
	}}}
	bare := wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte{}, Alias: ""}}}
	for _, layout := range []uint8{1, 9} {
		s := tableOf(allGenerations, layout)
		var room shapeRoom
		var got wire.AnyAnchor
		message := s.encode(nil, &full)
		require.True(t, s.read(message, &room, &got))
		want := full
		if layout == 1 {
			want.CreatedAt = nil
		}
		require.Equal(t, want, got)
		for n := len(s.table); n < len(message); n++ {
			require.False(t, s.read(message[:n:n], &room, &got), "the first %d bytes", n)
		}
		require.False(t, s.read(append(message, 0), &room, &got), "a byte too many")

		// Nothing of the record before shows in the next.
		require.True(t, s.read(s.encode(nil, &full), &room, &got))
		require.True(t, s.read(s.encode(nil, &bare), &room, &got))
		require.Equal(t, "", got.Devices[0].Alias)
		require.Empty(t, got.Devices[0].Pubkey)
		got.Devices[0].Pubkey, got.Devices[0].Alias = nil, ""
		purpose, kind, protection := wire.PurposeAuthentication, wire.KeyTypeUnknown, wire.ProtectionUnprotected
		if layout == 9 {
			require.Equal(t, wire.AnyAnchor{Devices: []wire.AnyDevice{{Purpose: &purpose, KeyType: &kind, Protection: &protection}}}, got)
		} else {
			require.Equal(t, wire.AnyAnchor{Devices: []wire.AnyDevice{{}}}, got)
		}

		many := wire.AnyAnchor{Devices: make([]wire.AnyDevice, 24)}
		require.True(t, s.read(s.encode(nil, &many), &room, &got))
		require.Len(t, got.Devices, 24)
		many.Devices = append(many.Devices, wire.AnyDevice{})
		require.False(t, s.read(s.encode(nil, &many), &room, &got), "more devices than there is room for")

		wrong := s.encode(nil, &bare)
		wrong[len(wrong)-1] = 2
		require.False(t, s.read(wrong, &room, &got), "an optional value is there or not")
		broken := full
		broken.Devices = []wire.AnyDevice{{Alias: "\xff"}}
		require.False(t, s.read(s.encode(nil, &broken), &room, &got), "a text that is none")
	}

	p := someParts()
	p.device[1] = p.opt(opText)
	s, ok := shapeOf(p.message())
	require.True(t, ok)
	var room shapeRoom
	var got wire.AnyAnchor
	//                                                 one device, a text of ours, alias, key, no credential
	require.False(t, s.read(append(bytes.Clone(s.table), 1, 1, 1, 'x', 0, 0, 0), &room, &got), "a value that is not ours")
	require.True(t, s.read(append(bytes.Clone(s.table), 1, 0, 0, 0, 0), &room, &got))

	p = someParts()
	delete(p.device, credentialField)
	p.device[lastUsedField] = p.opt(opNat64)
	s, ok = shapeOf(p.message())
	require.True(t, ok)
	require.True(t, s.read(append(bytes.Clone(s.table), 1, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0), &room, &got), "a time at the end")
	require.EqualValues(t, 8, *got.Devices[0].LastUsageTimestamp)
}

func FuzzShape(f *testing.F) {
	origin, used := "https://identity.example.org", uint64(7)
	devices := []old.Device{
		{Pubkey: []byte{1, 2, 3}, Alias: "key", CredentialID: []byte{4}, Origin: &origin, LastUsageTimestamp: &used, Aaguid: make([]byte, 16)},
		{Pubkey: []byte{5}, KeyType: old.KeyTypeSeedPhrase, Purpose: old.PurposeRecovery, Protection: old.ProtectionProtected},
	}
	for _, message := range messages(devices, &used) {
		f.Add(message, message)
	}
	f.Fuzz(func(t *testing.T, message, other []byte) {
		_, errAnchor := wire.DecodeAnyAnchorArgs(message)
		_, errDevices := wire.DecodeAnyDevicesArgs(message)
		if errAnchor != nil && errDevices != nil {
			return
		}
		s, ok := shapeOf(message)
		if !ok || (s.anchor == nil) != (errDevices == nil) {
			return
		}
		agree(t, s, message)
		// Other values behind the same table.
		agree(t, s, append(s.table[:len(s.table):len(s.table)], other[min(len(other), len(s.table)):]...))
	})
}
