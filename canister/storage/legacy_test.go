package storage

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
)

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
