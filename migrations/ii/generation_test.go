package ii

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/migrations"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

// everyBuild runs a test for every layout and every generation of builds that runs on it.
func everyBuild(t *testing.T, f func(t *testing.T, layout uint8, g iitest.Generation)) {
	for _, layout := range layouts {
		for _, g := range iitest.Generations(layout) {
			t.Run(fmt.Sprintf("layout %d, %s", layout, g), func(t *testing.T) { f(t, layout, g) })
		}
	}
}

// expressible is what a build can say of a device of Kedge's.
func expressible(g iitest.Generation, d identity.Device) iitest.Device {
	kinds := map[identity.KeyType]string{
		identity.Unknown: "unknown", identity.Platform: "platform", identity.CrossPlatform: "cross_platform",
		identity.SeedPhrase: "seed_phrase", identity.BrowserStorageKey: "browser_storage_key",
	}
	out := iitest.Device{
		Key: string(d.PublicKey), Alias: d.Alias, Credential: d.CredentialID, Purpose: "authentication", KeyType: "unknown",
	}
	if g >= iitest.From2021Nov {
		if d.Purpose == identity.Recovery {
			out.Purpose = "recovery"
		}
		out.KeyType = kinds[d.KeyType]
	}
	if g < iitest.From2023Aug && out.KeyType == "browser_storage_key" {
		out.KeyType = "unknown"
	}
	out.Protected = g.KnowsProtection() && d.Protected && d.Proven && d.KeyType == identity.SeedPhrase
	if g >= iitest.From2023Feb {
		if d.HasOrigin {
			out.Origin = &d.Origin
		}
		if d.LastUsed != 0 {
			out.LastUsed = &d.LastUsed
		}
	}
	if g >= iitest.From2025Oct {
		out.AAGUID = d.AAGUID
	}
	return out
}

// One sign of life under Kedge, and a registration: the old build reads both, with all that it can express.
func TestOldBuildReadsWhatKedgeWrites(t *testing.T) {
	everyBuild(t, func(t *testing.T, layout uint8, g iitest.Generation) {
		mem := build(t, layout)
		o := iitest.Start(t, mem, g)
		o.Register(passkey("signs in"), phrase("phrase", g.KnowsProtection()))
		o.Register(passkey("everything"))
		o.Stop()
		before := o.Entry(10000)

		s := upgrade(t, mem, 1)
		a := read(t, s, 10000)
		a.Devices[0].LastUsed = 12345
		require.NoError(t, s.Write(a))
		b := read(t, s, 10001)
		for kind := identity.Unknown; kind <= identity.BrowserStorageKey; kind++ {
			d := newDevice(fmt.Sprint("kind ", kind), int(kind)+1)
			d.KeyType, d.Purpose, d.Protected = kind, identity.Recovery, kind%2 == 1
			d.HasOrigin, d.Origin, d.AAGUID, d.LastUsed = true, "https://example.org", bytes.Repeat([]byte{7}, 16), 99
			b.Devices = append(b.Devices, d)
		}
		require.NoError(t, s.Write(b))
		number, err := s.Allocate()
		require.NoError(t, err)
		c := &identity.Anchor{Number: number, Devices: slices.Clone(b.Devices)}
		require.NoError(t, s.Write(c))

		o = iitest.Start(t, mem, g)
		for _, a := range []*identity.Anchor{a, b, c} {
			for _, d := range a.Devices {
				require.Equal(t, expressible(g, d), o.Device(a.Number, string(d.PublicKey)), "%d %s", a.Number, d.PublicKey)
			}
		}
		table := bytes.Index(before, []byte("phrase"))
		require.Equal(t, before[:table/2], o.Entry(10000)[:table/2], "the record has the table that it had")

		// The old build writes them all back; nothing that it cannot express is lost on coming forward.
		for number := uint64(10000); number <= 10002; number++ {
			o.Write(number, o.Devices(number))
		}
		o.Stop()
		s = upgrade(t, mem, 2)
		for _, a := range []*identity.Anchor{a, b, c} {
			require.Equal(t, a.Devices, read(t, s, a.Number).Devices)
		}
	})
}

