package ii

import (
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

// A table without a field that every device has is accepted while no device follows.
func TestNoShapeOfIncompleteTables(t *testing.T) {
	message := []byte("DIDL\x02\x6d\x01\x6c\x00\x01\x00\x00")
	devices, err := wire.DecodeAnyDevicesArgs(message)
	require.NoError(t, err)
	require.Empty(t, devices)
	_, ok := shapeOf(message)
	require.False(t, ok)
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
