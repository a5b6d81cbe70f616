package ii

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii/wire"
)

// The old layout's limits hold while its bytes must stay valid.
func TestOldLimitHoldsOnTrial(t *testing.T) {
	_, s := trialWith(t, 1, nil, func(*identity.Anchor) {})
	a := read(t, s, 10000)
	for i := range 9 {
		d := newDevice(fmt.Sprint("key ", i), i+1)
		d.CredentialID = make([]byte, 240)
		a.Devices = append(a.Devices, d)
	}
	before := read(t, s, 10000)
	var tight *storage.ElderError
	require.ErrorAs(t, s.Write(a), &tight)
	require.ErrorContains(t, tight, "an entry of layout 1 holds 2046")
	require.Equal(t, before, read(t, s, 10000))
	require.NoError(t, Finalize(s, false))
	require.NoError(t, s.Write(a))
}

// Anchors outside today's rules are imported as they are.
func TestOddAnchorsAreImportedAsTheyAre(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem, nil)
	long := passkey("long alias")
	long.Alias = string(make([]byte, 300))
	used := uint64(5)
	twice := passkey("twice")
	twice.LastUsageTimestamp = &used
	o.register(phrase("one", wire.ProtectionUnprotected), phrase("two", wire.ProtectionProtected))
	o.register()
	o.register(long)
	o.register(passkey("twice"), twice)
	var many []wire.AnyDevice
	for i := range 14 {
		many = append(many, passkey(fmt.Sprint("key ", i)))
	}
	o.register(many...)
	require.NoError(t, o.img.Append()) // registered, never written
	o.register(oldDevice("hardware", wire.KeyTypeCrossPlatform, wire.ProtectionProtected))
	r, err := Plan(mem)
	require.NoError(t, err)
	odd := map[Oddity][]uint64{}
	for _, c := range r.Oddities {
		odd[c.Oddity] = c.First
	}
	require.Equal(t, map[Oddity][]uint64{
		OddPhrases: {10000}, OddNoDevices: {10001}, OddField: {10002}, OddCopies: {10003}, OddCredential: {10003},
		OddDevices: {10004}, OddEmpty: {10005}, OddProtected: {10006},
	}, odd)
	require.Equal(t, uint64(2), r.WithoutDevices)

	s := upgrade(t, mem, 3)
	require.Len(t, read(t, s, 10000).Devices, 2)
	require.Empty(t, read(t, s, 10001).Devices)
	require.Len(t, read(t, s, 10002).Devices[0].Alias, 300)
	a := read(t, s, 10003)
	require.Len(t, a.Devices, 1)
	require.Len(t, a.Copies, 1)
	require.True(t, a.Devices[0].Proven)
	require.Len(t, read(t, s, 10004).Devices, 14)
	require.Empty(t, read(t, s, 10005).Devices)
	require.True(t, read(t, s, 10006).Devices[0].Protected)
	require.Equal(t, uint32(2), s.Trial().WithoutKey)
	require.Empty(t, fsck(t, s))
}

