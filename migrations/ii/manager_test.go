package ii

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/migrations/ii/iitest"
)

// Memories with buckets of every size are imported; several extents share a bucket, both sides take buckets in
// turn, the memory manager's table stays true, and at the end every extent is accounted for.
func TestBucketSizes(t *testing.T) {
	all := map[uint8][]uint16{7: {256}, 8: {1024}, 9: {128, 1024}}
	if testing.Short() {
		all = map[uint8][]uint16{9: {1024}}
	}
	for layout, sizes := range all {
		for _, pages := range sizes {
			t.Run(fmt.Sprintf("layout %d, buckets of %d pages", layout, pages), func(t *testing.T) {
				mem := storage.NewRAM(0)
				iitest.Install(t, mem, layout, iitest.Options{BucketPages: pages, Entries: 100_000})
				o := start(t, mem)
				for i := range 3 {
					o.Register(passkey(fmt.Sprint("key ", i)))
				}
				o.Stop()
				s := upgrade(t, mem, 2)
				for range 9000 { // more than an extent of slots, and more than one bucket of old entries
					number, err := s.Allocate()
					require.NoError(t, err)
					require.NoError(t, s.Write(&identity.Anchor{Number: number, Devices: []identity.Device{newDevice(fmt.Sprint("kedge ", number), 0)}}))
				}
				require.Empty(t, fsck(t, s))

				o = start(t, mem)
				require.Equal(t, uint32(9003), o.Count())
				require.Equal(t, []string{"kedge 12345"}, o.Keys(12345))
				o.Register(passkey("old again"))
				o.Stop()
				s = upgrade(t, mem, 5000)
				require.Equal(t, []string{"old again"}, names(read(t, s, 19003)))
				require.Equal(t, []string{"kedge 19002"}, names(read(t, s, 19002)))
				require.Empty(t, fsck(t, s))

				require.NoError(t, Finalize(s, false))
				used, free, total, err := s.Extents()
				require.NoError(t, err)
				seen := map[uint32]bool{}
				for _, e := range append(used, free...) {
					require.False(t, seen[e], "extent %d is in two places", e)
					seen[e] = true
				}
				require.Len(t, seen, int(total))
				require.Equal(t, mem.Size(), 2+uint64(total)*alloc.ExtentPages)
				s, err = storage.Open(mem)
				require.NoError(t, err)
				require.Empty(t, fsck(t, s))
				require.Equal(t, []string{"key 1"}, names(read(t, s, 10001)))
			})
		}
	}
}

func TestOddBucketsAreRefused(t *testing.T) {
	for _, pages := range []uint16{0, 100, 192} {
		mem := build(t, 9)
		start(t, mem).Register(passkey("passkey"))
		require.NoError(t, mem.WriteAt(le.AppendUint16(nil, pages), managerAt+6))
		before := mem.Clone()
		_, err := Upgrade(mem)
		require.ErrorContains(t, err, fmt.Sprintf("buckets of %d pages: this build knows buckets of 128 pages and multiples of them", pages))
		require.True(t, before.Equal(mem))
	}
}

// The table is full at 32,768 buckets.
func TestManagerIsFull(t *testing.T) {
	mem := build(t, 9)
	require.NoError(t, mem.WriteAt(slices.Repeat([]byte{1}, managerBuckets), managerAt+managerOwners))
	require.NoError(t, mem.WriteAt(le.AppendUint16(nil, managerBuckets), managerAt+4))
	require.NoError(t, mem.Grow(managerBuckets*128))
	m, err := openManager(mem, 9)
	require.NoError(t, err)
	require.ErrorIs(t, m.grow(ownMemory, 1), storage.ErrFull)
	require.NoError(t, m.grow(ownMemory, 0))
	require.NoError(t, mem.Grow(128))
	require.NoError(t, mem.WriteAt(le.AppendUint16(nil, managerBuckets+1), managerAt+4))
	_, err = openManager(mem, 9)
	require.ErrorContains(t, err, "the memory manager has 32769 buckets of 128 pages")
}
