package ii

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
)

func TestTags(t *testing.T) {
	raw := []byte("record")
	for _, enforced := range []bool{false, true} {
		for _, ours := range []bool{false, true} {
			for _, returns := range []uint8{0, 1, 63} {
				tag := tagOf(raw, enforced, ours, returns)
				require.Equal(t, enforced, tag&tagEnforced != 0)
				require.Equal(t, ours, tag&tagOurs != 0)
				require.Equal(t, returns, uint8(tag>>1)&tagReturns)
				require.True(t, sameRecord(raw, tag))
				require.False(t, sameRecord([]byte("another"), tag))
			}
		}
	}
}

// A store that is not on trial has nothing to attach, to come back from, to import or to be out of date.
func TestStoreThatIsNotOnTrial(t *testing.T) {
	s, err := storage.Create(storage.NewRAM(0), storage.Config{Lo: 10000, Hi: 20000})
	require.NoError(t, err)
	require.NoError(t, Return(s))
	done, err := Run(s, units(0))
	require.NoError(t, err)
	require.True(t, done)
	settings, err := SettingsOf(s)
	require.NoError(t, err)
	require.Equal(t, Settings{}, settings)
	out, next, err := Outdated(s, 0, 10, unlimited)
	require.NoError(t, err)
	require.Empty(t, out)
	require.Zero(t, next)
	_, _, err = Weakened(s, 0, 10, unlimited)
	require.EqualError(t, err, "the old store is not attached")
	require.NoError(t, SetSalt(s, [32]byte{1}))
	require.Error(t, SetSalt(s, [32]byte{2}))
	var page [64]byte
	require.NoError(t, s.Memory().ReadAt(page[:], 0))
	require.NotEqual(t, byte(1), page[26], "no old header is written over")
	_, err = attached(s)
	require.EqualError(t, err, "the old store is not attached")
	require.EqualError(t, Finalize(s, false), "the memory is not on trial: there is nothing to finalise")
}

// Lists come in pages, by how many they name and by the budget; each anchor is on one of them.
func TestPagesOfLists(t *testing.T) {
	mem, _ := dual(t, 7)
	s := upgrade(t, mem, 10)
	for _, number := range []uint64{10001, 10002, 10004, 10006} {
		a := read(t, s, number)
		a.Devices, a.Guard, a.SessionLimit = a.Devices[1:], false, 5
		require.NoError(t, s.Write(a))
	}
	for name, list := range map[string]func(from uint64, limit int, budget func() bool) ([]uint64, uint64, error){
		"outdated": func(from uint64, limit int, budget func() bool) ([]uint64, uint64, error) {
			return Outdated(s, from, limit, budget)
		},
		"weakened": func(from uint64, limit int, budget func() bool) (all []uint64, next uint64, err error) {
			found, next, err := Weakened(s, from, limit, budget)
			for _, w := range found {
				require.Equal(t, storage.LossDemands, w.Loss)
				all = append(all, w.Anchor)
			}
			return all, next, err
		},
	} {
		for _, c := range []struct {
			from   uint64
			limit  int
			budget int
			want   []uint64
			next   uint64
		}{
			{0, 10, 100, []uint64{10001, 10002, 10004, 10006}, 0},
			{0, 2, 100, []uint64{10001, 10002}, 10003},
			{10003, 2, 100, []uint64{10004, 10006}, 0},
			{10003, 1, 100, []uint64{10004}, 10005},
			{10005, 1, 100, []uint64{10006}, 0},
			{0, 0, 100, nil, 10000},
			{0, 10, 3, []uint64{10001, 10002}, 10003},
			{10003, 10, 3, []uint64{10004}, 10006},
			{10006, 10, 1, []uint64{10006}, 0},
			{10007, 10, 0, nil, 0},
			{20000, 10, 100, nil, 0},
		} {
			found, next, err := list(c.from, c.limit, units(c.budget))
			require.NoError(t, err)
			require.Equal(t, c.want, found, "%s %+v", name, c)
			require.Equal(t, c.next, next, "%s %+v", name, c)
		}
	}
}

