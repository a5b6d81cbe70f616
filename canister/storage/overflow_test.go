package storage

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/record"
)

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
