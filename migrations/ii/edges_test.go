package ii

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

// The old layout's limits hold while its bytes must stay valid.
func TestOldLimitHoldsOnTrial(t *testing.T) {
	_, s := trialWith(t, 1, latest(1), func(*identity.Anchor) {})
	a := read(t, s, 10000)
	for i := range 9 {
		d := newDevice(fmt.Sprint("key ", i), i+1)
		d.CredentialID = make([]byte, 240)
		a.Devices = append(a.Devices, d)
	}
	before := read(t, s, 10000)
	var tight *storage.LegacyError
	require.ErrorAs(t, s.Write(a), &tight)
	require.ErrorContains(t, tight, "an entry of layout 1 holds 2046")
	require.Equal(t, before, read(t, s, 10000))
	require.NoError(t, Finalize(s, false))
	require.NoError(t, s.Write(a))
}

// Anchors outside today's rules are imported as they are.
func TestOddAnchorsAreImportedAsTheyAre(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem)
	long := passkey("long alias")
	long.Alias = string(make([]byte, 300))
	used := uint64(5)
	twice := passkey("twice")
	twice.LastUsed = &used
	o.Register(phrase("one", false), phrase("two", true))
	o.Register()
	o.Register(long)
	o.Register(passkey("twice"), twice)
	var many []iitest.Device
	for i := range 14 {
		many = append(many, passkey(fmt.Sprint("key ", i)))
	}
	o.Register(many...)
	o.SetEntry(o.Register(), nil) // registered, never written
	o.Register(iitest.Device{Key: "hardware", KeyType: "cross_platform", Protected: true})
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
	require.Equal(t, uint32(2), TrialOf(s).WithoutKey)
	require.Empty(t, fsck(t, s))
}

