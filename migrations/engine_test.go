package migrations

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/stable"
	"kedge/ic/principal"
)

func golden(t require.TestingT, name string) *storage.RAM {
	file, err := os.Open("../canister/storage/testdata/" + name)
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	image, err := io.ReadAll(z)
	require.NoError(t, err)
	return storage.RAMOf(image)
}

func open(t require.TestingT, mem storage.Memory) *storage.Store {
	s, err := storage.Open(mem)
	require.NoError(t, err)
	return s
}

func units(n int) Budget { return func() bool { n--; return n >= 0 } }

func unlimited() bool { return true }

// finish runs the step under way to its end, n anchors a batch, and returns the batches it took.
func finish(t require.TestingT, s *storage.Store, n int) int {
	for batches := 1; ; batches++ {
		done, err := Run(s, units(n))
		require.NoError(t, err)
		if done {
			return batches
		}
	}
}

func anchors(t require.TestingT, s *storage.Store) []*identity.Anchor {
	var all []*identity.Anchor
	lo, _ := s.Range()
	for i := range uint64(s.Count()) {
		a, err := s.Read(lo + i)
		require.NoError(t, err)
		all = append(all, a)
	}
	return all
}

func fsck(t require.TestingT, s *storage.Store) []storage.Finding {
	var c storage.Check
	done, err := s.Check(&c, unlimited)
	require.NoError(t, err)
	require.True(t, done)
	return c.Findings
}

func begun(t require.TestingT, mem storage.Memory) *storage.Store {
	s := open(t, mem)
	require.NoError(t, Start(s))
	return s
}

func TestUpFromTheFirstFormat(t *testing.T) {
	mem := golden(t, "v1.mem.gz")
	s := open(t, mem)
	before := anchors(t, s)
	require.NoError(t, Start(s))
	require.Equal(t, Status{Layout: 2, Step: 1, Name: records2.Name, Phase: storage.Up, Total: 4}, StatusOf(s))
	require.Equal(t, before, anchors(t, s), "everything is readable before the first batch")
	done, err := Run(s, units(1))
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, uint64(1), StatusOf(s).Done)

	s = open(t, mem) // an upgrade in between
	require.NoError(t, Start(s))
	require.Equal(t, before, anchors(t, s))
	require.Equal(t, 7, finish(t, s, 1), "three batches to layout 2, and four to layout 3")
	require.Equal(t, Status{Layout: 3}, StatusOf(s))
	require.Equal(t, before, anchors(t, s))
	require.Empty(t, fsck(t, s))
	found, _, err := s.LookupCaller(before[0].Devices[1].Principal, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []uint64{10000}, found)
	require.Equal(t, 1, finish(t, begun(t, golden(t, "v1.mem.gz")), 100), "with budget for all, both steps in one batch")
	require.NoError(t, Start(s), "there is nothing more to start")
	require.Equal(t, Status{Layout: 3}, StatusOf(s))
}

func TestDownIsRefusedByName(t *testing.T) {
	mem := golden(t, "v2.mem.gz")
	before := mem.Clone()
	s := open(t, mem)
	require.NoError(t, StartBack(s, 0))
	require.EqualError(t, StartBack(s, 0), "the memory is already on its way back to layout 1")
	_, err := Run(s, unlimited)
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, storage.LossGuards|storage.LossConsents|storage.LossDemands, refused.Loss)
	require.EqualError(t, err, "going back would lose guards, consents, demands of anchors 10002: have their owners remove them, or accept the loss by naming it")
	require.Equal(t, anchors(t, open(t, before)), anchors(t, s))

	require.NoError(t, StartBack(s, storage.LossGuards|storage.LossDemands))
	_, err = Run(s, unlimited)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, storage.LossConsents, refused.Loss)
	finish(t, s, 1)
	require.Equal(t, Status{Layout: 2}, StatusOf(s))
	require.Equal(t, anchors(t, open(t, before)), anchors(t, s), "a refused step back has lost nothing")
	require.Empty(t, fsck(t, s))
}

