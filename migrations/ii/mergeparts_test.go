package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/ic/principal"
	"kedge/migrations/ii/wire"
)

// A copy never has a mark that its device does not have.
func TestMergedCopies(t *testing.T) {
	for _, c := range []struct {
		name      string
		protected bool // the device, which our copy has unprotected, in the old module's record
		guarded   bool
		want      bool
	}{{"protected there", true, false, true}, {"protected there, which is not taken over", true, true, false}, {"unprotected", false, false, false}} {
		own := &identity.Anchor{Number: 10000, Devices: []identity.Device{newDevice("passkey", 0), newDevice("phrase", 1)}}
		own.Devices[1].KeyType = identity.SeedPhrase
		if c.guarded {
			own.Devices[0] = protectedDevice("passkey", 0, identity.CrossPlatform)
		}
		w := exported(own, true)
		w.Devices = append(w.Devices, w.Devices[1])
		if c.protected {
			w.Devices[1].Protection, w.Devices[2].Protection = ptr(wire.ProtectionProtected), ptr(wire.ProtectionProtected)
		}
		raw := tableOf(allGenerations, 9).encode(nil, &w)
		decoded, err := wire.DecodeAnyAnchorArgs(raw)
		require.NoError(t, err)
		a := merge(own, &Record{Number: 10000, Anchor: decoded, raw: raw}, raw, true)
		require.Len(t, a.Copies, 1, c.name)
		require.Equal(t, c.want, a.Copies[0].Protected, c.name)
		require.Equal(t, c.want, device(a, "phrase").Protected, c.name)
	}
}

// What a rollback leaves of a device that the old module neither protected nor took the mark of, on an anchor with
// another protected one: no event, and no mark.
func TestMergeOfAGuardedAnchor(t *testing.T) {
	own := &identity.Anchor{Number: 10000, Devices: []identity.Device{protectedDevice("hardware", 0, identity.CrossPlatform), newDevice("passkey", 1)}}
	own.Contacts = &identity.Contacts{Threshold: 1, List: []identity.Contact{{Anchor: 5, ApprovedAt: 7}}}
	own.Devices[0].AgreesToContacts = true
	w := exported(own, true)
	w.Devices[1].Alias = "renamed"
	w.Devices = append(w.Devices,
		wireDevice("planted", func(d *wire.AnyDevice) {
			d.KeyType, d.Protection = ptr(wire.KeyTypeSeedPhrase), ptr(wire.ProtectionProtected)
		}),
		wireDevice("planted and used", func(d *wire.AnyDevice) {
			d.KeyType, d.Protection, d.LastUsageTimestamp = ptr(wire.KeyTypeSeedPhrase), ptr(wire.ProtectionProtected), ptr(uint64(1))
		}))
	raw := tableOf(allGenerations, 9).encode(nil, &w)
	decoded, err := wire.DecodeAnyAnchorArgs(raw)
	require.NoError(t, err)
	a := merge(own, &Record{Number: 10000, Anchor: decoded, raw: raw}, raw, true)
	require.Equal(t, "renamed", device(a, "passkey").Alias)
	require.False(t, device(a, "passkey").Protected)
	require.False(t, device(a, "planted").Proven)
	require.True(t, device(a, "planted and used").Proven)
	require.False(t, device(a, "planted and used").Protected)
	require.Equal(t, []identity.Event{
		{Kind: identity.EventDropped, Device: device(a, "planted").Principal}, {Kind: identity.EventDropped, Device: device(a, "planted and used").Principal},
	}, a.Events)
	require.Zero(t, a.Contacts.List[0].ApprovedAt)
	require.Equal(t, uint64(7), own.Contacts.List[0].ApprovedAt, "our copy of before stays as it was")
}

