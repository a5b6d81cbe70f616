package storage

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/anchortest"
	"kedge/canister/storage/record"
	"kedge/canister/storage/ring"
	"kedge/canister/storage/stable"
	"kedge/canister/storage/tree"
	"kedge/ic/principal"
)

// The store answers as a map would: anchors, both look-ups, histories; over reopening, and fsck finds nothing.
func TestStoreAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := NewRAM(0)
		s, err := Create(mem, Config{Lo: 10000, Hi: 10006})
		require.NoError(t, err)
		model := map[uint64]*identity.Anchor{}
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				number, err := s.Allocate()
				if len(model) == 6 {
					require.ErrorIs(t, err, ErrFull)
					return
				}
				require.NoError(t, err)
				a := anchortest.Random(t, number)
				require.NoError(t, s.Write(a))
				model[number] = a
			},
			"write": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("no anchor")
				}
				a := anchortest.Random(t, 10000+uint64(rapid.IntRange(0, len(model)-1).Draw(t, "anchor")))
				require.NoError(t, s.Write(a))
				model[a.Number] = a
			},
			"reopen": func(t *rapid.T) {
				s, err = Open(mem)
				require.NoError(t, err)
			},
			"rebuild": func(t *rapid.T) {
				for done := false; !done; {
					budget := 3
					done, err = s.RebuildIndex(func() bool { budget--; return budget > 0 })
					require.NoError(t, err)
				}
			},
			"": func(t *rapid.T) {
				byCaller := map[principal.Principal][]uint64{}
				for number := uint64(10000); number < 10006; number++ {
					got, err := s.Read(number)
					want, ok := model[number]
					if !ok {
						require.ErrorAs(t, err, new(*NotFoundError))
						continue
					}
					require.NoError(t, err)
					require.Equal(t, want, got)
					for i := range want.Devices {
						byCaller[want.Devices[i].Principal] = append(byCaller[want.Devices[i].Principal], number)
					}
				}
				for p, numbers := range byCaller {
					got, _, err := s.LookupCaller(p, 0, 100)
					require.NoError(t, err)
					require.ElementsMatch(t, numbers, got)
				}
				var c Check
				done, err := s.Check(&c, func() bool { return true })
				require.NoError(t, err)
				require.True(t, done)
				require.Empty(t, c.Findings)
			},
		})
	})
}

func emptyStore(t require.TestingT) *Store {
	s, err := Create(NewRAM(0), Config{Lo: 10000, Hi: 1 << 20})
	require.NoError(t, err)
	return s
}

func entries(t require.TestingT, s *Store) []tree.Entry {
	var all []tree.Entry
	require.NoError(t, s.tree.Scan(tree.Entry{}, func(e tree.Entry) bool { all = append(all, e); return true }))
	return all
}

func oneDevice(number uint64, key string, change func(*identity.Device)) *identity.Anchor {
	d := identity.Device{Data: identity.Data{PublicKey: []byte(key), CredentialID: []byte("credential")}, Principal: principal.SelfAuthenticating([]byte(key))}
	if change != nil {
		change(&d)
	}
	return &identity.Anchor{Number: number, Devices: []identity.Device{d}}
}

func register(t *testing.T, s *Store, key string, change func(*identity.Device)) uint64 {
	t.Helper()
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(oneDevice(number, key, change)))
	return number
}

