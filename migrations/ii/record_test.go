package ii

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/ic/principal"
	"kedge/migrations/ii/wire"
)

func ptr[T any](v T) *T { return &v }

func wireDevice(key string, change func(*wire.AnyDevice)) wire.AnyDevice {
	d := wire.AnyDevice{Pubkey: []byte(key), Alias: "alias"}
	if change != nil {
		change(&d)
	}
	return d
}

// Each device is at a limit, or one over it.
func TestOddities(t *testing.T) {
	phrase := func(d *wire.AnyDevice) { d.KeyType = ptr(wire.KeyTypeSeedPhrase) }
	many := func(n int) (all []wire.AnyDevice) {
		for i := range n {
			all = append(all, wireDevice(string(rune('a'+i)), nil))
		}
		return all
	}
	heavy := func(n int) (all []wire.AnyDevice) { // of n variable bytes in all
		for i := 0; n > 0; i++ {
			key := strings.Repeat(string(rune('a'+i)), min(n, identity.MaxPublicKey))
			all = append(all, wireDevice(key, func(d *wire.AnyDevice) { d.Alias = "" }))
			n -= len(key)
		}
		return all
	}
	with := func(change func(*wire.AnyDevice)) []wire.AnyDevice {
		return []wire.AnyDevice{wireDevice("key", change)}
	}
	id := func(d *wire.AnyDevice) { d.CredentialID = []byte("id") }
	for _, c := range []struct {
		name    string
		devices []wire.AnyDevice
		want    []Oddity
	}{
		{"none", nil, []Oddity{OddNoDevices}},
		{"one", with(nil), nil},
		{"no key", []wire.AnyDevice{wireDevice("", nil)}, []Oddity{OddNoKey}},
		{"a protected phrase", with(func(d *wire.AnyDevice) { phrase(d); d.Protection = ptr(wire.ProtectionProtected) }), nil},
		{"a protected passkey", with(func(d *wire.AnyDevice) { d.Protection = ptr(wire.ProtectionProtected) }), []Oddity{OddProtected}},
		{"an unprotected passkey", with(func(d *wire.AnyDevice) { d.Protection = ptr(wire.ProtectionUnprotected) }), nil},
		{"an AAGUID", with(func(d *wire.AnyDevice) { d.Aaguid = make([]byte, identity.AAGUIDSize) }), nil},
		{"a short AAGUID", with(func(d *wire.AnyDevice) { d.Aaguid = make([]byte, identity.AAGUIDSize-1) }), []Oddity{OddAAGUID}},
		{"a long AAGUID", with(func(d *wire.AnyDevice) { d.Aaguid = make([]byte, identity.AAGUIDSize+1) }), []Oddity{OddAAGUID}},
		{"alias at its limit", with(func(d *wire.AnyDevice) { d.Alias = strings.Repeat("a", identity.MaxAlias) }), nil},
		{"alias over it", with(func(d *wire.AnyDevice) { d.Alias = strings.Repeat("a", identity.MaxAlias+1) }), []Oddity{OddField}},
		{"key at its limit", []wire.AnyDevice{wireDevice(strings.Repeat("k", identity.MaxPublicKey), nil)}, nil},
		{"key over it", []wire.AnyDevice{wireDevice(strings.Repeat("k", identity.MaxPublicKey+1), nil)}, []Oddity{OddField}},
		{"credential id at its limit", with(func(d *wire.AnyDevice) { d.CredentialID = make([]byte, identity.MaxCredentialID) }), nil},
		{"credential id over it", with(func(d *wire.AnyDevice) { d.CredentialID = make([]byte, identity.MaxCredentialID+1) }), []Oddity{OddField}},
		{"origin at its limit", with(func(d *wire.AnyDevice) { d.Origin = ptr(strings.Repeat("o", identity.MaxOrigin)) }), nil},
		{"origin over it", with(func(d *wire.AnyDevice) { d.Origin = ptr(strings.Repeat("o", identity.MaxOrigin+1)) }), []Oddity{OddField}},
		{"a phrase with a credential id", with(func(d *wire.AnyDevice) { phrase(d); id(d) }), []Oddity{OddCredential}},
		{"two with one credential id", []wire.AnyDevice{wireDevice("a", id), wireDevice("b", nil), wireDevice("c", id)}, []Oddity{OddCredential}},
		{"two with an empty credential id", []wire.AnyDevice{
			wireDevice("a", func(d *wire.AnyDevice) { d.CredentialID = []byte{} }), wireDevice("b", func(d *wire.AnyDevice) { d.CredentialID = []byte{} }),
		}, []Oddity{OddCredential}},
		{"an empty credential id after none", []wire.AnyDevice{wireDevice("a", nil), wireDevice("b", func(d *wire.AnyDevice) { d.CredentialID = []byte{} })}, nil},
		{"two without", []wire.AnyDevice{wireDevice("a", nil), wireDevice("b", nil)}, nil},
		{"two with two credential ids", []wire.AnyDevice{wireDevice("a", id), wireDevice("b", func(d *wire.AnyDevice) { d.CredentialID = []byte("di") })}, nil},
		{"one phrase", []wire.AnyDevice{wireDevice("a", phrase), wireDevice("b", nil)}, nil},
		{"two phrases", []wire.AnyDevice{wireDevice("a", phrase), wireDevice("b", phrase)}, []Oddity{OddPhrases}},
		{"a key twice", []wire.AnyDevice{wireDevice("a", nil), wireDevice("a", nil), wireDevice("a", nil)}, []Oddity{OddCopies}},
		{"devices at their limit", many(identity.MaxDevices), nil},
		{"devices over it", many(identity.MaxDevices + 1), []Oddity{OddDevices}},
		{"bytes at their limit", heavy(identity.MaxVariableBytes), nil},
		{"bytes over it", heavy(identity.MaxVariableBytes + 1), []Oddity{OddBytes}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Record{Number: 7, Anchor: wire.AnyAnchor{Devices: c.devices}}
			require.LessOrEqual(t, len(c.devices), identity.MaxDevices+1)
			_, odd := r.Import()
			require.Equal(t, c.want, odd)
		})
	}
	_, odd := (&Record{Empty: true}).Import()
	require.Equal(t, []Oddity{OddEmpty}, odd)
	_, odd = (&Record{Anchor: wire.AnyAnchor{Devices: with(nil), Metadata: wire.Metadata{{F0: "k"}}}}).Import()
	require.Equal(t, []Oddity{OddMetadata}, odd)
	_, odd = (&Record{Anchor: wire.AnyAnchor{Devices: with(nil), Metadata: wire.Metadata{}}}).Import()
	require.Empty(t, odd)
}

