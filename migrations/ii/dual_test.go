package ii

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
)

// dual is the memory of a canister that keeps n anchors in memory 0 and in virtual memory 16.
func dual(t require.TestingT, n int) (*storage.RAM, *iitest.Module) {
	mem := build(t, 9)
	o := start(t, mem)
	for i := range n {
		o.Register(passkey(fmt.Sprint("key ", i)), phrase(fmt.Sprint("phrase ", i), i%2 == 0), iitest.Device{Key: fmt.Sprint("browser ", i), KeyType: "browser_storage_key"})
	}
	return mem, o.Dual()
}

func TestMapIsReadAsItWasWritten(t *testing.T) {
	for _, n := range []int{1, 5, 6, 7, 40, 200} {
		mem, o := dual(t, n)
		m, err := Open(mem)
		require.NoError(t, err)
		require.Equal(t, uint64(n), m.mapped.Len)
		var failed error
		next := uint64(10000)
		for number, value := range m.mapped.all(&failed) {
			require.Equal(t, next, number)
			next++
			got, err := m.mapped.get(number)
			require.NoError(t, err)
			require.Equal(t, value, got)
			v, err := decodeMapped(value)
			require.NoError(t, err)
			require.Len(t, v.keys, 3)
		}
		require.NoError(t, failed)
		require.Equal(t, uint64(10000+n), next)
		none, err := m.mapped.get(9)
		require.NoError(t, err)
		require.Nil(t, none)
		require.Len(t, o.Map(), n)
	}
}

// A memory that has every anchor twice is imported, goes back, comes forward, and is finalised.
func TestDualMemoryIsImported(t *testing.T) {
	mem, o := dual(t, 9)
	o.SetMapped(10002, &iitest.Mapped{Name: "a name", Devices: o.Devices(10002)})
	empty := o.Register()
	o.SetMapped(empty, &iitest.Mapped{Name: "only a name", OpenID: true})
	r, err := Plan(mem)
	require.NoError(t, err)
	require.Equal(t, uint64(10), r.Mapped)
	require.Equal(t, uint64(1), r.NamedAlone)
	require.Equal(t, []uint64{empty}, r.FirstNamedAlone)
	require.Contains(t, r.Form, "and again in a map in virtual memory 16")

	before := o.Map()
	s := upgrade(t, mem, 4)
	require.Equal(t, uint32(1), TrialOf(s).Named)
	require.Equal(t, uint32(empty-10000), TrialOf(s).FirstNamed[0])
	out, next, err := Outdated(s, 0, 100, unlimited)
	require.NoError(t, err)
	require.Zero(t, next)
	require.Empty(t, out, "nobody has changed anything yet")

	a := read(t, s, 10001)
	a.Devices = a.Devices[1:] // a passkey is removed
	require.NoError(t, s.Write(a))
	b := read(t, s, 10003)
	b.Devices[0].LastUsed = 5 // a sign-in, which is not a change of devices
	require.NoError(t, s.Write(b))
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{newDevice("born in kedge", 0)}}))
	out, _, err = Outdated(s, 0, 100, unlimited)
	require.NoError(t, err)
	require.Equal(t, []uint64{10001, number}, out)
	require.Equal(t, before, o.Map(), "the map is for the way back and stays as it is")

	// The list is true: a build that reads the map would bring the removed passkey back, in these anchors alone.
	for at, m := range o.Map() {
		var keys []string
		for _, d := range m.Devices {
			keys = append(keys, d.Key)
		}
		have := names(read(t, s, at))
		if at == 10001 {
			require.Contains(t, keys, "key 1")
			require.NotContains(t, have, "key 1")
			continue
		}
		require.ElementsMatch(t, have, keys, "%d", at)
	}
	require.NotContains(t, o.Map(), number)

	// Back, and forward again: what Kedge itself changed is no contradiction.
	o = start(t, mem)
	require.Equal(t, []string{"born in kedge"}, o.Keys(number))
	o = o.Dual() // keeps the map from now on; the new anchor goes into it
	o.Add(10004, passkey("added by the old build"))
	require.Equal(t, "a name", o.Map()[10002].Name)
	s = upgrade(t, mem, 3)
	require.Equal(t, []string{"phrase 1", "browser 1"}, names(read(t, s, 10001)))
	require.Contains(t, names(read(t, s, 10004)), "added by the old build")
	require.Zero(t, TrialOf(s).Unreadable)
	require.Empty(t, fsck(t, s))
	require.NoError(t, Finalize(s, true))
	s, err = storage.Open(mem)
	require.NoError(t, err)
	require.Empty(t, fsck(t, s))
	require.Equal(t, []string{"phrase 1", "browser 1"}, names(read(t, s, 10001)))
}

