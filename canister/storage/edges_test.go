package storage

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/anchortest"
	"kedge/canister/storage/record"
	"kedge/canister/storage/tree"
	"kedge/ic/principal"
)

// An entry of the index only points: what the anchor says counts.
func TestLookupsCompareTheAnchor(t *testing.T) {
	s := stored(t, 2)
	nameless := register(t, s, "key 2", func(d *identity.Device) { d.CredentialID = nil })
	mine := principal.SelfAuthenticating([]byte("key 1"))
	stray := func(key uint64, proven bool, since uint64, slot uint32) {
		require.NoError(t, s.tree.Insert(tree.Entry{Key: key, Order: orderOf(proven, since, slot)}))
	}
	for _, key := range []uint64{callerKey(mine.Bytes()), credentialKey([]byte("credential"))} {
		stray(key, false, 0, 9)     // an anchor that was never given out
		stray(key, false, 77e9, 1)  // the anchor has the device, added at another time
		stray(key, true, 0, 1)      // and it is not proven
		stray(key, false, 0, 1<<27) // no slot of this memory
		stray(key, false, 0, 2)     // of another device, which is as old
	}
	stray(callerKey(mine.Bytes()), true, 0, 0) // of another principal, before the right one
	stray(credentialKey([]byte("nobody's")), false, 0, 0)
	numbers, next, err := s.LookupCaller(mine, 0, 1)
	require.NoError(t, err)
	require.Equal(t, []uint64{10001}, numbers)
	numbers, next, err = s.LookupCaller(mine, next, 10)
	require.NoError(t, err)
	require.Empty(t, numbers)
	require.Zero(t, next)
	found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{{10000, []byte("key 0"), false}, {10001, []byte("key 1"), false}}, found)
	found, _, err = s.LookupCredential([]byte("nobody's"), 0, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	found, next, err = s.LookupCredential([]byte("credential"), 0, 0)
	require.NoError(t, err)
	require.Empty(t, found)
	require.NotZero(t, next)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: credentialKey(nil), Order: orderOf(false, 0, uint32(nameless-10000))}))
	found, next, err = s.LookupCredential(nil, 0, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Zero(t, next)
}

// What strangers' entries of another key with the same hash take of a page are not answers.
func TestLookupCountsAnswersAlone(t *testing.T) {
	s := stored(t, 2)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: credentialKey([]byte("credential")), Order: orderOf(true, 0, 0)})) // stale, and first
	found, next, err := s.LookupCredential([]byte("credential"), 0, 2)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Zero(t, next)
}

func TestLookupOfCopies(t *testing.T) {
	s := stored(t, 1)
	a, err := s.Read(10000)
	require.NoError(t, err)
	a.Devices[0].AddedAt, a.Devices[0].Proven = 5e9, true
	a.Copies = []identity.Data{
		{PublicKey: []byte("key 0"), CredentialID: []byte("of the copy")}, {PublicKey: []byte("key 1"), CredentialID: []byte("of another")},
	}
	require.NoError(t, s.Write(a))
	found, _, err := s.LookupCredential([]byte("of the copy"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{{10000, []byte("key 0"), false}}, found)
	require.NoError(t, s.tree.Insert(tree.Entry{Key: credentialKey([]byte("of the copy")), Order: orderOf(false, 9e9, 0)}))
	found, _, err = s.LookupCredential([]byte("of the copy"), 0, 10)
	require.NoError(t, err)
	require.Len(t, found, 1, "a copy has no time of adding")
}

// A damaged anchor hides itself alone, and so does what is left of one behind the last.
func TestLookupPassesDamageOver(t *testing.T) {
	s := stored(t, 4)
	at, err := s.alloc.Address(slots, 1)
	require.NoError(t, err)
	overwrite(t, s, at+60, 0xff)
	s.sb.count--
	found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{{10000, []byte("key 0"), false}, {10002, []byte("key 2"), false}}, found)
	done, err := s.RebuildIndex(always)
	require.NoError(t, err)
	require.True(t, done)
	require.Len(t, entries(t, s), 2*2)
}