// A layout 1 image of the first builds, in which one anchor was written by a later one: an anchor that is
// given a protected phrase needs the later table, all others keep theirs.
func TestNewestTableOfTheImage(t *testing.T) {
	mem := build(t, 1)
	o := iitest.Start(t, mem, iitest.From2021May)
	o.Register(passkey("early"))
	o.Register(passkey("early too"))
	o = iitest.Start(t, mem, iitest.From2022Jul)
	o.Register(passkey("late"))
	o.Stop()
	s := upgrade(t, mem, 10)
	for number := uint64(10000); number <= 10001; number++ {
		a := read(t, s, number)
		a.Devices[0].LastUsed = 1
		if number == 10001 {
			a.Devices = append(a.Devices, protectedDevice("phrase", 1, identity.SeedPhrase))
		}
		require.NoError(t, s.Write(a))
	}
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{protectedDevice("new", 0, identity.SeedPhrase)}}))

	m, err := Open(mem)
	require.NoError(t, err)
	of := func(number uint64) generation {
		s, err := m.tableAt(uint32(number - 10000))
		require.NoError(t, err)
		return s.generation()
	}
	require.Zero(t, of(10000), "the table that it had")
	require.Equal(t, devicesOfLayout1, of(10001))
	require.Equal(t, devicesOfLayout1, of(10003))
	o = iitest.Start(t, mem, iitest.From2022Jul)
	require.True(t, o.Device(10001, "phrase").Protected)
	require.True(t, o.Device(10003, "new").Protected)
}

// A table with a browser storage key is none of a layout up to 6, whoever left it there.
func TestImpossibleTableIsNotKept(t *testing.T) {
	for _, layout := range []uint8{1, 3, 5, 6} {
		mem := build(t, layout)
		o := start(t, mem)
		o.Register(passkey("passkey"))
		o.Stop()
		a := wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte("passkey")}}}
		o.SetEntry(10000, tableOf(devicesOfLayout1|hasBrowserKey, layout).encode(nil, &a))
		s := upgrade(t, mem, 10)
		require.NoError(t, s.Write(read(t, s, 10000)))
		require.Equal(t, "passkey", start(t, mem).Devices(10000)[0].Key)
	}
}

// The stand-in is no easier than the old builds: five cases of key type are more than four.
func TestStandInCannotDecodeLaterTables(t *testing.T) {
	b := iitest.From2023Aug.Encode([]iitest.Device{passkey("passkey")})
	_, err := iitest.From2023Apr.Decode(b)
	require.ErrorContains(t, err, "no subtype")
	five := iitest.From2023Aug.Encode([]iitest.Device{{Key: "k", KeyType: "browser_storage_key"}})
	_, err = iitest.From2022Dec.Decode(five)
	require.ErrorContains(t, err, "no subtype")
	// In the lists of devices the type is optional, so that every one is unknown.
	a := wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte("k"), KeyType: new(wire.KeyType)}}}
	devices, err := iitest.From2022Jul.Decode(tableOf(devicesOfLayout1|hasBrowserKey, 1).encode(nil, &a))
	require.NoError(t, err)
	require.Equal(t, "unknown", devices[0].KeyType)
}

// lowered is a device as a record of generation g has it. What that generation does not know is left out; a
// browser storage key is of unknown type where there is no such case.
func lowered(d wire.AnyDevice, g generation) wire.AnyDevice {
	if g&hasPurpose == 0 {
		d.Purpose = nil
	}
	if g&hasBrowserKey == 0 && d.KeyType != nil && *d.KeyType == wire.KeyTypeBrowserStorageKey {
		unknown := wire.KeyTypeUnknown
		d.KeyType = &unknown
	}
	if g&hasKeyType == 0 {
		d.KeyType = nil
	}
	if g&hasProtection == 0 {
		d.Protection = nil
	}
	if g&hasOrigin == 0 {
		d.Origin = nil
	}
	if g&hasLastUsed == 0 {
		d.LastUsageTimestamp = nil
	}
	if g&hasMetadata == 0 {
		d.Metadata = nil
	}
	if g&hasAAGUID == 0 {
		d.Aaguid = nil
	}
	return d
}

