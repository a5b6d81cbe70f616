package ii

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/migrations/ii/iitest/old"
	"kedge/migrations/ii/wire"
)

// Metadata are written to an old record as they are read from one, every key and kind.
func TestMetadataThereAndBack(t *testing.T) {
	m := identity.Metadata{
		{Key: "text", Kind: identity.MetadataText, Text: "value"},
		{Key: "bytes", Kind: identity.MetadataBytes, Bytes: []byte{1, 2}},
		{Key: "map", Kind: identity.MetadataMap, Map: identity.Metadata{{Key: "inner", Kind: identity.MetadataText, Text: "deep"}}},
	}
	require.Equal(t, m, importMetadata(exportMetadata(m)))
	require.Equal(t, "bytes", exportMetadata(m)[1].F0)
	require.Nil(t, exportMetadata(nil))
}

// Metadata of the anchor itself have no place in Kedge. They stay in the old record, as long as they have room there.
func TestMetadataOfAnAnchorStay(t *testing.T) {
	mem := build(t, 9)
	o := start(t, mem)
	shown := old.Metadata{
		{F0: "recoveryPageShownTimestampMillis", F1: old.MetadataItemF1{Tag: old.MetadataItemF1TagString, String: "1700000000000"}},
		{F0: "bytes", F1: old.MetadataItemF1{Tag: old.MetadataItemF1TagBytes, Bytes: []byte{1, 2}}},
	}
	record := old.Anchor{Metadata: shown, CreatedAt: ptr(uint64(7)), Devices: []old.Device{{Pubkey: []byte("passkey"), Alias: "alias"}}}
	o.SetEntry(o.Register(), old.EncodeAnchorArgs(record))
	none := record
	none.Metadata = nil
	o.SetEntry(o.Register(), old.EncodeAnchorArgs(none))
	o.Stop()
	s := upgrade(t, mem, 3)
	write := func(number uint64, alias int) wire.Metadata {
		a := read(t, s, number)
		a.Devices[0].Alias = strings.Repeat("a", alias)
		a.Devices[0].KeyType = identity.BrowserStorageKey
		require.NoError(t, s.Write(a))
		now, err := wire.DecodeAnyAnchorArgs(start(t, mem).Entry(number))
		require.NoError(t, err)
		require.Len(t, now.Devices[0].Alias, alias)
		require.Equal(t, uint64(7), *now.CreatedAt)
		return now.Metadata
	}
	require.Equal(t, wire.Metadata{
		{F0: "recoveryPageShownTimestampMillis", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagString, String: "1700000000000"}},
		{F0: "bytes", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagBytes, Bytes: []byte{1, 2}}},
	}, write(10000, 5))
	require.Nil(t, write(10001, 5))
	r, err := Plan(mem)
	require.NoError(t, err)
	require.Contains(t, r.Oddities, Count{OddMetadata, 1, []uint64{10000}})
	s = upgrade(t, mem, 3)
	require.NotNil(t, write(10000, 3000))
	require.Nil(t, write(10000, 3870), "the device goes before them")

	o = start(t, mem) // damage in the values of the old record keeps nobody from writing
	damaged := o.Entry(10001)
	damaged[len(damaged)-1] = 9
	o.SetEntry(10001, damaged)
	_, err = wire.DecodeAnyAnchorArgs(damaged)
	require.Error(t, err)
	require.Nil(t, write(10001, 5))
}

// What a generation cannot express is named, one thing at a time; what stands for nothing needs nothing.
func TestWhatAGenerationLoses(t *testing.T) {
	used, origin := uint64(7), "https://identity.example.org"
	for name, c := range map[string]struct {
		device wire.AnyDevice
		want   generation
	}{
		"nothing":                     {wire.AnyDevice{}, 0},
		"authentication":              {wire.AnyDevice{Purpose: ptr(wire.PurposeAuthentication)}, 0},
		"recovery":                    {wire.AnyDevice{Purpose: ptr(wire.PurposeRecovery)}, hasPurpose},
		"an unknown type":             {wire.AnyDevice{KeyType: ptr(wire.KeyTypeUnknown)}, 0},
		"a platform key":              {wire.AnyDevice{KeyType: ptr(wire.KeyTypePlatform)}, hasKeyType},
		"a key in a browser":          {wire.AnyDevice{KeyType: ptr(wire.KeyTypeBrowserStorageKey)}, hasKeyType | hasBrowserKey},
		"unprotected":                 {wire.AnyDevice{Protection: ptr(wire.ProtectionUnprotected)}, 0},
		"protected":                   {wire.AnyDevice{Protection: ptr(wire.ProtectionProtected)}, hasProtection},
		"an origin":                   {wire.AnyDevice{Origin: &origin}, hasOrigin},
		"a last use":                  {wire.AnyDevice{LastUsageTimestamp: &used}, hasLastUsed},
		"metadata":                    {wire.AnyDevice{Metadata: wire.Metadata{}}, hasMetadata},
		"a model":                     {wire.AnyDevice{Aaguid: []byte{}}, hasAAGUID},
		"a credential id, always had": {wire.AnyDevice{CredentialID: []byte{1}}, 0},
	} {
		a := wire.AnyAnchor{Devices: []wire.AnyDevice{{}, c.device}}
		require.Equal(t, c.want, lostOf(&a, 0), name)
		require.Zero(t, lostOf(&a, c.want), name)
	}
	require.Equal(t, generation(hasCreatedAt), lostOf(&wire.AnyAnchor{CreatedAt: &used}, 0))
	require.Zero(t, lostOf(&wire.AnyAnchor{CreatedAt: &used}, hasCreatedAt))
}