func TestContradictionsAreRefusedUnchanged(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(o *iitest.Module)
		text   string
	}{
		{"an anchor in the map alone", func(o *iitest.Module) { o.SetMapped(10009, &iitest.Mapped{}) }, "its map in virtual memory 16 has 4 anchors, and memory 0, from which devices are read, only 3: a build from January 2026 on registered anchors in the map alone"},
		{"the next number in the map alone", func(o *iitest.Module) { o.SetMapped(10003, &iitest.Mapped{}); o.SetMapped(10001, nil) }, "anchor 10003 stands in virtual memory 16 alone"},
		{"another one in the map alone", func(o *iitest.Module) { o.SetMapped(10009, &iitest.Mapped{}); o.SetMapped(10001, nil) }, "anchor 10009 stands in virtual memory 16 alone: memory 0, from which devices are read, has the anchors 10000 to 10002"},
		{"a device in the map alone", func(o *iitest.Module) {
			o.SetMapped(10001, &iitest.Mapped{Devices: append(o.Devices(10001), passkey("more"))})
		}, "anchor 10001: memory 0 and virtual memory 16 contradict each other: the device with key 6d6f7265 is in virtual memory 16 alone"},
		{"a device in memory 0 alone", func(o *iitest.Module) { o.SetMapped(10001, &iitest.Mapped{Devices: o.Devices(10001)[1:]}) }, "the device with key 6b65792031 is in memory 0 alone"},
		{"a flipped byte in memory 0", func(o *iitest.Module) {
			devices := o.Devices(10002)
			devices[0].Key = "kex 2"
			o.SetEntry(10002, o.Generation.Encode(devices))
		}, "anchor 10002: memory 0 and virtual memory 16 contradict each other"},
		{"a map that counts too few", func(o *iitest.Module) { o.SetMapLen(2) }, "its map in virtual memory 16 counts 2 anchors and has more than that: it is damaged"},
		{"a map that counts too many", func(o *iitest.Module) { o.SetMapped(10001, nil); o.SetMapLen(3) }, "its map in virtual memory 16 counts 3 anchors and has 2: it is damaged"},
		{"a map that counts none", func(o *iitest.Module) { o.SetMapLen(0) }, "the map in virtual memory 16 counts 0 entries, and its root is at "},
		{"a phrase protected in one alone", func(o *iitest.Module) {
			devices := o.Devices(10000)
			devices[1].Protected = false
			o.SetMapped(10000, &iitest.Mapped{Devices: devices})
		}, "anchor 10000: memory 0 and virtual memory 16 contradict each other: the recovery phrase with key 7068726173652030 is protected in one of them alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem, o := dual(t, 3)
			c.change(o)
			before := mem.Clone()
			_, err := Upgrade(mem)
			require.ErrorContains(t, err, c.text)
			require.ErrorContains(t, err, "nothing was changed")
			require.True(t, before.Equal(mem))
			_, err = Plan(mem)
			require.ErrorContains(t, err, c.text)
		})
	}
}