// What the old module's table has no field for is ours; what it has a field for is the old module's.
func TestFill(t *testing.T) {
	was := identity.Data{
		Purpose: identity.Recovery, KeyType: identity.Platform, HasOrigin: true, Origin: "ours",
		Metadata: identity.Metadata{{Key: "ours"}}, AAGUID: []byte("ours"), Alias: "ours",
	}
	theirs := identity.Data{
		Purpose: identity.Authentication, KeyType: identity.CrossPlatform, Metadata: identity.Metadata{{Key: "theirs"}}, AAGUID: []byte("theirs"), Alias: "theirs",
	}
	const all = hasPurpose | hasKeyType | hasBrowserKey | hasOrigin | hasMetadata | hasAAGUID
	for _, c := range []struct {
		name        string
		g           generation
		enforceable bool
		was, theirs func(d *identity.Data)
		want        func(d *identity.Data)
	}{
		{name: "all fields", g: all, enforceable: true, want: func(*identity.Data) {}},
		{name: "no purpose", g: all &^ hasPurpose, enforceable: true, want: func(d *identity.Data) { d.Purpose = identity.Recovery }},
		{name: "no key type", g: all &^ hasKeyType, enforceable: true, want: func(d *identity.Data) { d.KeyType = identity.Platform }},
		{name: "no origin", g: all &^ hasOrigin, enforceable: true, want: func(d *identity.Data) { d.HasOrigin, d.Origin = true, "ours" }},
		{name: "no metadata", g: all &^ hasMetadata, enforceable: true, want: func(d *identity.Data) { d.Metadata = was.Metadata }},
		{name: "no AAGUID", g: all &^ hasAAGUID, enforceable: true, want: func(d *identity.Data) { d.AAGUID = was.AAGUID }},
		{name: "no browser storage key", g: all &^ hasBrowserKey, enforceable: true, want: func(*identity.Data) {}},
		{
			name: "a browser storage key of ours that the table cannot name", g: all &^ hasBrowserKey, enforceable: true,
			was: func(d *identity.Data) { d.KeyType = identity.BrowserStorageKey }, theirs: func(d *identity.Data) { d.KeyType = identity.Unknown },
			want: func(d *identity.Data) { d.KeyType = identity.BrowserStorageKey },
		},
		{
			name: "another type of ours, unknown there", g: all &^ hasBrowserKey, enforceable: true,
			theirs: func(d *identity.Data) { d.KeyType = identity.Unknown }, want: func(d *identity.Data) { d.KeyType = identity.Unknown },
		},
		{
			name: "a browser storage key of ours, another type there", g: all &^ hasBrowserKey, enforceable: true,
			was: func(d *identity.Data) { d.KeyType = identity.BrowserStorageKey }, want: func(*identity.Data) {},
		},
		{
			name: "a browser storage key of ours, unknown where the table could name it", g: all, enforceable: true,
			was: func(d *identity.Data) { d.KeyType = identity.BrowserStorageKey }, theirs: func(d *identity.Data) { d.KeyType = identity.Unknown },
			want: func(d *identity.Data) { d.KeyType = identity.Unknown },
		},
		{
			name: "written by us without purpose and type", g: all,
			theirs: func(d *identity.Data) { d.KeyType = identity.Unknown },
			want:   func(d *identity.Data) { d.Purpose, d.KeyType = identity.Recovery, identity.Platform },
		},
		{
			name: "written by us with both, and cleared there", g: all, enforceable: true,
			theirs: func(d *identity.Data) { d.KeyType = identity.Unknown }, want: func(d *identity.Data) { d.KeyType = identity.Unknown },
		},
		{name: "a type of its own", g: all, want: func(*identity.Data) {}},
		{
			name: "a purpose of its own", g: all,
			was:    func(d *identity.Data) { d.Purpose = identity.Authentication },
			theirs: func(d *identity.Data) { d.Purpose, d.KeyType = identity.Recovery, identity.Unknown },
			want:   func(d *identity.Data) { d.Purpose, d.KeyType = identity.Recovery, identity.Unknown },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			was, theirs := was, theirs
			if c.was != nil {
				c.was(&was)
			}
			if c.theirs != nil {
				c.theirs(&theirs)
			}
			want := theirs
			c.want(&want)
			require.Equal(t, want, written{g: c.g, enforceable: c.enforceable}.fill(&was, theirs))
		})
	}
}