// An import goes on where the last message ended, and each message does as much as its budget.
func TestImportKeepsItsPlace(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem)
	for i := range 5 {
		o.Register(passkey(fmt.Sprint("key ", i)))
	}
	o.Stop()
	s, err := Upgrade(mem)
	require.NoError(t, err)
	for imported := uint32(0); imported < 5; imported += 2 {
		require.Equal(t, imported, TrialOf(s).Imported)
		require.EqualError(t, Finalize(s, false), fmt.Sprintf("%d of 5 anchors are not imported yet: let the migration finish first", 5-imported))
		done, err := Run(s, units(2))
		require.NoError(t, err)
		require.Equal(t, imported == 4, done)
		s, err = OpenStore(mem)
		require.NoError(t, err)
	}
	require.Equal(t, uint32(5), TrialOf(s).Imported)
	require.NoError(t, Finalize(s, false))
}

// A damaged copy of ours counts as unreadable, and nothing else suffers.
func TestImportOverADamagedCopy(t *testing.T) {
	mem, s := trialWith(t, 6, latest(6), func(*identity.Anchor) {})
	damage(t, s, 0)
	s, err := Upgrade(mem)
	require.NoError(t, err)
	done, err := Run(s, unlimited)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, uint32(1), TrialOf(s).Unreadable)
	require.EqualError(t, Finalize(s, true), "1 anchors could not be read: finalising would lose them; fsck names them")
	weak, _, err := Weakened(s, 0, 10, unlimited)
	require.NoError(t, err)
	require.Empty(t, weak)
}

// damage changes a byte in the record of a slot.
func damage(t *testing.T, s *storage.Store, slot uint64) {
	t.Helper()
	used, _, _, err := s.Extents()
	require.NoError(t, err)
	at := uint64(used[0])*128*storage.PageSize + 2*storage.PageSize + slot*storage.SlotSize + 60
	var b [1]byte
	require.NoError(t, s.Memory().ReadAt(b[:], at))
	b[0] ^= 1
	require.NoError(t, s.Memory().WriteAt(b[:], at))
	_, _, err = s.ReadOwn(10000 + slot)
	require.ErrorAs(t, err, new(*storage.CorruptedError))
}

// Anchors without a device key keep the old bytes from being given up, unless that is accepted.
func TestAnchorsWithoutAKey(t *testing.T) {
	mem := build(t, 6)
	o := start(t, mem)
	o.Register(iitest.Device{Key: ""})
	o.Register(iitest.Device{Key: ""}, passkey("key"))
	o.Register()
	o.Stop()
	s := upgrade(t, mem, 10)
	require.Equal(t, uint32(2), TrialOf(s).WithoutKey)
	require.EqualError(t, Finalize(s, false), "2 anchors have no device, so that nobody can sign in to them: accept that explicitly to go on")
	require.NoError(t, Finalize(s, true))
}

// As many of the first are named as there is room for.
func TestFirstAmended(t *testing.T) {
	const n = 14
	mem := build(t, 6)
	o := start(t, mem)
	for i := range n {
		o.Register(passkey(fmt.Sprint("key ", i)))
	}
	o.Stop()
	s := upgrade(t, mem, 100)
	for i := range uint64(n) {
		a := read(t, s, 10000+i)
		a.Devices = append(a.Devices, protectedDevice(fmt.Sprint("hardware ", i), 1, identity.CrossPlatform))
		require.NoError(t, s.Write(a))
	}
	o = start(t, mem)
	for i := range uint64(n) {
		require.True(t, o.Change(10000+i, fmt.Sprint("key ", i), fmt.Sprint("hardware ", i), nil))
	}
	o.Stop()
	trial := TrialOf(upgrade(t, mem, 3))
	require.Equal(t, uint32(n), trial.Amended)
	for i, slot := range trial.FirstAmended {
		require.Equal(t, uint32(i), slot)
	}
}

func TestFirstNamed(t *testing.T) {
	const n = 21
	mem, o := dual(t, 1)
	for range n {
		number := o.Register()
		o.SetMapped(number, &iitest.Mapped{Name: "a name"})
	}
	r, err := Plan(mem)
	require.NoError(t, err)
	require.Equal(t, uint64(n), r.NamedAlone)
	require.Len(t, r.FirstNamedAlone, listed)
	require.Equal(t, uint64(10001), r.FirstNamedAlone[0])
	trial := TrialOf(upgrade(t, mem, 3))
	require.Equal(t, uint32(n), trial.Named)
	for i, slot := range trial.FirstNamed {
		require.Equal(t, uint32(i+1), slot)
	}
}

