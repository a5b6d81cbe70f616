package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
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
