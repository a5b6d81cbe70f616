package ii

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

// A protection counts as enforced by the old module only if it had it from us as protected. These are the cases in
// which it seems so and is not: whoever removed the phrase there need not have been its owner.

// The record has the field, and said unprotected, as nothing told yet that the module knows protection.
func TestFieldAloneIsNoEnforcement(t *testing.T) {
	mem := build(t, 1)
	s, err := Upgrade(mem)
	require.NoError(t, err)
	number := registerKedge(t, s, newDevice("passkey", 0), protectedDevice("phrase", 1, identity.SeedPhrase))
	o := start(t, mem)
	require.Equal(t, devicesOfLayout1, generationOf(o.Entry(number)))
	require.True(t, o.Change(number, "passkey", "phrase", nil))
	s = upgrade(t, mem, 3)
	require.True(t, TrialOf(s).KnowsProtection)
	require.NotNil(t, device(read(t, s, number), "phrase"))
}

// The module knows protection, and the record has no room for a table with it.
func TestKnowledgeAloneIsNoEnforcement(t *testing.T) {
	mem := build(t, 1)
	o := start(t, mem)
	o.Register(passkey("of a module that knows protection"))
	o = iitest.Start(t, mem, iitest.From2021May)
	o.Register(passkey("passkey"))
	s := upgrade(t, mem, 3)
	require.True(t, TrialOf(s).KnowsProtection)
	a := read(t, s, 10001)
	a.Devices = append(a.Devices, protectedDevice("phrase", 1, identity.SeedPhrase))
	a.Devices[1].Alias = strings.Repeat("p", 100) // so that the old module has room for its own table without it
	for n := 2000; ; n-- {                        // as long as it can be
		a.Devices[0].Alias = strings.Repeat("a", n)
		if s.Write(a) == nil {
			break
		}
	}
	o = start(t, mem)
	require.Zero(t, generationOf(o.Entry(10001)), "it keeps the table of the first builds")
	require.True(t, o.Change(10001, "passkey", "phrase", nil))
	s = upgrade(t, mem, 3)
	require.NotNil(t, device(read(t, s, 10001), "phrase"))
}

// A mark that its device has not proven yet is written as none, and protecting it there does not prove it.
func TestProtectingAnUnprovenMarkDoesNotProveIt(t *testing.T) {
	mem, _ := trialWith(t, 6, latest(6), func(a *identity.Anchor) {
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.Proven, p.LapsesAt = false, 99
		a.Devices = append(a.Devices, p)
	})
	o := start(t, mem)
	require.True(t, o.Change(10000, "passkey", "phrase", func(d *iitest.Device) { d.Protected = true }))
	o.Stop()
	d := device(read(t, upgrade(t, mem, 3), 10000), "phrase")
	require.True(t, d.Protected)
	require.False(t, d.Proven)
	require.Equal(t, uint64(99), d.LapsesAt)
}

// What the owner cleared in a module that knows the fields stays clear, and what one of the first builds cannot write
// is ours, by the layout and by what the record tells.
func TestClearedPurposeAndType(t *testing.T) {
	for _, c := range []struct {
		layout  uint8
		g       iitest.Generation
		cleared bool
	}{{1, iitest.From2021Nov, false}, {1, iitest.From2022Jul, true}, {3, iitest.From2021Nov, true}, {3, iitest.From2022Jul, true}, {5, iitest.From2022Dec, true}} {
		mem := build(t, c.layout)
		o := start(t, mem)
		number := o.Register()
		key := iitest.Device{Key: "key", Purpose: "recovery", KeyType: "cross_platform"}
		o.SetEntry(number, c.g.Encode([]iitest.Device{key}))
		o.Stop()
		require.Equal(t, identity.Recovery, read(t, upgrade(t, mem, 3), number).Devices[0].Purpose)
		key.Purpose, key.KeyType = "authentication", "unknown"
		o = start(t, mem)
		o.SetEntry(number, c.g.Encode([]iitest.Device{key}))
		o.Stop()
		d := read(t, upgrade(t, mem, 3), number).Devices[0]
		require.Equal(t, c.cleared, d.Purpose == identity.Authentication, "layout %d, %d", c.layout, c.g)
		require.Equal(t, c.cleared, d.KeyType == identity.Unknown, "layout %d, %d", c.layout, c.g)
	}
}

// A request that was made since the return is kept, whether the anchor is imported again yet or not.
func TestRequestSinceTheReturnIsKept(t *testing.T) {
	mem, _ := trialWith(t, 6, latest(6), func(*identity.Anchor) {})
	s, err := Upgrade(mem)
	require.NoError(t, err)
	a := read(t, s, 10000)
	p := protectedDevice("phrase", 1, identity.SeedPhrase)
	p.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 0, CompletesAt: 99}}}
	a.Devices = append(a.Devices, p)
	require.NoError(t, s.Write(a))
	require.Zero(t, TrialOf(s).Imported)
	require.Equal(t, uint64(99), read(t, s, 10000).Devices[1].Consent.Askers[0].CompletesAt)
	_, err = Run(s, unlimited)
	require.NoError(t, err)
	require.Equal(t, uint64(99), read(t, s, 10000).Devices[1].Consent.Askers[0].CompletesAt)
}