// The salt that the old module made while on trial is taken over on coming back.
func TestSaltOfTheOldModule(t *testing.T) {
	mem := build(t, 6)
	require.NoError(t, mem.WriteAt(make([]byte, 32), 26))
	s, err := Upgrade(mem)
	require.NoError(t, err)
	_, set := s.Salt()
	require.False(t, set)
	s, err = Upgrade(mem)
	require.NoError(t, err)
	_, set = s.Salt()
	require.False(t, set, "nobody has made one")
	require.NoError(t, mem.WriteAt([]byte{9}, 26))
	s, err = Upgrade(mem)
	require.NoError(t, err)
	salt, set := s.Salt()
	require.True(t, set)
	require.Equal(t, [32]byte{9}, salt)

	mem = build(t, 6)
	require.NoError(t, mem.WriteAt(make([]byte, 32), 26))
	s, err = Upgrade(mem)
	require.NoError(t, err)
	require.NoError(t, SetSalt(s, [32]byte{8}))
	require.Error(t, SetSalt(s, [32]byte{7}))
	var b [32]byte
	require.NoError(t, mem.ReadAt(b[:], 26))
	require.Equal(t, [32]byte{8}, b, "the old module knows it, too")
}

// A pending request is cancelled by the first import after a return, once, and the tag of the copy says what it said.
func TestPendingIsCancelledOnReturn(t *testing.T) {
	mem, s := trialWith(t, 6, latest(6), func(a *identity.Anchor) {
		p := protectedDevice("phrase", 1, identity.SeedPhrase)
		p.Consent = &identity.Consent{Delay: identity.MinReleaseDelay, Askers: []identity.Asker{{ID: 0, CompletesAt: 99}}}
		a.Devices = append(a.Devices, p)
	})
	require.NoError(t, s.SetServiceTime(0, 4242))
	_, before, err := s.ReadOwn(10000)
	require.NoError(t, err)
	require.NotZero(t, before&tagOurs)
	require.Equal(t, uint64(99), read(t, s, 10000).Devices[1].Consent.Askers[0].CompletesAt, "no return yet")

	s, err = Upgrade(mem)
	require.NoError(t, err)
	require.NoError(t, s.SetServiceTime(0, 4242e9))
	a := read(t, s, 10000)
	require.Zero(t, a.Devices[1].Consent.Askers[0].CompletesAt, "as soon as it is read")
	require.Equal(t, []identity.EventKind{identity.EventCancelled}, []identity.EventKind{a.Events[0].Kind})
	require.Equal(t, uint64(4242e9), a.Events[0].At)
	_, err = Run(s, unlimited)
	require.NoError(t, err)
	own, tag, err := s.ReadOwn(10000)
	require.NoError(t, err)
	require.Zero(t, own.Devices[1].Consent.Askers[0].CompletesAt)
	require.Equal(t, before&^(tagReturns<<1), tag&^(tagReturns<<1), "all but the number of returns")
	h, err := s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Len(t, h.Events, 1)
	require.Equal(t, uint64(4242e9), h.Events[0].At)
	require.Zero(t, TrialOf(s).Amended, "a cancelled request is no amendment")

	// An anchor with nothing pending keeps its copy as it is.
	s, err = Upgrade(mem)
	require.NoError(t, err)
	_, err = Run(s, unlimited)
	require.NoError(t, err)
	_, again, err := s.ReadOwn(10000)
	require.NoError(t, err)
	require.Equal(t, tag, again)
}

// Both stores give out the same numbers, or none.
func TestRegisterGivesOutTheSameNumber(t *testing.T) {
	mem, s := trialWith(t, 6, latest(6), func(*identity.Anchor) {})
	e, err := attached(s)
	require.NoError(t, err)
	before := mem.Clone()
	for _, number := range []uint64{10000, 10002} {
		require.EqualError(t, e.Register(number), fmt.Sprintf("the old store would give out anchor 10001, not %d", number))
	}
	require.True(t, before.Equal(mem))
	require.NoError(t, e.Register(10001))
	require.Equal(t, uint32(2), start(t, mem).Count())
}