func TestCancelPending(t *testing.T) {
	key := principal.SelfAuthenticating([]byte("key"))
	for _, c := range []struct {
		name string
		was  identity.Contact
		any  bool
	}{
		{"nothing", identity.Contact{Anchor: 5, Accepted: true, Noted: true}, false},
		{"a key", identity.Contact{Anchor: 5, Key: key}, true},
		{"a key and an approval", identity.Contact{Anchor: 5, Key: key, ApprovedAt: 7, ByProtected: true}, true},
		{"an approval", identity.Contact{Anchor: 5, ApprovedAt: 7}, true},
	} {
		a := &identity.Anchor{Contacts: &identity.Contacts{List: []identity.Contact{c.was}}}
		require.Equal(t, c.any, cancelPending(a), c.name)
		require.Equal(t, identity.Contact{Anchor: 5, Accepted: c.was.Accepted, Noted: c.was.Noted}, a.Contacts.List[0], c.name)
		require.Empty(t, a.Events)
	}

	devices := func(completes uint64, asker int) []identity.Device {
		d := newDevice("protected", 0)
		d.Consent = &identity.Consent{Delay: 3, Askers: []identity.Asker{{ID: 9}, {ID: identity.DeviceID(asker), CompletesAt: completes}}}
		return []identity.Device{newDevice("other", 4), d, newDevice("asker", 1)}
	}
	a := &identity.Anchor{Devices: devices(0, 1)}
	require.False(t, cancelPending(a))
	require.Empty(t, a.Events)
	a = &identity.Anchor{Devices: devices(99, 1)}
	require.True(t, cancelPending(a))
	require.Equal(t, devices(0, 1), a.Devices, "whoever may ask may still ask")
	require.Equal(t, []identity.Event{{Kind: identity.EventCancelled, Device: a.Devices[1].Principal, Other: a.Devices[2].Principal}}, a.Events)
	a = &identity.Anchor{Devices: devices(99, 7)}
	require.True(t, cancelPending(a))
	require.Equal(t, []identity.Event{{Kind: identity.EventCancelled, Device: a.Devices[1].Principal}}, a.Events, "the asker is gone")
	a = &identity.Anchor{Devices: devices(99, 4)}
	require.True(t, cancelPending(a))
	require.Equal(t, a.Devices[0].Principal, a.Events[0].Other, "the asker is the first device")
}

func TestTidyContacts(t *testing.T) {
	for _, c := range []struct {
		name                          string
		agrees, protected, proven, in bool
		want                          bool
	}{
		{"agrees", true, true, true, true, true},
		{"does not agree", false, true, true, true, false},
		{"is not protected", true, false, true, true, false},
		{"is not proven", true, true, false, true, false},
		{"has nothing to agree to", true, true, true, false, false},
	} {
		d := newDevice("device", 0)
		d.AgreesToContacts, d.Protected, d.Proven = c.agrees, c.protected, c.proven
		a := &identity.Anchor{Devices: []identity.Device{newDevice("other", 1), d, newDevice("last", 2)}}
		if c.in {
			a.Contacts = &identity.Contacts{Threshold: 1}
		}
		tidyContacts(a)
		require.Equal(t, c.want, a.Devices[1].AgreesToContacts, c.name)
		require.Equal(t, c.want, a.Contacts != nil, c.name)
	}
}

func TestTidyConsents(t *testing.T) {
	consent := func(ids ...identity.DeviceID) *identity.Consent {
		c := &identity.Consent{Delay: 3}
		for _, id := range ids {
			c.Askers = append(c.Askers, identity.Asker{ID: id, CompletesAt: 5})
		}
		return c
	}
	a := &identity.Anchor{Devices: []identity.Device{newDevice("a", 0), newDevice("b", 1), newDevice("c", 2)}}
	a.Devices[0].Consent, a.Devices[1].Consent = consent(7, 2, 8), consent(9)
	tidyConsents(a)
	require.Equal(t, consent(2), a.Devices[0].Consent)
	require.Nil(t, a.Devices[1].Consent)
	require.Nil(t, a.Devices[2].Consent)
}

func TestFreeID(t *testing.T) {
	with := func(ids ...int) *identity.Anchor {
		a := new(identity.Anchor)
		for _, id := range ids {
			a.Devices = append(a.Devices, newDevice("key", id))
		}
		return a
	}
	for _, c := range []struct {
		now, before *identity.Anchor
		want        identity.DeviceID
	}{
		{with(), with(), 0},
		{with(0), with(), 1},
		{with(), with(0), 1},
		{with(1), with(0), 2},
		{with(0), with(1, 2), 3},
		{with(1, 2), with(1), 0},
	} {
		require.Equal(t, c.want, freeID(c.now, c.before))
	}
}

func TestCopiesOf(t *testing.T) {
	one, two := identity.Data{PublicKey: []byte("1"), Alias: "a"}, identity.Data{PublicKey: []byte("2"), Alias: "b"}
	a := &identity.Anchor{Copies: []identity.Data{one, two, one}}
	require.Equal(t, []identity.Data{one, one}, copiesOf(a, []byte("1")))
	require.Equal(t, []identity.Data{two}, copiesOf(a, []byte("2")))
	require.Empty(t, copiesOf(a, []byte("3")))
	require.Equal(t, []identity.Data{one, two, one}, a.Copies, "the anchor's own stay")
}