func TestDownWithTheLossNamedGivesTheFirstFormat(t *testing.T) {
	first := open(t, golden(t, "v1.mem.gz"))
	s := open(t, golden(t, "v2.mem.gz"))
	require.NoError(t, StartBack(s, storage.LossGuards|storage.LossConsents|storage.LossDemands))
	finish(t, s, 1)
	require.Equal(t, Status{Layout: 1}, StatusOf(s))
	require.Equal(t, anchors(t, first), anchors(t, s))
	require.Empty(t, fsck(t, s))
	require.EqualError(t, StartBack(s, 0), "no layout comes before layout 1")

	a, err := s.Read(10000)
	require.NoError(t, err)
	a.Guard = true
	require.EqualError(t, s.Write(a), "anchor 10000 has what layout 1 cannot hold: guards")

	require.NoError(t, StartTo(s, 2))
	finish(t, s, 2)
	require.Equal(t, Status{Layout: 2}, StatusOf(s), "no further than asked for")
	require.NoError(t, Start(s))
	finish(t, s, 2)
	require.Equal(t, Status{Layout: 3}, StatusOf(s))
	require.Equal(t, anchors(t, first), anchors(t, s))
	require.Empty(t, fsck(t, s))
}

func TestDownFromContactsIsRefusedByName(t *testing.T) {
	mem := golden(t, "v3.mem.gz")
	s := open(t, mem)
	before := anchors(t, s)
	require.NoError(t, StartBack(s, storage.LossGuards))
	_, err := Run(s, unlimited)
	require.EqualError(t, err, "going back would lose contacts of anchors 10002: have their owners remove them, or accept the loss by naming it")
	finish(t, s, 1)
	require.Equal(t, Status{Layout: 3}, StatusOf(s))
	require.Equal(t, before, anchors(t, s))

	require.NoError(t, StartBack(s, storage.LossContacts))
	finish(t, s, 1)
	require.Equal(t, Status{Layout: 2}, StatusOf(s))
	require.Equal(t, anchors(t, open(t, golden(t, "v2.mem.gz"))), anchors(t, s))
	require.Empty(t, fsck(t, s))
	a, err := s.Read(10002)
	require.NoError(t, err)
	a.Contacts = before[2].Contacts
	require.EqualError(t, s.Write(a), "anchor 10002 has what layout 2 cannot hold: contacts")
	require.NoError(t, StartBack(s, 1<<5-1))
	finish(t, s, 2)
	require.Equal(t, anchors(t, open(t, golden(t, "v1.mem.gz"))), anchors(t, s))
	require.Empty(t, fsck(t, s))
}

// A guard that is switched on after its anchor was checked turns the step round as well.
func TestDownMeetsANewGuard(t *testing.T) {
	mem := storage.NewRAM(0)
	s, err := storage.Create(mem, storage.Config{Lo: 0, Hi: 10, Layout: storage.Layout2})
	require.NoError(t, err)
	for i := range 3 {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.NoError(t, s.Write(anchor(number, i)))
	}
	require.NoError(t, StartBack(s, 0))
	_, err = Run(s, units(2))
	require.NoError(t, err)
	guarded := anchor(1, 1)
	guarded.Guard = true
	require.NoError(t, s.Write(guarded), "while it is only being checked everything still works")
	var refused *RefusedError
	for i := 0; err == nil; i++ {
		require.Less(t, i, 20)
		_, err = Run(s, units(1))
	}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []uint64{1}, refused.Anchors)
	finish(t, s, 1)
	a, err := s.Read(1)
	require.NoError(t, err)
	require.True(t, a.Guard)
	require.Empty(t, fsck(t, s))
}

func TestPause(t *testing.T) {
	s := open(t, golden(t, "v1.mem.gz"))
	require.EqualError(t, SetPaused(s, true), "no migration is under way")
	require.NoError(t, Start(s))
	require.NoError(t, SetPaused(s, true))
	_, err := Run(s, unlimited)
	require.ErrorIs(t, err, ErrPaused)
	require.True(t, StatusOf(s).Paused)
	require.NoError(t, SetPaused(s, false))
	finish(t, s, 10)
}

func TestDamagedAnchorDoesNotStopAStep(t *testing.T) {
	mem := golden(t, "v1.mem.gz")
	require.NoError(t, mem.WriteAt([]byte{0xff}, 2*storage.PageSize+storage.SlotSize+26)) // slot 1
	s := open(t, mem)
	require.NoError(t, Start(s))
	finish(t, s, 1)
	found := fsck(t, s)
	require.Len(t, found, 1)
	require.Equal(t, "anchor 10001", found[0].What)
}

func TestUnknownStepIsNamed(t *testing.T) {
	s := open(t, golden(t, "v2.mem.gz"))
	require.NoError(t, s.SetMigration(storage.Migration{Step: 77, Phase: storage.Up}))
	_, err := Run(s, unlimited)
	require.EqualError(t, err, "this build does not know migration step 77: install the build that began it")
}