// Records written with the tables of every generation read back as what that generation can express.
func TestEncodeAgainstTheDecoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		g := generation(rapid.Uint16().Draw(t, "generation")) & allGenerations
		if layout > 3 {
			g |= devicesOfLayout1
		} else {
			g &^= hasCreatedAt
		}
		if g&hasKeyType == 0 {
			g &^= hasBrowserKey
		}
		a := wire.AnyAnchor{CreatedAt: rapid.Ptr(rapid.Uint64(), true).Draw(t, "created")}
		for _, d := range someDevices(t) {
			purpose, keyType, protection := wire.Purpose(d.Purpose), wire.KeyType(d.KeyType), wire.Protection(d.Protection)
			w := wire.AnyDevice{
				Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Purpose: &purpose, KeyType: &keyType, Protection: &protection,
				Origin: d.Origin, LastUsageTimestamp: d.LastUsageTimestamp, Aaguid: d.Aaguid,
			}
			if d.Metadata != nil {
				w.Metadata = wire.Metadata{
					{F0: "text", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagString, String: "value"}},
					{F0: "map", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagMap, Map: wire.Metadata{
						{F0: "bytes", F1: wire.MetadataItemF1{Tag: wire.MetadataItemF1TagBytes, Bytes: []byte{1}}},
					}}},
				}
			}
			a.Devices = append(a.Devices, w)
		}
		table := tableOf(g, layout)
		require.Equal(t, g, table.generation())
		require.True(t, table.writable())
		b := table.encode(nil, &a)
		require.Equal(t, g, generationOf(b))
		var got wire.AnyAnchor
		var err error
		if layout <= 3 {
			got.Devices, err = wire.DecodeAnyDevicesArgs(b)
		} else {
			got, err = wire.DecodeAnyAnchorArgs(b)
		}
		require.NoError(t, err)
		require.Equal(t, lostOf(&a, g) == 0, lostOf(&a, g) == 0 && len(got.Devices) == len(a.Devices))
		if g&hasCreatedAt != 0 {
			require.Equal(t, a.CreatedAt, got.CreatedAt)
		}
		require.Len(t, got.Devices, len(a.Devices))
		for i, d := range a.Devices {
			require.Equal(t, lowered(d, g), got.Devices[i])
		}
	})
}

// Pending requests end with a return, whether the old module wrote the record or not; a request made after
// the return is not touched by the rest of the import.
func TestRequestsAreCancelledOnReturn(t *testing.T) {
	for name, change := range map[string]bool{"record untouched": false, "record written": true} {
		t.Run(name, func(t *testing.T) {
			mem, s := trialWith(t, 7, latest(7), func(a *identity.Anchor) {
				p := protectedDevice("phrase", 1, identity.SeedPhrase)
				p.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 0, CompletesAt: 99}}}
				a.Devices = append(a.Devices, p)
			})
			require.NoError(t, s.SetServiceTime(5, 777_000_000_000))
			o := start(t, mem)
			if change {
				o.Add(10000, passkey("new"))
			}
			o.Stop()

			s, err := Upgrade(mem)
			require.NoError(t, err)
			a := read(t, s, 10000)
			require.Equal(t, []identity.Asker{{ID: 0}}, device(a, "phrase").Consent.Askers, "cancelled as soon as it is read, and nobody is struck off")
			require.NoError(t, s.Write(a))
			device(a, "phrase").Consent.Askers[0].CompletesAt = 1234 // asks anew
			a.Events = nil
			require.NoError(t, s.Write(a))
			for done := false; !done; {
				done, err = Run(s, units(1))
				require.NoError(t, err)
			}
			require.Equal(t, uint64(1234), device(read(t, s, 10000), "phrase").Consent.Askers[0].CompletesAt)
			h, err := s.History(10000, 0, 10)
			require.NoError(t, err)
			require.Equal(t, identity.EventCancelled, h.Events[0].Kind)
			require.Equal(t, device(a, "passkey").Principal, h.Events[0].Other)
			require.Equal(t, uint64(777_000_000_000), h.Events[0].At)

			s = upgrade(t, mem, 10) // not read in between: importing alone cancels it
			require.Zero(t, device(read(t, s, 10000), "phrase").Consent.Askers[0].CompletesAt)
			require.Zero(t, TrialOf(s).Amended)
			require.Empty(t, fsck(t, s))
		})
	}
}

