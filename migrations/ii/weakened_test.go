package ii

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
)

func weakened(t *testing.T, s *storage.Store) (numbers []uint64) {
	t.Helper()
	found, next, err := Weakened(s, 0, 100, unlimited)
	require.NoError(t, err)
	require.Zero(t, next)
	for _, w := range found {
		require.Equal(t, storage.LossProtections, w.Loss)
		numbers = append(numbers, w.Anchor)
	}
	return numbers
}

// An anchor is on the list exactly if the old module lets a passkey remove one of its protected devices.
func TestWeakenedIsWhatTheOldModuleLetsHappen(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem)
	for i := range 4 {
		o.Register(passkey(fmt.Sprint("key ", i)), phrase(fmt.Sprint("phrase ", i), i != 3))
	}
	o.Register(passkey("key 4"), iitest.Device{Key: "phrase 4", KeyType: "cross_platform", Protected: true})
	o.Stop()
	s := upgrade(t, mem, 10)
	kept := map[uint64]bool{}
	check := func(want ...uint64) {
		t.Helper()
		require.Equal(t, want, weakened(t, s))
		clear(kept)
		trial := mem.Clone()
		o := start(t, trial)
		for i := range uint64(5) {
			if a := read(t, s, 10000+i); device(a, fmt.Sprint("phrase ", i)).Protected {
				kept[10000+i] = !o.Change(10000+i, fmt.Sprint("key ", i), fmt.Sprint("phrase ", i), nil)
			}
		}
		for _, number := range want {
			require.False(t, kept[number], "anchor %d", number)
			delete(kept, number)
		}
		for number, held := range kept {
			require.True(t, held, "anchor %d", number)
		}
	}
	check()
	for i := range uint64(5) { // each is written anew
		a := read(t, s, 10000+i)
		a.Devices[0].Alias = "renamed"
		require.NoError(t, s.Write(a))
	}
	check(10004) // the old module knows protected phrases alone
	a := read(t, s, 10000)
	a.Devices = append(a.Devices, protectedDevice("hardware", 7, identity.CrossPlatform))
	require.NoError(t, s.Write(a))
	require.Equal(t, []uint64{10000, 10004}, weakened(t, s), "one of its two is not")
}

// Where the old record has no room for a phrase that somebody removed before the old module knew protection, our copy
// has it, and the list names the anchor.
func TestWeakenedNamesWhatHadNoRoom(t *testing.T) {
	mem, s := trialWith(t, 1, noProtection, func(a *identity.Anchor) {
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.Alias = strings.Repeat("p", 200)
		a.Devices = append(a.Devices, p)
	})
	require.Equal(t, []uint64{10000}, weakened(t, s), "the module does not know protection")
	o := start(t, mem)
	require.True(t, o.Change(10000, "passkey", "phrase", nil))
	for i := range 8 { // the old module fills the entry
		o.Add(10000, iitest.Device{Key: fmt.Sprint("more ", i), Alias: strings.Repeat("a", 200)})
	}
	o.Stop()
	s = upgrade(t, mem, 10)
	require.True(t, TrialOf(s).KnowsProtection)
	require.True(t, device(read(t, s, 10000), "phrase").Protected)
	require.NotContains(t, start(t, mem).Keys(10000), "phrase", "there was no room for it")
	require.Equal(t, []uint64{10000}, weakened(t, s))

	a := read(t, s, 10000)
	a.Devices = a.Devices[:4]
	require.NotNil(t, device(a, "phrase"))
	require.NoError(t, s.Write(a))
	require.Empty(t, weakened(t, s), "now there is")
}

// A phrase of which an import had two records, one of them protected, is free under the old module once its owner has
// unprotected it.
func TestUnprotectedCopyIsFreeUnderTheOldModule(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem)
	o.Register(passkey("key"), phrase("twice", false), phrase("twice", true))
	o.Stop()
	s := upgrade(t, mem, 10)
	a := read(t, s, 10000)
	require.True(t, device(a, "twice").Protected)
	a.Devices[0].Alias = "renamed"
	require.NoError(t, s.Write(a))
	require.True(t, start(t, mem).Devices(10000)[2].Protected, "it is still protected")
	device(a, "twice").Protected = false
	require.NoError(t, s.Write(a))
	for _, d := range start(t, mem).Devices(10000) {
		require.False(t, d.Protected, "%+v", d)
	}
	o = start(t, mem)
	o.Add(10000, passkey("added"))
	o.Stop()
	s = upgrade(t, mem, 10)
	require.False(t, device(read(t, s, 10000), "twice").Protected, "nor does it come back protected")
}