// What a rebuild has passed over is not read again in the next message.
func TestRebuildKeepsItsPlace(t *testing.T) {
	s := emptyStore(t)
	for range 4 {
		_, err := s.Allocate()
		require.NoError(t, err)
	}
	require.NoError(t, s.flush())
	for i := range uint32(4) {
		budget := 1
		done, err := s.RebuildIndex(func() bool { budget--; return budget >= 0 })
		require.NoError(t, err)
		require.Equal(t, i == 3, done)
		s, err = Open(s.Memory())
		require.NoError(t, err)
		require.Equal(t, (i+1)%4, s.sb.built)
	}
}

func TestBatchFails(t *testing.T) {
	s := stored(t, 1)
	failed := errors.New("failed")
	before := entries(t, s)
	require.ErrorIs(t, s.Batch(func() error {
		require.NoError(t, s.Write(oneDevice(10000, "another", nil)))
		return failed
	}), failed)
	require.Equal(t, before, entries(t, s), "the edits that wait are dropped")
	require.Equal(t, uint8(indexWhole), s.sb.index)
}

// The record of an anchor comes and goes in as many blocks as it takes; what it no longer takes is erased.
func TestRecordsOfManyBlocks(t *testing.T) {
	for from := range 5 {
		for to := range 5 {
			s := stored(t, 2)
			big := func(n int, fill string) *identity.Anchor {
				a := oneDevice(10001, "key 1", nil)
				for i := range n {
					a.Devices = append(a.Devices, oneDevice(0, fmt.Sprint("more ", i), func(d *identity.Device) { d.Alias = strings.Repeat(fill, 3600+100*n) }).Devices[0])
				}
				return a
			}
			first, second := big(from, "x"), big(to, "y")
			for _, a := range []*identity.Anchor{first, second} {
				require.NoError(t, s.Write(a))
				got, err := s.Read(10001)
				require.NoError(t, err)
				require.Equal(t, a, got)
				got, err = s.Borrow(10001)
				require.NoError(t, err)
				got.RecoveryContacts()
				got.Events = nil
				require.Equal(t, a, got)
			}
			require.NotContains(t, string(s.Memory().(*RAM).Bytes()), "xxxx", "from %d to %d", from, to)
			var slot [SlotSize]byte
			at, err := s.alloc.Address(slots, 1)
			require.NoError(t, err)
			require.NoError(t, s.alloc.Memory.ReadAt(slot[:], at))
			require.Equal(t, to > 0, le.Uint32(slot[16:]) != 0)
			found, _ := run(t, s, 100)
			require.Empty(t, found)
			again, err := s.Read(10000)
			require.NoError(t, err)
			require.Equal(t, oneDevice(10000, "key 0", nil), again)
		}
	}
}

// Two devices of an imported anchor may share a credential id, and so an entry of the index. It stays until the last
// of them goes, whichever that is.
func TestSharedEntries(t *testing.T) {
	for gone := range 3 {
		s := stored(t, 1)
		a := oneDevice(10000, "key 0", nil)
		for _, key := range []string{"key 1", "key 2"} {
			a.Devices = append(a.Devices, oneDevice(0, key, nil).Devices[0])
		}
		require.NoError(t, s.Write(a))
		left := oneDevice(10000, "key 0", nil)
		left.Devices = append(append(left.Devices[:0], a.Devices[:gone]...), a.Devices[gone+1:]...)
		require.NoError(t, s.Write(left))
		found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
		require.NoError(t, err)
		require.Len(t, found, 2, "without device %d", gone)
		left.Devices = nil
		require.NoError(t, s.Write(left))
		require.Empty(t, entries(t, s))
	}
	// One that was added at the same time with another id goes.
	s := stored(t, 1)
	a := oneDevice(10000, "key 0", nil)
	a.Devices = append(a.Devices, oneDevice(0, "key 1", func(d *identity.Device) { d.CredentialID = []byte("another") }).Devices[0])
	require.NoError(t, s.Write(a))
	require.Len(t, entries(t, s), 4)
	require.NoError(t, s.Write(oneDevice(10000, "key 0", nil)))
	require.Len(t, entries(t, s), 2)
}