// Changes that no test noticed before.

func TestSaltDrawnOnTrialReachesTheOldHeader(t *testing.T) {
	mem := build(t, 6)
	require.NoError(t, mem.WriteAt(make([]byte, 32), 26))
	s, err := Upgrade(mem)
	require.NoError(t, err)
	salt := [32]byte{1, 2, 3}
	require.NoError(t, SetSalt(s, salt))
	var b [32]byte
	require.NoError(t, mem.ReadAt(b[:], 26))
	require.Equal(t, salt, b)
	_, err = Upgrade(mem)
	require.NoError(t, err)
}

// On trial there is no step back to begin: the old module's memory is untouched, so an upgrade to it is the way.
func TestNoStepBackOnTrial(t *testing.T) {
	s, err := Upgrade(build(t, 6))
	require.NoError(t, err)
	before := migrations.StatusOf(s)
	require.EqualError(t, migrations.StartBack(s, 0), "the memory is on trial beside the old module's: the way back is to upgrade the canister to the old module")
	require.Equal(t, before, migrations.StatusOf(s))
}

func TestUnprovenMarkIsExportedUnprotected(t *testing.T) {
	mem, _ := trialWith(t, 6, latest(6), func(a *identity.Anchor) {
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.Proven, p.LapsesAt = false, 9
		a.Devices = append(a.Devices, p)
	})
	require.False(t, start(t, mem).Device(10000, "phrase").Protected)
}

// After finalising every extent is in one region, free, or nobody's no more: none is in two, none is lost.
func TestFinalisingAccountsForEveryExtent(t *testing.T) {
	for _, layout := range layouts {
		t.Run(fmt.Sprint("layout ", layout), func(t *testing.T) {
			mem := build(t, layout)
			o := start(t, mem)
			for range 3 {
				o.Register(passkey("passkey"))
			}
			o.Stop()
			s := upgrade(t, mem, 5000)
			require.NoError(t, Finalize(s, false))
			used, free, total, err := s.Extents()
			require.NoError(t, err)
			size := uint64(total)*alloc.ExtentPages + 2
			require.LessOrEqual(t, size, mem.Size())
			require.Less(t, mem.Size()-size, uint64(alloc.ExtentPages), "memory beyond the last extent")
			seen := map[uint32]bool{}
			for _, e := range append(used, free...) {
				require.False(t, seen[e], "extent %d is given out twice", e)
				seen[e] = true
			}
			require.Len(t, seen, int(total), "no extent is lost")
			require.NoError(t, s.SetRange(10000, 10000+storage.MaxAnchors))
			before := mem.Size()
			for range min(len(free), 20) * 8192 { // each extent of slots is taken from the free ones
				_, err := s.Allocate()
				require.NoError(t, err)
			}
			require.Equal(t, before, mem.Size())
			used, _, _, err = s.Extents()
			require.NoError(t, err)
			slices.Sort(used)
			require.Len(t, slices.Compact(used), len(used))
		})
	}
}