// Every message of an import may trap at every stable write; rolled back and sent again, the result is that
// of an import that nothing disturbed.
func TestFaultAtEveryWrite(t *testing.T) {
	for _, layout := range []uint8{1, 6, 9} {
		t.Run(fmt.Sprint("layout ", layout), func(t *testing.T) {
			mem := build(t, layout)
			o := start(t, mem, nil)
			for i := range 3 {
				o.register(passkey(fmt.Sprint("key ", i)), phrase(fmt.Sprint("phrase ", i), wire.ProtectionProtected))
			}
			o.stop()
			attached := func(m storage.Memory) (*storage.Store, error) {
				s, err := storage.Open(m)
				if err != nil {
					return nil, err
				}
				return s, Attach(s)
			}
			step := func(m storage.Memory) error {
				s, err := attached(m)
				if err != nil {
					return err
				}
				_, err = Run(s, units(2))
				return err
			}
			messages := []func(storage.Memory) error{
				func(m storage.Memory) error { _, err := Upgrade(m); return err },
				step, step,
				func(m storage.Memory) error {
					s, err := attached(m)
					if err != nil {
						return err
					}
					number, err := s.Allocate()
					if err != nil {
						return err
					}
					return s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{newDevice("new", 0)}})
				},
				func(m storage.Memory) error { _, err := Upgrade(m); return err },
				step, step, step,
				func(m storage.Memory) error {
					s, err := attached(m)
					if err != nil {
						return err
					}
					return Finalize(s, false)
				},
			}
			for i, message := range messages {
				before := mem.Clone()
				count := storage.NewFaulty(mem, -1)
				require.NoError(t, message(count), i)
				for n := range count.Writes() {
					attempt := before.Clone()
					require.ErrorIs(t, message(storage.NewFaulty(attempt, n)), storage.ErrFault)
					attempt = before.Clone() // the network rolls back
					require.NoError(t, message(attempt))
					require.True(t, mem.Equal(attempt))
				}
			}
		})
	}
}

// A layout 1 module that turns out to know protection was given this phrase as unprotected, so whoever
// removed it there need not have been its owner.
func TestWhatWasWrittenUnprotectedIsNotEnforced(t *testing.T) {
	mem, s := trialWith(t, 1, noProtection, func(a *identity.Anchor) {
		a.Devices = append(a.Devices, protectedDevice("phrase", 1, identity.SeedPhrase))
	})
	was := read(t, s, 10000)
	o := start(t, mem, nil)
	require.True(t, o.change(10000, "passkey", "phrase", nil))
	s = upgrade(t, mem, 10)
	require.True(t, s.Trial().KnowsProtection)
	require.Equal(t, was, read(t, s, 10000))
	o = start(t, mem, nil)
	require.False(t, o.change(10000, "passkey", "phrase", nil), "now it is written as protected")
}

// Slots in extents that the old module had used are as good as new ones.
func TestOldExtentsAsSlots(t *testing.T) {
	mem := build(t, 9)
	o := start(t, mem, nil)
	o.register(passkey("passkey"))
	s := upgrade(t, mem, 10)
	require.NoError(t, Finalize(s, false))
	require.NoError(t, s.SetRange(10000, 30000))
	size := mem.Size()
	for range 8192 {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{newDevice("the same", 0)}}))
	}
	require.Equal(t, size, mem.Size())
	require.Empty(t, fsck(t, s))
}

func TestRefusedAndBroken(t *testing.T) {
	poke := func(layout uint8, off uint64, b ...byte) *storage.RAM {
		mem := build(t, layout)
		start(t, mem, nil).register(passkey("passkey"))
		require.NoError(t, mem.WriteAt(b, off))
		return mem
	}
	mapped := func(length byte) *storage.RAM {
		mem := poke(9, managerAt+managerSizes+8*cborMemory, 1)
		require.NoError(t, mem.WriteAt([]byte{2}, managerAt+4))
		require.NoError(t, mem.WriteAt([]byte{cborMemory}, managerAt+managerOwners+1))
		require.NoError(t, mem.Grow(storage.ExtentPages))
		head := make([]byte, 28)
		copy(head, "BTR\x01")
		head[20] = length
		require.NoError(t, mem.WriteAt(head, lateEntries+bucketSize))
		return mem
	}
	for _, c := range []struct {
		name string
		mem  *storage.RAM
		text string
	}{
		{"empty", storage.NewRAM(0), "not a memory of Internet Identity: it is empty"},
		{"foreign", poke(1, 0, 'X'), `it begins with "XIC"`},
		{"half way to 3", poke(1, 3, 2), "layout 2 of Internet Identity is not imported: it is half way through a conversion of its own; install the old module again"},
		{"half way to 5", poke(3, 3, 4), "layout 4 of Internet Identity is not imported"},
		{"unknown", poke(9, 3, 10), "unsupported header version: 10"},
		{"late layout 9", mapped(1), "its anchors are in a map in virtual memory 16"},
		{"entry size", poke(5, 24, 1), "has entries of 4096 bytes"},
		{"more anchors than range", poke(5, 4, 0xff, 0xff), "65535 anchors in the range"},
		{"more anchors than memory", poke(5, 4, 200), "the memory ends before the last"},
		{"no manager", poke(7, managerAt, 'X'), "memory manager"},
		{"no buckets", poke(7, managerAt+managerOwners, freeBucket), "outside stable memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.mem.Clone()
			_, err := Begin(c.mem)
			require.ErrorContains(t, err, c.text)
			_, err = Plan(c.mem)
			require.ErrorContains(t, err, c.text)
			require.True(t, before.Equal(c.mem), "nothing was changed")
		})
	}
	_, err := Begin(mapped(0))
	require.NoError(t, err, "an empty map does not make memory 0 stale")
}