func TestLookupOrder(t *testing.T) {
	s := emptyStore(t)
	age := func(proven bool, added uint64) func(*identity.Device) {
		return func(d *identity.Device) { d.Proven, d.AddedAt = proven, added*1e9 }
	}
	for i := range 100 { // strangers who list the credential id on their own anchors
		register(t, s, fmt.Sprint("stranger ", i), age(false, 5))
	}
	late := register(t, s, "late", age(true, 20))
	early := register(t, s, "early", age(true, 10))
	found, _, err := s.LookupCredential([]byte("credential"), 0, 16)
	require.NoError(t, err)
	require.Len(t, found, 16)
	require.Equal(t, Match{early, []byte("early"), true}, found[0])
	require.Equal(t, Match{late, []byte("late"), true}, found[1])
	require.Equal(t, uint64(10000), found[2].Anchor)
	none, _, err := s.LookupCredential([]byte("another"), 0, 16)
	require.NoError(t, err)
	require.Empty(t, none)
	none, _, err = s.LookupCredential(nil, 0, 16)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestHistoryIsBoundedAndRoutineCannotPushOutTheRest(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	a, err := s.Read(number)
	require.NoError(t, err)
	who := a.Devices[0].Principal
	a.Events = []identity.Event{{At: 1, Kind: identity.EventGuardOn, By: who, Device: who, Other: who, Until: 7, Temporary: true}}
	require.NoError(t, s.Write(a))
	for i := range 500 {
		a.Events = []identity.Event{{At: uint64(i), Kind: identity.EventUpdated, By: who, Device: who}}
		require.NoError(t, s.Write(a))
	}
	h, err := s.History(number, 0, 1000)
	require.NoError(t, err)
	require.Equal(t, uint64(501), h.Next)
	require.Zero(t, h.LostSecurity)
	require.Equal(t, identity.Event{At: 1, Kind: identity.EventGuardOn, By: who, Device: who, Other: who, Until: 7, Temporary: true}, h.Events[0].Event)
	require.Equal(t, 501, len(h.Events)+int(h.LostRoutine))
	require.Equal(t, uint64(500), h.Events[len(h.Events)-1].Number)
	require.True(t, slices.IsSortedFunc(h.Events, func(a, b NumberedEvent) int { return int(a.Number) - int(b.Number) }))
	require.Equal(t, uint32(ring.Chunks+1), s.alloc.Regions[history].Units-s.alloc.Spare(history), "8 chunks of routine, one of the rest")

	part, err := s.History(number, 490, 5)
	require.NoError(t, err)
	require.Len(t, part.Events, 5)
	require.Equal(t, uint64(490), part.Events[0].Number)
}

// An event of a kind that is kept apart goes to the routine ring if its call says that it is routine.
func TestRoutineEventsOfASecurityKind(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	a, err := s.Read(number)
	require.NoError(t, err)
	who := a.Devices[0].Principal
	a.Events = []identity.Event{{At: 1, Kind: identity.EventRemoved, By: who, Device: who}}
	require.NoError(t, s.Write(a))
	for i := range 500 {
		a.Events = []identity.Event{{At: uint64(i), Kind: identity.EventRemoved, By: who, Device: who, Routine: true}}
		require.NoError(t, s.Write(a))
	}
	h, err := s.History(number, 0, 1000)
	require.NoError(t, err)
	require.Zero(t, h.LostSecurity)
	require.NotZero(t, h.LostRoutine)
	require.Zero(t, h.Events[0].Number)
}

func TestRangeErrors(t *testing.T) {
	s := emptyStore(t)
	number := register(t, s, "key", nil)
	for _, c := range []struct {
		number uint64
		text   string
	}{
		{5, "Identity Anchor 5 is out of range [10000, 1048576)"},
		{1 << 20, "Identity Anchor 1048576 is out of range [10000, 1048576)"},
		{number + 1, "bad Identity Anchor 10001"},
	} {
		_, err := s.Read(c.number)
		require.EqualError(t, err, c.text)
		require.EqualError(t, s.Write(&identity.Anchor{Number: c.number}), c.text)
	}
	require.ErrorContains(t, s.SetRange(9999, 20000), "does not start from the same number (10000)")
	require.ErrorContains(t, s.SetRange(10000, 10000), "does not accommodate all 1 anchors")
	require.ErrorContains(t, s.SetRange(10000, 1<<40), "is too large for this canister (max 67108864 entries)")
	require.ErrorContains(t, s.SetRange(10000, 1), "improper")
	require.NoError(t, s.SetRange(10000, 10001))
	_, err := s.Allocate()
	require.ErrorIs(t, err, ErrFull)
}

func TestSaltIsSetOnce(t *testing.T) {
	s := emptyStore(t)
	require.Error(t, s.SetSalt([32]byte{}))
	require.NoError(t, s.SetSalt([32]byte{1}))
	require.Error(t, s.SetSalt([32]byte{2}))
}

// The largest legal anchor fits a slot and one overflow block, with all that the rules can add to it but
// contacts, and two with seven of them.
func TestLargestLegalAnchorFits(t *testing.T) {
	a := &identity.Anchor{Number: 10000, Registration: &identity.Registration{Tentative: &identity.Data{
		AAGUID: make([]byte, identity.AAGUIDSize), Metadata: identity.Metadata{},
	}}}
	for i := range identity.MaxDevices {
		d := identity.Device{
			Data: identity.Data{
				PublicKey: slices.Repeat([]byte{byte(i)}, 250), AAGUID: make([]byte, identity.AAGUIDSize), Metadata: identity.Metadata{},
			},
			Principal:   principal.SelfAuthenticating([]byte{byte(i)}),
			Consent:     &identity.Consent{Delay: 1, Askers: make([]identity.Asker, identity.MaxAskers)},
			Challenge:   identity.Challenge{ExpiresAt: 1},
			Attestation: identity.Attestation{At: 1},
		}
		a.Devices = append(a.Devices, d)
	}
	require.Equal(t, identity.MaxVariableBytes, a.VariableBytes())
	b, err := record.Append(nil, a, record.Newest, new(uint64))
	require.NoError(t, err)
	t.Logf("the largest legal record has %d bytes", len(b))
	require.LessOrEqual(t, len(b), SlotSize-slotHead2+blockPayload)
	a.Contacts = &identity.Contacts{List: make([]identity.Contact, identity.MaxContacts)}
	b, err = record.Append(nil, a, record.Newest, new(uint64))
	require.NoError(t, err)
	require.LessOrEqual(t, len(b), SlotSize-slotHead2+2*blockPayload)
}

// A removed device leaves nothing behind, in the slot or in overflow.
func TestRemovalErases(t *testing.T) {
	mem := NewRAM(0)
	s, err := Create(mem, Config{Lo: 0, Hi: 10})
	require.NoError(t, err)
	number := register(t, s, "kept", nil)
	a := oneDevice(number, "kept", nil)
	for i := range 9 {
		a.Devices = append(a.Devices, oneDevice(0, fmt.Sprint("secret ", i), func(d *identity.Device) { d.CredentialID = make([]byte, 200) }).Devices[0])
	}
	require.NoError(t, s.Write(a))
	require.Contains(t, string(mem.Bytes()), "secret")
	a.Devices = a.Devices[:1]
	require.NoError(t, s.Write(a))
	require.NotContains(t, string(mem.Bytes()), "secret")
	require.Equal(t, uint32(1), s.alloc.Regions[overflow].Freed)
}

func TestDamageIsNamedAndContained(t *testing.T) {
	mem := NewRAM(0)
	s, err := Create(mem, Config{Lo: 10000, Hi: 20000})
	require.NoError(t, err)
	for _, a := range anchortest.Golden() {
		_, err := s.Allocate()
		require.NoError(t, err)
		require.NoError(t, s.Write(a))
	}
	flip := func(r alloc.Region, unit uint32, off uint64) func() {
		at, err := s.alloc.Address(r, unit)
		require.NoError(t, err)
		var b [1]byte
		turn := func() {
			require.NoError(t, mem.ReadAt(b[:], at+off))
			b[0] ^= 1
			require.NoError(t, mem.WriteAt(b[:], at+off))
		}
		turn()
		s, err = Open(mem)
		require.NoError(t, err)
		return turn
	}
	fsck := func() []string {
		var c Check
		done, err := s.Check(&c, func() bool { return true })
		require.NoError(t, err)
		require.True(t, done)
		var names []string
		for _, f := range c.Findings {
			names = append(names, f.What)
		}
		return names
	}
	require.Empty(t, fsck())

	for off := uint64(0); off < 400; off += 7 {
		undo := flip(slots, 2, off)
		_, err = s.Read(10002)
		var bad *CorruptedError
		require.ErrorAs(t, err, &bad, "offset %d", off)
		require.Equal(t, "anchor 10002", bad.What)
		require.Error(t, s.Write(&identity.Anchor{Number: 10002}))
		_, err = s.Read(10003)
		require.NoError(t, err)
		require.Contains(t, fsck(), "anchor 10002")
		undo()
	}
	undo := flip(overflow, 0, 100)
	_, err = s.Read(10003)
	if err == nil {
		_, err = s.Read(10002)
	}
	require.ErrorAs(t, err, new(*CorruptedError))
	undo()

	undo = flip(history, 0, 40)
	_, err = s.History(10000, 0, 10)
	require.ErrorContains(t, err, "history of anchor 10000 is corrupted")
	require.Equal(t, []string{"history of anchor 10000"}, fsck())
	undo()

	flip(index, 0, 30)
	_, _, err = s.LookupCaller(anchortest.Golden()[0].Devices[0].Principal, 0, 10)
	require.ErrorContains(t, err, "index")
	require.NoError(t, s.Write(oneDevice(10001, "new", nil)), "a damaged index refuses nobody's call")
	_, _, err = s.LookupCaller(anchortest.Golden()[0].Devices[0].Principal, 0, 10)
	require.ErrorContains(t, err, "put aside")
	require.Contains(t, fsck(), "index")
	done, err := s.RebuildIndex(func() bool { return true })
	require.NoError(t, err)
	require.True(t, done)
	require.Empty(t, fsck())
	found, _, err := s.LookupCaller(principal.SelfAuthenticating([]byte("new")), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []uint64{10001}, found)
}

func TestSecondSuperblockServes(t *testing.T) {
	mem := buildGolden(t, Layout3)
	require.NoError(t, mem.WriteAt([]byte{0xff}, 20))
	s, err := Open(mem)
	require.NoError(t, err)
	checkGolden(t, s, Layout3)
	var c Check
	_, err = s.Check(&c, func() bool { return true })
	require.NoError(t, err)
	require.Equal(t, "superblock", c.Findings[0].What)
	a, err := s.Read(10000)
	require.NoError(t, err)
	require.NoError(t, s.Write(a))
	_, mirrored, err := readSuperblock(mem, 0)
	require.NoError(t, err)
	require.False(t, mirrored)

	require.NoError(t, mem.WriteAt([]byte{0xff}, 20))
	require.NoError(t, mem.WriteAt([]byte{0xff}, superblockMirror+20))
	_, err = Open(mem)
	require.ErrorContains(t, err, "superblock is corrupted: checksum")
}

func TestOpenRefusesWhatIsNotKedge(t *testing.T) {
	_, err := Open(NewRAM(0))
	require.ErrorIs(t, err, ErrNotKedge)
	_, err = Open(RAMOf(make([]byte, 3*PageSize)))
	require.ErrorContains(t, err, "superblock is corrupted")
	_, err = Create(RAMOf(make([]byte, PageSize)), Config{})
	require.ErrorContains(t, err, "already has 1 pages")
}

// A message that traps at any stable write leaves, once the network has rolled it back, what was before;
// and running it again does what it would have done.
func TestFaultAtEveryWrite(t *testing.T) {
	mem := buildGolden(t, Layout3)
	message := func(m Memory) error {
		s, err := Open(m)
		if err != nil {
			return err
		}
		number, err := s.Allocate()
		if err != nil {
			return err
		}
		for _, a := range anchortest.Golden() {
			a.Number = number
			if err := s.Write(a); err != nil {
				return err
			}
		}
		return nil
	}
	whole := mem.Clone()
	count := stable.NewFaulty(whole, -1)
	require.NoError(t, message(count))
	for i := range count.Writes() {
		attempt := mem.Clone()
		err := message(stable.NewFaulty(attempt, i))
		require.ErrorIs(t, err, stable.ErrFault)
		require.False(t, errors.As(err, new(*CorruptedError)))
		attempt = mem.Clone() // rolled back
		require.NoError(t, message(attempt))
		require.True(t, whole.Equal(attempt))
	}
}