// Cancelling what was pending over a return does not make a protection enforced that was not.
func TestCancellingEnforcesNothing(t *testing.T) {
	mem, s := trialWith(t, 1, noProtection, func(a *identity.Anchor) {
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 0, CompletesAt: 99}}}
		a.Devices = append(a.Devices, p)
	})
	_, before, err := s.ReadOwn(10000)
	require.NoError(t, err)
	require.Zero(t, before&tagEnforced)
	s = upgrade(t, mem, 3)
	require.Zero(t, read(t, s, 10000).Devices[1].Consent.Askers[0].CompletesAt)
	_, after, err := s.ReadOwn(10000)
	require.NoError(t, err)
	require.Zero(t, after&tagEnforced)
	o := start(t, mem)
	require.True(t, o.Change(10000, "passkey", "phrase", nil))
	require.NotNil(t, device(read(t, upgrade(t, mem, 3), 10000), "phrase"))
}

// Where a map is beside memory 0, what Kedge wrote itself is no contradiction, and anything else is: also what changed
// in an anchor of which we have a copy.
func TestContradictionsOfCopies(t *testing.T) {
	mem, _ := dual(t, 4)
	s := upgrade(t, mem, 3)
	for _, number := range []uint64{10001, 10002} {
		a := read(t, s, number)
		a.Devices = append(a.Devices, newDevice("of kedge", 7))
		require.NoError(t, s.Write(a))
	}
	o := start(t, mem) // a build without the map
	o.Add(10002, passkey("in memory 0 alone"))
	withMap := start(t, mem).Dual()
	withMap.SetMapped(10003, nil) // an anchor that the map does not have contradicts nothing
	withMap.SetMapped(10000, &iitest.Mapped{Devices: []iitest.Device{passkey("in the map alone")}})
	trial := TrialOf(s)
	trial.Imported = 0
	require.NoError(t, setTrial(s, trial))
	s, err := OpenStore(mem) // not by Upgrade, which would look at the first anchors itself
	require.NoError(t, err)
	const contradiction = "memory 0 and virtual memory 16 contradict each other"
	_, err = s.Read(10000)
	require.ErrorContains(t, err, contradiction, "our copy was imported")
	require.NotNil(t, device(read(t, s, 10001), "of kedge"), "our copy was written by us")
	_, err = s.Read(10002)
	require.ErrorContains(t, err, contradiction, "our copy was written by us, and the record by another since")
	require.NotEmpty(t, read(t, s, 10003).Devices)
	_, err = Upgrade(mem.Clone())
	require.ErrorContains(t, err, "anchor 10000: "+contradiction)
	withMap.SetMapped(10000, &iitest.Mapped{Devices: withMap.Devices(10000)})
	_, err = Upgrade(mem)
	require.ErrorContains(t, err, "anchor 10002: "+contradiction)
}

// A device of the map that is no recovery phrase has no lock to compare, and neither has one that memory 0 knows as
// something else.
func TestLocksOfPhrasesAlone(t *testing.T) {
	mem, o := dual(t, 1)
	value := func(devices ...iitest.Device) []byte {
		o.SetMapped(10000, &iitest.Mapped{Devices: devices})
		m, err := Open(mem)
		require.NoError(t, err)
		b, err := m.mapped.get(10000)
		require.NoError(t, err)
		return b
	}
	in := func(kind wire.KeyType, protected bool) *Record {
		p := wire.ProtectionUnprotected
		if protected {
			p = wire.ProtectionProtected
		}
		return &Record{Anchor: wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte("key"), KeyType: &kind, Protection: &p}}}}
	}
	key := iitest.Device{Key: "key", KeyType: "platform"}
	for _, c := range []struct {
		name   string
		mapped iitest.Device
		record *Record
		same   bool
	}{
		{"a phrase", phrase("key", true), in(wire.KeyTypeSeedPhrase, true), true},
		{"a phrase that is protected in memory 0 alone", phrase("key", false), in(wire.KeyTypeSeedPhrase, true), false},
		{"a phrase that is protected in the map alone", phrase("key", true), in(wire.KeyTypeSeedPhrase, false), false},
		{"a passkey of the map", key, in(wire.KeyTypeSeedPhrase, true), true},
		{"a passkey of memory 0", phrase("key", true), in(wire.KeyTypeCrossPlatform, false), true},
	} {
		difference, _, err := differs(c.record, value(c.mapped))
		require.NoError(t, err)
		require.Equal(t, c.same, difference == "", "%s: %s", c.name, difference)
	}
}