// Blocks in an extent that others have used are written whole: nothing of theirs is left behind a record.
func TestBlocksWhereOthersWere(t *testing.T) {
	for n := 500; n < 9000; n += 700 {
		place := Place{Home: PageSize * alloc.FirstPage, Placement: 1, NextExtent: 1}
		s, err := CreateBeside(RAMOf(bytes.Repeat([]byte{0xee}, PageSize*(alloc.FirstPage+3*alloc.ExtentPages))), place, 10000, 20000)
		require.NoError(t, err)
		require.NoError(t, s.SetCount(1, 20000))
		s.fresh = 1 // the slot is not read
		require.NoError(t, s.WriteOwn(oneDevice(10000, "key", func(d *identity.Device) { d.Alias = strings.Repeat("a", n) }), 1))
		raw, err := s.readRaw(0)
		require.NoError(t, err)
		rest := len(raw.payload) - (SlotSize - slotHead2)
		for _, block := range raw.chain {
			at, err := s.alloc.Address(overflow, block)
			require.NoError(t, err)
			b := make([]byte, blockSize)
			require.NoError(t, s.alloc.Memory.ReadAt(b, at))
			part := min(rest, blockPayload)
			require.Equal(t, make([]byte, blockPayload-part), b[blockHead+part:], "%d bytes", n)
			rest -= part
		}
		require.Zero(t, max(rest, 0))
	}
}

// A block of another anchor, and one that is not there, are named.
func TestOverflowBlocks(t *testing.T) {
	fresh := func() (*Store, uint64, uint64) {
		s := stored(t, 2)
		require.NoError(t, s.Write(wide(10000, 1)))
		require.NoError(t, s.Write(wide(10001, 1)))
		slot, err := s.alloc.Address(slots, 0)
		require.NoError(t, err)
		block, err := s.alloc.Address(overflow, 0)
		require.NoError(t, err)
		return s, slot, block
	}
	read := func(s *Store) error { _, err := s.Read(10000); return err }
	sealed := func(s *Store, slot uint64, off int, v uint32) {
		b := make([]byte, SlotSize)
		require.NoError(t, s.alloc.Memory.ReadAt(b, slot))
		le.PutUint32(b[off:], v)
		le.PutUint64(b, xxhash.Sum64(b[8:]))
		overwrite(t, s, slot, b...)
	}
	s, _, block := fresh()
	require.NoError(t, read(s))
	b := make([]byte, blockSize)
	require.NoError(t, s.alloc.Memory.ReadAt(b, block))
	overwrite(t, s, block+20, b[20]^1)
	require.ErrorContains(t, read(s), "anchor 10000 is corrupted: overflow block 0 has checksum ")

	s, slot, _ := fresh()
	sealed(s, slot, 16, 2) // the other anchor's block, of the same length
	require.EqualError(t, read(s), "anchor 10000 is corrupted: overflow block 1 belongs to anchor 10001")
	units := s.alloc.Regions[overflow].Units
	sealed(s, slot, 16, units+1)
	require.EqualError(t, read(s), fmt.Sprintf("anchor 10000 is corrupted: it continues in overflow block %d of %d", units, units))
	sealed(s, slot, 16, 0)
	require.ErrorContains(t, read(s), "anchor 10000 is corrupted: its record ends after 976 of ")
	sealed(s, slot, 12, record.Max)
	require.EqualError(t, read(s), "anchor 10000 is corrupted: its record ends after 976 of 61440 bytes")
	sealed(s, slot, 12, record.Max+1)
	require.EqualError(t, read(s), "anchor 10000 is corrupted: its record would have 61441 bytes")

	at, err := s.alloc.Address(slots, 2)
	require.NoError(t, err)
	_, err = s.Allocate()
	require.NoError(t, err)
	overwrite(t, s, at+1000, 1)
	_, err = s.Read(10002)
	require.EqualError(t, err, "anchor 10002 is corrupted: its slot has version 0 but is not empty")
}

// A record that is too long is refused before anything is written.
func TestTooLongARecord(t *testing.T) {
	s := stored(t, 1)
	before := s.Memory().(*RAM).Clone()
	a := oneDevice(10000, "key 0", nil)
	for i := range 20 {
		a.Devices = append(a.Devices, oneDevice(0, fmt.Sprint(i), func(d *identity.Device) { d.Alias = strings.Repeat("a", 3500) }).Devices[0])
	}
	require.ErrorContains(t, s.Write(a), "more than 61440")
	require.True(t, before.Equal(s.Memory().(*RAM)))
}

