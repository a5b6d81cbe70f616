package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
)

// A memory that is larger than its layout can reach is not what it seems: home would be put into the middle of it.
func TestHomeIsBehindAllThatTheLayoutReaches(t *testing.T) {
	for layout, gib := range map[uint8]uint64{1: 8, 3: 16, 5: 32, 6: 32} {
		reach := alloc.FirstPage + gib<<30/storage.PageSize
		mem := build(t, layout)
		require.NoError(t, mem.Grow(reach-mem.Size()))
		larger := mem.Clone()
		s, err := Upgrade(mem)
		require.NoError(t, err)
		require.Equal(t, reach*storage.PageSize, s.Home())
		require.Equal(t, reach+alloc.ExtentPages, mem.Size())

		require.NoError(t, larger.Grow(1))
		before := larger.Clone()
		_, err = Upgrade(larger)
		require.ErrorContains(t, err, "it is not what it seems")
		require.True(t, before.Equal(larger))
	}
}

// Kedge's smallest memory has two pages, and nothing smaller is opened.
func TestSmallestMemories(t *testing.T) {
	mem := storage.NewRAM(0)
	_, err := storage.Create(mem, storage.Config{Lo: 10000, Hi: 20000})
	require.NoError(t, err)
	require.Equal(t, uint64(2), mem.Size())
	s, err := OpenStore(mem)
	require.NoError(t, err)
	require.Zero(t, s.Count())

	for _, head := range []string{"KDG\x02", "IIC\x07", ""} {
		one := storage.RAMOf(append([]byte(head), make([]byte, 100)...))
		require.Equal(t, uint64(1), one.Size())
		_, err = OpenStore(one)
		require.ErrorIs(t, err, storage.ErrNotKedge)
		require.ErrorContains(t, err, "it has 1 pages")
	}
	cut := storage.NewRAM(0)
	require.NoError(t, cut.Grow(1))
	head := make([]byte, headerSize)
	require.NoError(t, build(t, 7).ReadAt(head, 0))
	require.NoError(t, cut.WriteAt(head, 0))
	_, err = Open(cut)
	require.EqualError(t, err, "the memory is cut off: layout 7 has a memory manager of Internet Identity in its second page, and there are 1 pages")
}