// A record that cannot be read is reported, left alone, and keeps the old bytes from being given up.
func TestUnreadableRecord(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem, nil)
	o.register(passkey("passkey"))
	o.register(passkey("passkey"))
	require.NoError(t, o.img.SetEntry(0, []byte("not Candid")))
	r, err := Plan(mem)
	require.NoError(t, err)
	require.Equal(t, uint64(1), r.UnreadableAnchors)
	require.ErrorContains(t, fmt.Errorf("%s", r.Unreadable[0].Error), "anchor 10000")
	s := upgrade(t, mem, 10)
	_, err = s.Read(10000)
	require.ErrorContains(t, err, "anchor 10000 is corrupted: its old record")
	require.Len(t, read(t, s, 10001).Devices, 1)
	require.ErrorContains(t, Finalize(s, true), "1 anchors could not be read")
}

// While the old module is on trial it must keep its layout.
func TestLayoutChangedOnTrial(t *testing.T) {
	mem, _ := trialWith(t, 5, nil, func(*identity.Anchor) {})
	require.NoError(t, mem.WriteAt([]byte{3}, 3))
	_, err := Upgrade(mem)
	require.ErrorContains(t, err, "was on trial beside layout 5")
	require.NoError(t, mem.WriteAt([]byte{6}, 3)) // 5 to 6 only flips the version
	_, err = Upgrade(mem)
	require.NoError(t, err)
}

func TestAnotherSaltIsRefused(t *testing.T) {
	mem, _ := trialWith(t, 5, nil, func(*identity.Anchor) {})
	require.NoError(t, mem.WriteAt([]byte{1}, 26))
	_, err := Upgrade(mem)
	require.ErrorContains(t, err, "another salt")
}

func FuzzRecord(f *testing.F) {
	a := wire.AnyAnchor{Devices: []wire.AnyDevice{phrase("phrase", wire.ProtectionProtected), passkey("passkey")}}
	purpose := wire.PurposeRecovery
	for i := range a.Devices {
		a.Devices[i].Purpose = &purpose
	}
	f.Add(uint8(1), encodeGenesis(a.Devices))
	f.Add(uint8(3), encode(3, a))
	f.Add(uint8(9), encode(9, a))
	f.Fuzz(func(t *testing.T, layout uint8, raw []byte) {
		mem := build(t, layouts[int(layout)%len(layouts)])
		m, err := Open(mem)
		require.NoError(t, err)
		require.NoError(t, m.Append())
		if m.SetEntry(0, raw) != nil {
			return
		}
		old, _, err := m.Decode(0)
		if err != nil {
			return
		}
		imported, _ := old.Import()
		again := encode(9, exported(imported, true))
		back, err := wire.DecodeAnyAnchorArgs(again)
		if err != nil {
			t.Fatalf("an imported anchor cannot be written for the old module: %v", err)
		}
		if n := len(imported.Devices) + len(imported.Copies); len(back.Devices) != n {
			t.Fatalf("%d devices become %d", n, len(back.Devices))
		}
		merge(imported, old, raw, true)
	})
}