// An old record whose entries in the index are not known is not written over, wherever in it the damage is.
func TestWriteOverMalformedRecords(t *testing.T) {
	for _, first := range []string{"key 0", "another"} {
		s := stored(t, 1)
		a := oneDevice(10000, "key 0", nil)
		a.Devices = append(a.Devices, oneDevice(0, "second", nil).Devices[0])
		require.NoError(t, s.Write(a))
		malformed(t, s, 0)
		a.Devices[0] = oneDevice(0, first, nil).Devices[0]
		require.ErrorContains(t, s.Write(a), "anchor 10000 is corrupted", first)
	}
}

// scribbler fails a read once, after it has written over the buffer.
type scribbler struct {
	Memory
	fail bool
}

func (m *scribbler) ReadAt(p []byte, off uint64) error {
	if m.fail {
		m.fail = false
		copy(p, bytes.Repeat([]byte{0xaa}, len(p)))
		return errors.New("failed")
	}
	return m.Memory.ReadAt(p, off)
}

// What a failed read leaves in the room of a borrowed anchor is nobody's old record.
func TestFailedReadIsNoOldRecord(t *testing.T) {
	s := stored(t, 2)
	m := &scribbler{Memory: s.alloc.Memory}
	s.alloc.Memory = m
	a, err := s.Borrow(10000)
	require.NoError(t, err)
	kept := *oneDevice(a.Number, "another", nil)
	_, err = s.Borrow(10001)
	require.NoError(t, err)
	_, err = s.Borrow(10000)
	require.NoError(t, err)
	m.fail = true
	_, err = s.Borrow(10001)
	require.EqualError(t, err, "read slot 1: failed")
	require.NoError(t, s.Write(&kept))
	found, _ := run(t, s, 100)
	require.Empty(t, found)
}

// After an error in Borrow the next Read is an anchor of its own.
func TestReadAfterAFailedBorrow(t *testing.T) {
	s := stored(t, 2)
	_, err := s.Borrow(1)
	require.Error(t, err)
	a, err := s.Read(10000)
	require.NoError(t, err)
	_, err = s.Borrow(10001)
	require.NoError(t, err)
	require.Equal(t, oneDevice(10000, "key 0", nil), a)
}

func TestRewrite(t *testing.T) {
	counted := func(layout int, work func(s *Store) error) (*Store, int) {
		s, err := Open(buildGolden(t, layout))
		require.NoError(t, err)
		c := &counting{Memory: s.alloc.Memory}
		s.alloc.Memory = c
		require.NoError(t, work(s))
		c.writes = 0
		require.NoError(t, s.Rewrite(10000))
		s.alloc.Memory = c.Memory
		return s, c.writes
	}
	_, writes := counted(Layout3, func(*Store) error { return nil })
	require.Zero(t, writes, "it is in that version already")
	for _, layout := range []int{Layout1, Layout2} {
		s, writes := counted(layout, func(s *Store) error { return s.Enter(Migration{Phase: Up}) })
		require.NotZero(t, writes)
		raw, err := s.readRaw(0)
		require.NoError(t, err)
		require.Equal(t, byte(layout+1), raw.head.version)
		a, err := s.Read(10000)
		require.NoError(t, err)
		require.Equal(t, withoutEvents(asLayout(anchortest.Golden()[0], layout)), a)
	}

	// Back to layout 1: the entries go with the version.
	s, _ := counted(Layout2, func(s *Store) error { return s.SetMigration(Migration{Phase: Down, Losses: lossEnd - 1}) })
	raw, err := s.readRaw(0)
	require.NoError(t, err)
	require.Equal(t, byte(1), raw.head.version)
	for _, e := range entries(t, s) {
		require.NotZero(t, slotOfOrder(e.Order), "an anchor in version 1 is in no index")
	}
	a, err := s.Read(10000)
	require.NoError(t, err)
	a.Events = []identity.Event{{Kind: identity.EventGuardOn}}
	units := s.alloc.Regions[history].Units - s.alloc.Spare(history)
	require.NoError(t, s.Write(a))
	require.Equal(t, units, s.alloc.Regions[history].Units-s.alloc.Spare(history), "nor has it a history")

	// A write on the way up to layout 3 takes the old entries away.
	s, err = Open(buildGolden(t, Layout2))
	require.NoError(t, err)
	require.NoError(t, s.Enter(Migration{Phase: Up}))
	require.NoError(t, s.Write(oneDevice(10000, "another", nil)))
	n := 0
	for _, e := range entries(t, s) {
		if slotOfOrder(e.Order) == 0 {
			n++
		}
	}
	require.Equal(t, 2, n)

	s = emptyStore(t)
	_, err = s.Allocate()
	require.NoError(t, err)
	require.ErrorContains(t, s.Rewrite(10000), "its slot was never written")
	require.NoError(t, s.Write(oneDevice(10000, "key", nil)))
	require.ErrorAs(t, s.Rewrite(5), new(*OutOfRangeError))

	// A record that would be too long in the next version is not raised.
	s, err = Create(NewRAM(0), Config{Hi: 1, Layout: Layout1})
	require.NoError(t, err)
	_, err = s.Allocate()
	require.NoError(t, err)
	for n := 3600; err == nil; n-- {
		long := oneDevice(0, "key", nil)
		for i := range 17 {
			long.Devices = append(long.Devices, oneDevice(0, fmt.Sprint(i), func(d *identity.Device) { d.Alias = strings.Repeat("a", n) }).Devices[0])
		}
		if s.Write(long) == nil {
			break
		}
	}
	require.NoError(t, s.Enter(Migration{Phase: Up}))
	require.ErrorContains(t, s.Rewrite(0), "more than 61440")
	raw, err = s.readRaw(0)
	require.NoError(t, err)
	require.Equal(t, byte(1), raw.head.version)
}

