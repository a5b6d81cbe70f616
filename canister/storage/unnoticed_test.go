package storage

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
)

func TestFreedRunsAreGivenOutOnce(t *testing.T) {
	for n := uint32(1); n <= 4; n++ {
		s := emptyStore(t)
		for range n + 2 {
			_, err := s.takeExtent()
			require.NoError(t, err)
		}
		require.NoError(t, s.freeExtents(1, n))
		require.NoError(t, s.freeExtents(0, 1))
		pages := s.mem.Size()
		seen := map[uint32]bool{}
		for range n + 1 {
			e, err := s.takeExtent()
			require.NoError(t, err)
			require.Less(t, e, n+1)
			require.False(t, seen[e], "extent %d is given out twice", e)
			seen[e] = true
		}
		require.Equal(t, pages, s.mem.Size())
		e, err := s.takeExtent()
		require.NoError(t, err)
		require.Equal(t, n+2, e, "now a new one")
	}
}

func TestSlotOfAnotherAnchor(t *testing.T) {
	s := emptyStore(t)
	register(t, s, "one", nil)
	register(t, s, "two", nil)
	from, err := s.address(slots, 0)
	require.NoError(t, err)
	to, err := s.address(slots, 1)
	require.NoError(t, err)
	b := make([]byte, SlotSize)
	require.NoError(t, s.mem.ReadAt(b, from))
	require.NoError(t, s.mem.WriteAt(b, to))
	_, err = s.Read(10001)
	require.EqualError(t, err, "anchor 10001 is corrupted: it is the slot of anchor 10000")
}

// A page of a look-up reads four entries for each answer that it may give, and names the fifth as the place
// where the next begins.
func TestLookupReadsEnoughEntries(t *testing.T) {
	s := emptyStore(t)
	number, err := s.Allocate()
	require.NoError(t, err)
	giant := oneDevice(number, "key", nil)
	for i := range 6 { // an imported one: seven devices with one credential id, added one after the other
		d := oneDevice(number, fmt.Sprint("key ", i), func(d *identity.Device) { d.AddedAt = uint64(i+1) * 1e9 }).Devices[0]
		giant.Devices = append(giant.Devices, d)
	}
	require.NoError(t, s.Write(giant))
	late := register(t, s, "late", func(d *identity.Device) { d.AddedAt = 100e9 })
	anchors := map[uint64]bool{}
	found, _, err := s.LookupCredential([]byte("credential"), 0, 8)
	require.NoError(t, err)
	for _, m := range found {
		anchors[m.Anchor] = true
	}
	require.Equal(t, map[uint64]bool{number: true, late: true}, anchors)

	var seen []uint64
	next, err := s.lookup(credentialKey([]byte("credential")), 0, 1, func(a *identity.Anchor, _ func(bool, uint64) bool) bool {
		seen = append(seen, a.Number)
		return false
	})
	require.NoError(t, err)
	require.Equal(t, []uint64{number, number, number, number}, seen)
	require.Equal(t, orderOf(giant.Devices[4].Proven, giant.Devices[4].AddedAt, 0), next)
}

func TestFsckFindsExtentsInTwoPlacesAndLostOnes(t *testing.T) {
	s := emptyStore(t)
	register(t, s, "one", nil)
	_, err := s.takeExtent()
	require.NoError(t, err)
	require.NoError(t, s.freeExtents(0, 1))
	require.NoError(t, s.flush())
	var c Check
	done, err := s.Check(&c, func() bool { return true })
	require.NoError(t, err)
	require.True(t, done)
	last := s.sb.nextExtent - 1
	require.Contains(t, c.Findings, Finding{"extent 0", "it is in two places"})
	require.Contains(t, c.Findings, Finding{fmt.Sprint("extent ", last), "it is in no region and not free"})
}