func TestImportOfEveryField(t *testing.T) {
	w := wireDevice("key", func(d *wire.AnyDevice) {
		d.CredentialID, d.Purpose, d.KeyType = []byte("id"), ptr(wire.PurposeRecovery), ptr(wire.KeyTypeCrossPlatform)
		d.Protection, d.Origin, d.LastUsageTimestamp = ptr(wire.ProtectionUnprotected), ptr(""), ptr(uint64(9))
		d.Aaguid = []byte("0123456789abcdef")
		d.Metadata = wire.Metadata{
			{F0: "t", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagString, String: "text"}},
			{F0: "b", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagBytes, Bytes: []byte{1}}},
			{F0: "m", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagMap, Map: wire.Metadata{{F0: "n", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagString}}}}},
			{F0: "e", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagMap}},
		}
	})
	data := identity.Data{
		PublicKey: []byte("key"), Alias: "alias", CredentialID: []byte("id"), Purpose: identity.Recovery, KeyType: identity.CrossPlatform,
		HasOrigin: true, AAGUID: []byte("0123456789abcdef"),
		Metadata: identity.Metadata{
			{Key: "t", Text: "text"}, {Key: "b", Kind: identity.MetadataBytes, Bytes: []byte{1}},
			{Key: "m", Kind: identity.MetadataMap, Map: identity.Metadata{{Key: "n"}}}, {Key: "e", Kind: identity.MetadataMap, Map: identity.Metadata{}},
		},
	}
	self := principal.SelfAuthenticating([]byte("key"))
	protects := func(d *wire.AnyDevice) { d.Protection = ptr(wire.ProtectionProtected) }
	bare := identity.Data{PublicKey: []byte("key"), Alias: "alias"}
	marked := bare
	marked.Protected = true
	for _, c := range []struct {
		name string
		was  []wire.AnyDevice
		want identity.Device
		more []identity.Data
	}{
		{"all fields", []wire.AnyDevice{w}, identity.Device{Data: data, Principal: self, Proven: true, LastUsed: 9}, nil},
		{"none", []wire.AnyDevice{wireDevice("key", nil)}, identity.Device{Data: bare, Principal: self}, nil},
		{"authentication", []wire.AnyDevice{wireDevice("key", func(d *wire.AnyDevice) { d.Purpose = ptr(wire.PurposeAuthentication) })}, identity.Device{Data: bare, Principal: self}, nil},
		{"protected", []wire.AnyDevice{wireDevice("key", protects)}, identity.Device{Data: marked, Principal: self, Proven: true}, nil},
		{"used at 0", []wire.AnyDevice{wireDevice("key", func(d *wire.AnyDevice) { d.LastUsageTimestamp = ptr(uint64(0)) })}, identity.Device{Data: bare, Principal: self}, nil},
		{"used at 1", []wire.AnyDevice{wireDevice("key", func(d *wire.AnyDevice) { d.LastUsageTimestamp = ptr(uint64(1)) })}, identity.Device{Data: bare, Principal: self, Proven: true, LastUsed: 1}, nil},
		{"a copy that is like it", []wire.AnyDevice{wireDevice("key", nil), wireDevice("key", nil)}, identity.Device{Data: bare, Principal: self}, []identity.Data{bare}},
		{"a copy that is protected", []wire.AnyDevice{wireDevice("key", nil), wireDevice("key", protects)}, identity.Device{Data: marked, Principal: self, Proven: true}, []identity.Data{marked}},
		{"a copy of a protected one", []wire.AnyDevice{wireDevice("key", protects), wireDevice("key", nil)}, identity.Device{Data: marked, Principal: self, Proven: true}, []identity.Data{bare}},
		{
			"a copy that was used", []wire.AnyDevice{wireDevice("key", nil), wireDevice("key", func(d *wire.AnyDevice) { d.LastUsageTimestamp = ptr(uint64(1)) })},
			identity.Device{Data: bare, Principal: self, Proven: true, LastUsed: 1}, []identity.Data{bare},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := (&Record{Number: 7, Anchor: wire.AnyAnchor{Devices: c.was, CreatedAt: ptr(uint64(11))}}).Import()
			require.Equal(t, &identity.Anchor{Number: 7, CreatedAt: 11, Devices: []identity.Device{c.want}, Copies: c.more}, a)
			quiet := new(identity.Anchor)
			(&Record{Number: 7, Anchor: wire.AnyAnchor{Devices: c.was, CreatedAt: ptr(uint64(11))}}).importTo(quiet, nil)
			require.Equal(t, a, quiet)
		})
	}
	a, _ := (&Record{Number: 7}).Import()
	require.Equal(t, &identity.Anchor{Number: 7}, a)
	a, _ = (&Record{Number: 7, Anchor: wire.AnyAnchor{Devices: []wire.AnyDevice{wireDevice("", nil), wireDevice("b", nil)}}}).Import()
	require.Nil(t, a.Devices[0].PublicKey)
	require.Equal(t, identity.DeviceID(1), a.Devices[1].ID)
}