func TestLeave(t *testing.T) {
	s, err := Open(buildGolden(t, Layout2))
	require.NoError(t, err)
	require.NoError(t, s.setAside())
	s.sb.built = 1
	require.NoError(t, s.SetMigration(Migration{Phase: Down, Cursor: 1}))
	require.NoError(t, s.Leave())
	s, err = Open(s.Memory())
	require.NoError(t, err)
	require.Equal(t, Layout1, s.Layout())
	require.Equal(t, Migration{}, s.Migration())
	require.Equal(t, tree.State{}, s.tree.State)
	require.Equal(t, [2]uint32{uint32(indexWhole), 0}, [2]uint32{uint32(s.sb.index), s.sb.built})
	require.Zero(t, s.alloc.Regions[history].Units)

	s, err = Open(buildGolden(t, Layout3))
	require.NoError(t, err)
	was := [2]any{s.tree.State, s.alloc.Regions[history]}
	require.NoError(t, s.Leave())
	require.Equal(t, Layout2, s.Layout())
	require.Equal(t, was, [2]any{s.tree.State, s.alloc.Regions[history]}, "layout 2 has both")
}

// A loss is accepted for the way back alone.
func TestLossesAreAcceptedOnTheWayBack(t *testing.T) {
	a := oneDevice(10000, "key", nil)
	a.Contacts = &identity.Contacts{Threshold: 1, List: make([]identity.Contact, 2)}
	for phase, refused := range map[Phase]bool{Idle: true, Up: true, Checking: true} {
		s, err := Open(buildGolden(t, Layout2))
		require.NoError(t, err)
		require.NoError(t, s.SetMigration(Migration{Phase: phase, Losses: lossEnd - 1}))
		var loss *LossError
		require.Equal(t, refused, errors.As(s.Write(a), &loss), "phase %d", phase)
		require.Equal(t, LossContacts, loss.Loss)
	}
	for losses, refused := range map[Loss]bool{0: true, LossContacts: false, (lossEnd - 1) &^ LossContacts: true} {
		s, err := Open(buildGolden(t, Layout3))
		require.NoError(t, err)
		require.NoError(t, s.SetMigration(Migration{Phase: Down, Losses: losses}))
		require.Equal(t, refused, s.Write(a) != nil, "losses %v", losses.Names())
	}
}

// standIn is a legacy store of which nothing is known but that it was asked.
type standIn struct {
	store   *Store
	fail    error
	resolve func(own *identity.Anchor) (*identity.Anchor, error)
	written []string
	asked   int
}