// The same check at every return: an empty canister on trial is no trap when the old build registers.
func TestEmptyDualCanister(t *testing.T) {
	mem, _ := dual(t, 0)
	s := upgrade(t, mem, 1)
	require.Zero(t, s.Count())
	o := start(t, mem).Dual()
	o.Register(passkey("first"))
	s = upgrade(t, mem, 1)
	require.Equal(t, []string{"first"}, names(read(t, s, 10000)))

	o = start(t, mem).Dual()
	o.SetMapped(10000, &iitest.Mapped{Devices: []iitest.Device{passkey("written into the map alone")}})
	before := mem.Clone()
	_, err := Upgrade(mem)
	require.ErrorContains(t, err, "anchor 10000: memory 0 and virtual memory 16 contradict each other")
	require.True(t, before.Equal(mem))
	o.SetMapped(10000, &iitest.Mapped{Devices: []iitest.Device{passkey("first")}})
	o.SetMapped(10001, &iitest.Mapped{Devices: []iitest.Device{passkey("registered in the map alone")}})
	_, err = Upgrade(mem)
	require.ErrorContains(t, err, "registered anchors in the map alone")
}

// What a large memory has too much of to be compared at once is compared as it is imported.
func TestContradictionFoundWhileImporting(t *testing.T) {
	mem, o := dual(t, 3)
	s, err := Upgrade(mem)
	require.NoError(t, err)
	o.SetMapped(10001, &iitest.Mapped{Devices: []iitest.Device{passkey("other")}}) // as if it had not been looked at
	_, err = s.Read(10001)
	require.ErrorContains(t, err, "memory 0 and virtual memory 16 contradict each other")
	done, err := Run(s, unlimited)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, uint32(1), TrialOf(s).Unreadable)
	require.ErrorContains(t, Finalize(s, true), "1 anchors could not be read")
}

// Whatever is in virtual memory 16, opening it ends with an answer.
func TestDamagedMap(t *testing.T) {
	mem, _ := dual(t, 30)
	m, err := Open(mem)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		damaged := mem.Clone()
		off := uint64(r.IntN(30 << 10))
		err := m.mapped.memory.spans(off, 1, func(raw uint64, _, _ int) error {
			return damaged.WriteAt([]byte{byte(r.Uint32())}, raw)
		})
		require.NoError(t, err)
		before := damaged.Clone()
		if _, err := Plan(damaged); err != nil {
			_, again := Upgrade(damaged)
			require.Error(t, again)
			require.True(t, before.Equal(damaged))
		}
	}
}

func FuzzMapped(f *testing.F) {
	mem, _ := dual(f, 2)
	m, err := Open(mem)
	require.NoError(f, err)
	value, err := m.mapped.get(10001)
	require.NoError(f, err)
	f.Add(value)
	f.Add([]byte{0xbf, 0x03, 0x9f, 0xa1, 0x00, 0x82, 0x01, 0x02, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decodeMapped(b)
		if err == nil && len(v.keys) > len(b) {
			t.Fatalf("%d keys in %d bytes", len(v.keys), len(b))
		}
	})
}

// Before an import, and at a return, so many anchors are compared and no more: the rest as they are imported.
func TestSoManyAreComparedAhead(t *testing.T) {
	mem, o := dual(t, 4)
	o.SetMapped(10002, &iitest.Mapped{Devices: []iitest.Device{passkey("other")}})
	m, err := Open(mem)
	require.NoError(t, err)
	for most := range 5 {
		err := m.checkMapped(most, nil)
		if most < 3 {
			require.NoError(t, err, most)
		} else {
			require.ErrorContains(t, err, "anchor 10002: memory 0 and virtual memory 16 contradict each other", most)
		}
	}
}

// An anchor without devices, which the map does not have, has no name there.
func TestAnchorThatTheMapDoesNotHave(t *testing.T) {
	mem, o := dual(t, 1)
	o.SetMapped(o.Register(), nil)
	r, err := Plan(mem)
	require.NoError(t, err)
	require.Zero(t, r.NamedAlone)
	s := upgrade(t, mem, 3)
	require.Empty(t, read(t, s, 10001).Devices)
	require.Zero(t, TrialOf(s).Unreadable)
	require.Zero(t, TrialOf(s).Named)
}

func TestKeysAreAbbreviated(t *testing.T) {
	require.Equal(t, "0001020304050607", abbreviated([]byte{0, 1, 2, 3, 4, 5, 6, 7}))
	require.Equal(t, "…0102030405060708", abbreviated([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8}))
}