// Every message of a migration may trap at every stable write; rolled back and sent again, the result is
// that of the migration that nothing disturbed.
func TestFaultAtEveryWriteOfEveryMessage(t *testing.T) {
	for _, c := range []struct {
		name  string
		image string
		begin func(*storage.Store) error
	}{
		{"up from 1", "v1.mem.gz", Start},
		{"up from 2", "v2.mem.gz", Start},
		{"up from 1 to 2", "v1.mem.gz", func(s *storage.Store) error { return StartTo(s, 2) }},
		{"down from 2", "v2.mem.gz", func(s *storage.Store) error { return StartBack(s, 1<<5-1) }},
		{"down from 3", "v3.mem.gz", func(s *storage.Store) error { return StartBack(s, 1<<5-1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := golden(t, c.image)
			require.NoError(t, c.begin(open(t, mem)))
			for done := false; !done; {
				before := mem.Clone()
				count := stable.NewFaulty(mem, -1)
				var err error
				done, err = Run(open(t, count), units(1))
				require.NoError(t, err)
				for i := range count.Writes() {
					attempt := before.Clone()
					_, err := Run(open(t, stable.NewFaulty(attempt, i)), units(1))
					require.ErrorIs(t, err, stable.ErrFault)
					attempt = before.Clone() // the network rolls back
					again, err := Run(open(t, attempt), units(1))
					require.NoError(t, err)
					require.Equal(t, done, again)
					require.True(t, mem.Equal(attempt))
				}
			}
		})
	}
}

func anchor(number uint64, key int) *identity.Anchor {
	k := fmt.Appendf(nil, "key %d", key)
	return &identity.Anchor{Number: number, Devices: []identity.Device{{
		Data:      identity.Data{PublicKey: k, Alias: fmt.Sprint("device ", key), CredentialID: make([]byte, key%300)},
		Principal: principal.SelfAuthenticating(k), Proven: key%2 == 0,
	}}}
}

// Whatever people do while steps go up and down, with upgrades in between, every anchor is what was last
// written, and fsck is content at the end of each step.
func TestInterleaved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := storage.NewRAM(0)
		layout := rapid.IntRange(1, Newest).Draw(t, "layout")
		s, err := storage.Create(mem, storage.Config{Lo: 100, Hi: 1000, Layout: layout})
		require.NoError(t, err)
		model := map[uint64]*identity.Anchor{}
		draw := func(t *rapid.T, number uint64) *identity.Anchor {
			a := anchor(number, rapid.IntRange(0, 50).Draw(t, "key"))
			for len(a.Devices) < rapid.IntRange(1, 12).Draw(t, "devices") {
				a.Devices = append(a.Devices, anchor(number, 100+len(a.Devices)).Devices...)
			}
			a.Guard = rapid.IntRange(0, 9).Draw(t, "guard") == 0
			if rapid.IntRange(0, 9).Draw(t, "contacts") == 0 {
				a.Devices[0].AgreesToContacts = true
				a.Contacts = &identity.Contacts{Threshold: 1, Delay: identity.MinContactDelay, List: []identity.Contact{{Anchor: 5, Accepted: true}}}
			}
			return a
		}
		write := func(t *rapid.T, a *identity.Anchor) {
			err := s.Write(a)
			var lost *storage.LossError
			if errors.As(err, &lost) {
				require.True(t, a.Guard && lost.Layout < 2 || a.Contacts != nil && lost.Layout < 3)
				a.Guard, a.Contacts, a.Devices[0].AgreesToContacts = false, nil, false
				err = s.Write(a)
			}
			require.NoError(t, err)
			model[a.Number] = a
		}
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				number, err := s.Allocate()
				require.NoError(t, err)
				write(t, draw(t, number))
			},
			"write": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("no anchor")
				}
				write(t, draw(t, 100+uint64(rapid.IntRange(0, len(model)-1).Draw(t, "anchor"))))
			},
			"upgrade": func(t *rapid.T) {
				s = open(t, mem)
				require.NoError(t, Start(s))
			},
			"back": func(t *rapid.T) {
				if err := StartBack(s, 0); err != nil {
					require.ErrorContains(t, err, "layout")
				}
			},
			"run": func(t *rapid.T) {
				done, err := Run(s, units(rapid.IntRange(0, 5).Draw(t, "units")))
				var refused *RefusedError
				if errors.As(err, &refused) {
					a := model[refused.Anchors[0]]
					require.True(t, a.Guard || a.Contacts != nil)
					return
				}
				require.NoError(t, err)
				if done {
					require.Empty(t, fsck(t, s))
				}
			},
			"": func(t *rapid.T) {
				for number, want := range model {
					got, err := s.Read(number)
					require.NoError(t, err)
					require.Equal(t, want, got)
				}
			},
		})
	})
}