func (l *standIn) Resolve(_ uint64, own *identity.Anchor, _ uint64) (*identity.Anchor, error) {
	return l.resolve(own)
}

func (l *standIn) Prepare(a *identity.Anchor) ([]byte, uint64, error) {
	l.asked++
	return fmt.Append(nil, a.Number), 0x500, l.fail
}

func (l *standIn) Commit(number uint64, record []byte) error {
	l.written = append(l.written, fmt.Sprint(number, " ", string(record)))
	return l.fail
}

func (l *standIn) Register(number uint64) error {
	l.written = append(l.written, fmt.Sprint("register ", number))
	return l.fail
}

func besideLegacy(t *testing.T) (*Store, *standIn, Place) {
	t.Helper()
	place := Place{Home: PageSize * alloc.FirstPage, Placement: 1, NextExtent: 1}
	mem := RAMOf(make([]byte, PageSize*(alloc.FirstPage+alloc.ExtentPages)))
	s, err := CreateBeside(mem, place, 10000, 20000)
	require.NoError(t, err)
	l := &standIn{store: s, resolve: func(own *identity.Anchor) (*identity.Anchor, error) { return own, nil }}
	return s, l, place
}

func TestStoreWithALegacyStore(t *testing.T) {
	s, l, place := besideLegacy(t)
	_, err := s.Allocate()
	require.ErrorIs(t, err, errNoLegacy)
	require.NoError(t, s.SetCount(1, 20000))
	_, err = s.Read(10000)
	require.ErrorIs(t, err, errNoLegacy)
	require.ErrorIs(t, s.Write(oneDevice(10000, "key", nil)), errNoLegacy)
	s.SetLegacy(l)
	require.Equal(t, Legacy(l), s.Legacy())
	number, err := s.Allocate()
	require.NoError(t, err)
	require.Equal(t, uint64(10001), number)
	require.NoError(t, s.Write(oneDevice(number, "key", nil)))
	require.Equal(t, []string{"register 10001", "10001 10001"}, l.written)
	a, tag, err := s.ReadOwn(number)
	require.NoError(t, err)
	require.Equal(t, oneDevice(number, "key", nil), a)
	require.Equal(t, uint64(0x500), tag)
	a, _, err = s.ReadOwn(10000)
	require.NoError(t, err)
	require.Nil(t, a)
	_, _, err = s.ReadOwn(10002)
	require.ErrorAs(t, err, new(*NotFoundError))
	asked := l.asked
	require.ErrorAs(t, s.Write(oneDevice(5, "key", nil)), new(*OutOfRangeError))
	require.Equal(t, asked, l.asked)

	l.fail = errors.New("no room")
	var tight *LegacyError
	require.ErrorAs(t, s.Write(oneDevice(number, "other", nil)), &tight)
	require.Equal(t, LegacyError{number, "no room"}, *tight)
	_, err = s.Allocate()
	require.EqualError(t, err, "no room")
	require.Equal(t, 2, s.Count())
	l.fail = nil

	// A borrowed anchor is decoded whole before it is compared, and what is read meanwhile is another.
	b := oneDevice(number, "key", nil)
	b.Contacts = &identity.Contacts{Threshold: 1, List: make([]identity.Contact, 2)}
	require.NoError(t, s.Write(b))
	l.resolve = func(own *identity.Anchor) (*identity.Anchor, error) {
		require.NotNil(t, own.Contacts)
		other, _, err := s.ReadOwn(number)
		require.NoError(t, err)
		other.Devices[0].Alias = "of the other"
		return own, nil
	}
	got, err := s.Borrow(number)
	require.NoError(t, err)
	require.Empty(t, got.Devices[0].Alias)
	l.resolve = func(*identity.Anchor) (*identity.Anchor, error) { return nil, errors.New("is odd") }
	_, err = s.Read(number)
	require.EqualError(t, err, "anchor 10001 is corrupted: its old record: is odd")

	_, err = Open(s.Memory())
	require.Error(t, err)
	place.Placement = 2
	_, err = OpenBeside(s.Memory(), place)
	require.EqualError(t, err, "superblock is corrupted: placement 1, not 2")
	_, err = CreateBeside(NewRAM(0), place, 2, 1)
	require.ErrorContains(t, err, "improper")
	mem := NewRAM(0)
	s, err = Create(mem, Config{Hi: 10})
	require.NoError(t, err)
	s.sb.placement, s.dirty = 1, true
	require.NoError(t, s.flush())
	_, err = Open(mem)
	require.EqualError(t, err, "superblock is corrupted: placement 1, not 0")
}