// Every message of an import may trap at every stable write; rolled back and sent again, the result is that
// of an import that nothing disturbed.
func TestFaultAtEveryWrite(t *testing.T) {
	for _, layout := range []uint8{1, 6, 9} {
		t.Run(fmt.Sprint("layout ", layout), func(t *testing.T) {
			mem := build(t, layout)
			o := start(t, mem)
			for i := range 3 {
				o.Register(passkey(fmt.Sprint("key ", i)), phrase(fmt.Sprint("phrase ", i), true))
			}
			o.Stop()
			step := func(m storage.Memory) error {
				s, err := OpenStore(m)
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
					s, err := OpenStore(m)
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
					s, err := OpenStore(m)
					if err != nil {
						return err
					}
					return Finalize(s, false)
				},
			}
			for i, message := range messages {
				before := mem.Clone()
				count := stable.NewFaulty(mem, -1)
				require.NoError(t, message(count), i)
				for n := range count.Writes() {
					attempt := before.Clone()
					require.ErrorIs(t, message(stable.NewFaulty(attempt, n)), stable.ErrFault)
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
	o := start(t, mem)
	require.True(t, o.Change(10000, "passkey", "phrase", nil))
	s = upgrade(t, mem, 10)
	require.True(t, TrialOf(s).KnowsProtection)
	require.Equal(t, was, read(t, s, 10000))
	o = start(t, mem)
	require.False(t, o.Change(10000, "passkey", "phrase", nil), "now it is written as protected")
}

// Slots in extents that the old module had used are as good as new ones.
func TestOldExtentsAsSlots(t *testing.T) {
	mem := build(t, 9)
	o := start(t, mem)
	o.Register(passkey("passkey"))
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
		start(t, mem).Register(passkey("passkey"))
		require.NoError(t, mem.WriteAt(b, off))
		return mem
	}
	mapped := func(length byte) *storage.RAM {
		mem := poke(9, managerAt+managerSizes+8*mapMemory, 1)
		require.NoError(t, mem.WriteAt([]byte{2}, managerAt+4))
		require.NoError(t, mem.WriteAt([]byte{mapMemory}, managerAt+managerOwners+1))
		require.NoError(t, mem.Grow(alloc.ExtentPages))
		head := make([]byte, 28)
		copy(head, "BTR\x01")
		head[20] = length
		require.NoError(t, mem.WriteAt(head, lateEntries+storage.PageSize*128))
		return mem
	}
	counted := func(layout uint8, off, anchors, entries int, named ...byte) *storage.RAM {
		mem := storage.NewRAM(0)
		iitest.Install(t, mem, layout, iitest.Options{Entries: uint64(entries)})
		o := start(t, mem)
		for range anchors {
			o.Register(passkey("passkey"))
		}
		o.Stop()
		if have := mem.Size(); have < 130 {
			require.NoError(t, mem.Grow(130-have))
		}
		require.NoError(t, mem.WriteAt(le.AppendUint32(nil, uint32(anchors+off)), 4))
		require.NoError(t, mem.WriteAt(named, 3))
		return mem
	}
	leftover := func() *storage.RAM { // the end of a state of layout 8 whose beginning an entry was written over
		mem := counted(9, 1000, 3, 9000)
		require.NoError(t, mem.WriteAt([]byte("state"), lateEntries+3*4096))
		return mem
	}
	stated := func(named byte) *storage.RAM { // layout 9 with its state
		mem := poke(9, 0, 'I')
		writeState(t, mem, 9, []byte("state"))
		require.NoError(t, mem.WriteAt([]byte{named}, 3))
		return mem
	}
	cutOff := func(layout uint8) *storage.RAM {
		mem := poke(layout, 0, 'I')
		require.NoError(t, mem.WriteAt([]byte{2}, managerAt+4))
		require.NoError(t, mem.WriteAt([]byte{8 - layout}, managerAt+managerOwners+1))
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
		{"another map", mapped(1), "virtual memory 16 begins with 425452010000000000000000, which is no map of version 2"},
		{"flipped magic", poke(6, 2, 'B'), `it begins with "IIB", where Internet Identity's begins with "IIC": it is another canister's, or its first bytes are damaged`},
		{"Kedge's own", poke(6, 0, []byte("KDG\x02")...), `it is Kedge's own already (it begins with "KDG"), so there is nothing to import`},
		{"entry size", poke(5, 24, 1), "the header is damaged: it says that an entry has 4097 bytes; in layout 5 every entry has 4096"},
		{"more anchors than range", poke(5, 4, 0xff, 0xff), "the header is damaged: it counts 65535 anchors in the range"},
		{"more anchors than memory", poke(5, 4, 200), "the header counts 200 anchors, whose entries take 800 KiB, and the memory ends before the last of them: the memory is cut off, or the count is wrong"},
		{"a thousand too many", counted(7, 1000, 3, 9000), "the header counts 1003 anchors, but only 3 have a record: the last 1000 entries were never written, so the count is wrong"},
		{"a thousand too many without state", counted(9, 1000, 3, 9000), "the header counts 1003 anchors, but only 3 have a record: the last 1000 entries"},
		{"two too few", counted(6, -2, 3, 100), "the header counts 1 anchors, but the records of 2 more follow: the count is wrong, and an import would lose the anchors from 10001 on"},
		{"a thousand too few", counted(1, -1000, 1001, 9000), "the header counts 1 anchors, but the records of 1000 more follow"},
		{"no manager", poke(7, managerAt, 'X'), `the table of the memory manager, in the second page, begins with "XGR\x01"; in layout 7 it begins with "MGR\x01": that page is damaged`},
		{"cut off behind memory 0", cutOff(7), "the memory is cut off: the memory manager has 2 buckets of 128 pages, which end at page 258, and there are 130 pages; take the backup again"},
		{"cut off in memory 0", cutOff(8), "the memory is cut off: the memory manager has 2 buckets of 128 pages"},
		{"no buckets", poke(7, managerAt+managerOwners, freeBucket), "the table of the memory manager, in the second page, is damaged: virtual memory 0 has 1 pages, which take 1 buckets of 128 pages, and has 0 buckets"},
		{"a bucket of another memory", poke(7, managerAt+managerOwners, 3), "virtual memory 0 has 1 pages, which take 1 buckets of 128 pages, and has 0 buckets"},
		{"a memory that is larger than its buckets", poke(8, managerAt+managerSizes, 129), "virtual memory 0 has 129 pages, which take 2 buckets of 128 pages, and has 1 buckets"},
		{"a memory that is smaller than its buckets", poke(8, managerAt+managerSizes, 0), "virtual memory 0 has 0 pages, which take 0 buckets of 128 pages, and has 1 buckets"},
		{"the size of the last memory", poke(9, managerAt+managerSizes+8*254+7, 0x80), "virtual memory 254 has 9223372036854775808 pages"},
		{"too few buckets counted", poke(9, managerAt+4, 0), "the table of the memory manager, in the second page, is damaged: it counts 0 buckets, and bucket 0 belongs to virtual memory 0"},
		{"a bucket behind those that are counted", poke(9, managerAt+managerOwners+managerBuckets-1, 16), "it counts 1 buckets, and bucket 32767 belongs to virtual memory 16"},
		{"layout 5 in the header of layout 7", poke(7, 3, 5), "the header is damaged: it names layout 5, which has no memory manager, and the second page is the table of one, as in layouts 7 to 9"},
		{"layout 3 in the header of layout 7", poke(7, 3, 3), "it names layout 3, which has no memory manager"},
		{"layout 9 in the header of layout 8", counted(8, 0, 3, 100, 9), "the header is damaged: it names layout 9, and the old module's state is behind the last entry, where layouts up to 8 keep it, and nowhere else"},
		{"layout 8 in the header of layout 9", stated(8), "the header is damaged: it names layout 8, and virtual memory 2 has 1 pages, which is where layout 9 keeps its state"},
		{"a thousand too many over what a state left", leftover(), "the header counts 1003 anchors, but the last 999 entries were never written, so the count is wrong"},
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
	o := start(t, mem)
	o.Register(passkey("passkey"))
	o.Register(passkey("passkey"))
	o.SetEntry(10000, []byte("not Candid"))
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
	mem, _ := trialWith(t, 5, latest(5), func(*identity.Anchor) {})
	require.NoError(t, mem.WriteAt([]byte{3}, 3))
	_, err := Upgrade(mem)
	require.ErrorContains(t, err, "was on trial beside layout 5")
	require.NoError(t, mem.WriteAt([]byte{6}, 3)) // 5 to 6 only flips the version
	_, err = Upgrade(mem)
	require.NoError(t, err)
}

func TestAnotherSaltIsRefused(t *testing.T) {
	mem, _ := trialWith(t, 5, latest(5), func(*identity.Anchor) {})
	require.NoError(t, mem.WriteAt([]byte{1}, 26))
	_, err := Upgrade(mem)
	require.ErrorContains(t, err, "another salt")
}

func FuzzRecord(f *testing.F) {
	devices := []iitest.Device{phrase("phrase", true), passkey("passkey")}
	for i, layout := range layouts {
		for _, g := range iitest.Generations(layout) {
			f.Add(uint8(i), g.Encode(devices))
		}
	}
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
		out := exported(imported, true)
		again := tableOf(allGenerations, 9).encode(nil, &out)
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