// An anchor that the old module changed may be newer than its entries: it is shown whole, and once.
func TestLookupWithALegacyStore(t *testing.T) {
	s, l, _ := besideLegacy(t)
	s.SetLegacy(l)
	for i := range 2 {
		number, err := s.Allocate()
		require.NoError(t, err)
		a := oneDevice(number, fmt.Sprint("key ", i), nil)
		a.Devices = append(a.Devices, oneDevice(0, fmt.Sprint("more ", i), func(d *identity.Device) { d.AddedAt = 5e9 }).Devices[0])
		require.NoError(t, s.Write(a))
	}
	l.resolve = func(own *identity.Anchor) (*identity.Anchor, error) {
		for i := range own.Devices {
			own.Devices[i].AddedAt += 60e9
		}
		return own, nil
	}
	found, _, err := s.LookupCredential([]byte("credential"), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []Match{
		{10000, []byte("key 0"), false}, {10000, []byte("more 0"), false}, {10001, []byte("key 1"), false}, {10001, []byte("more 1"), false},
	}, found)
}

func TestSetCount(t *testing.T) {
	units := uint32(kinds[slots].Units())
	for _, c := range []struct {
		count   uint32
		hi      uint64
		want    uint64 // the end of the range afterwards
		extents uint32
		text    string
	}{
		{3, 20000, 20000, 1, ""},
		{3, 19999, 20000, 1, ""},
		{3, 20001, 20001, 1, ""},
		{2, 20000, 0, 0, "the old memory has 2 anchors, fewer than the 3 of ours"},
		{10000, 20000, 20000, 2, ""},
		{10001, 20000, 0, 0, "specified range"},
		{10001, 20001, 20001, 2, ""},
		{10001, 20000 - 1, 0, 0, "specified range"},
		{units, 20000, 20000, 1, ""},
		{units + 1, 20000, 20000, 2, ""},
		{4, 1 << 40, 0, 0, "too large"},
	} {
		s, _, place := besideLegacy(t)
		require.NoError(t, s.SetCount(3, 20000))
		err := s.SetCount(c.count, c.hi)
		if c.text != "" {
			if c.text == "specified range" {
				require.Error(t, err)
			} else {
				require.ErrorContains(t, err, c.text)
			}
			require.Equal(t, 3, s.Count())
			continue
		}
		require.NoError(t, err, "%+v", c)
		again, err := OpenBeside(s.Memory(), place)
		require.NoError(t, err)
		_, hi := again.Range()
		require.Equal(t, [3]uint64{uint64(c.count), c.want, uint64(c.extents)}, [3]uint64{uint64(again.Count()), hi, uint64(again.alloc.Regions[slots].Extents)}, "%+v", c)
	}
}

func TestTakeOverMovesTwoPages(t *testing.T) {
	s, l, _ := besideLegacy(t)
	s.SetLegacy(l)
	number, err := s.Allocate()
	require.NoError(t, err)
	require.NoError(t, s.Write(oneDevice(number, "key", nil)))
	third := bytes.Repeat([]byte{9}, PageSize)
	overwrite(t, s, 2*PageSize, third[8:]...)
	overwrite(t, s, s.Home()+2*PageSize, bytes.Repeat([]byte{7}, 128)...)
	mem := s.Memory().(*RAM)
	require.NoError(t, s.TakeOver(s.alloc.NextExtent, nil))
	got := mem.Bytes()[2*PageSize+64 : 2*PageSize+128]
	require.NotContains(t, string(got), "\x07")
	s, err = Open(mem)
	require.NoError(t, err)
	require.Nil(t, s.Legacy())
	a, err := s.Read(number)
	require.NoError(t, err)
	require.Equal(t, oneDevice(number, "key", nil), a)
	require.Equal(t, [LegacySize]byte{}, *s.LegacyState())
}
