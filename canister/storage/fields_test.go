package storage

import (
	"bytes"
	"reflect"
	"strconv"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/alloc"
	"kedge/canister/storage/tree"
)

// fullSuperblock has a value in every field.
func fullSuperblock() superblock {
	sb := superblock{
		layout: Layout3, placement: 2, index: indexBuilding, built: 3, lo: 10000, hi: 20000, count: 7, salt: [32]byte{1, 2, 31: 9},
		service: 11, stepped: 12, tree: tree.State{Root: 2, Height: 1, Entries: 13},
		migration: Migration{Step: 300, Phase: Down, Paused: true, Stop: true, Losses: LossGuards | LossContacts, Cursor: 14, Total: 15},
		legacy:    [LegacySize]byte{1, 255: 2},
	}
	sb.alloc = alloc.State{NextExtent: 16, FreeExtent: 4}
	for i := range sb.alloc.Regions {
		sb.alloc.Regions[i] = alloc.RegionState{Extents: uint32(i + 1), Units: uint32(i + 20), Free: uint32(i + 5), Freed: uint32(i + 10)}
	}
	return sb
}

func itoa(n int) string { return strconv.Itoa(n) }

// seal puts the checksum of a superblock right.
func seal(b *[superblockSize]byte) { le.PutUint64(b[504:], xxhash.Sum64(b[:504])) }

func TestSuperblockHasEveryField(t *testing.T) {
	sb := fullSuperblock()
	v := reflect.ValueOf(sb)
	for i := range v.NumField() {
		require.False(t, v.Field(i).IsZero(), v.Type().Field(i).Name)
	}
	for _, change := range []func(*superblock){
		func(*superblock) {},
		func(sb *superblock) { sb.migration.Paused = false },
		func(sb *superblock) { sb.migration.Stop = false },
		func(sb *superblock) { sb.layout = Layout1 },
		func(sb *superblock) { sb.hi, sb.count = sb.lo, 0 },
		func(sb *superblock) { sb.hi = sb.lo + uint64(sb.count) },
		func(sb *superblock) { sb.migration.Phase = Checking },
		func(sb *superblock) { sb.count = uint32(kinds[slots].Units()) },
	} {
		want := fullSuperblock()
		change(&want)
		b := [superblockSize]byte(bytes.Repeat([]byte{0xff}, superblockSize)) // what was there before leaves nothing
		want.encode(&b)
		require.Equal(t, make([]byte, 48), b[448:496], "the bytes that no field has are zero")
		var got superblock
		require.NoError(t, got.decode(&b))
		require.Equal(t, want, got)
	}
}

func TestSuperblockThatIsNone(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b *[superblockSize]byte)
		text   string
	}{
		{"magic", func(b *[superblockSize]byte) { b[2] = 'X' }, `it starts with "KDX", not "KDG"`},
		{"layout 0", func(b *[superblockSize]byte) { b[3] = 0 }, "the memory layout has version 0"},
		{"layout 4", func(b *[superblockSize]byte) { b[3] = NewestLayout + 1 }, "the memory layout has version 4"},
		{"range", func(b *[superblockSize]byte) { le.PutUint64(b[16:], 9999) }, "7 anchors in the range [10000, 9999)"},
		{"count", func(b *[superblockSize]byte) { le.PutUint32(b[24:], 10001) }, "10001 anchors in the range [10000, 20000)"},
		{"count and extents", func(b *[superblockSize]byte) { le.PutUint32(b[24:], uint32(kinds[slots].Units())+1) }, "anchors in 1 extents of slots"},
		{"index", func(b *[superblockSize]byte) { b[5] = 3 }, "index state 3"},
		{"phase", func(b *[superblockSize]byte) { b[170] = 4 }, "migration phase 4"},
		{"region", func(b *[superblockSize]byte) { le.PutUint32(b[88+16+12:], 22) }, "region overflow has 2 extents, 21 units, 22 of them free"},
		{"root", func(b *[superblockSize]byte) { le.PutUint32(b[152:], 24) }, "index root 24, height 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sb := fullSuperblock()
			var b [superblockSize]byte
			sb.encode(&b)
			c.change(&b)
			seal(&b)
			require.ErrorContains(t, sb.decode(&b), c.text)
		})
	}
}

// The superblock is written when something in it has changed, and never else.
func TestFlushWritesWhatChanged(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *Store)
		writes int
	}{
		{"nothing", func(*Store) {}, 0},
		{"a field", func(s *Store) { s.dirty = true }, 2},
		{"the allocator", func(s *Store) { s.alloc.Dirty = true }, 2},
		{"the index", func(s *Store) { s.tree.Dirty = true }, 2},
	} {
		s := emptyStore(t)
		counted := &counting{Memory: s.alloc.Memory}
		s.alloc.Memory = counted
		c.change(s)
		require.NoError(t, s.flush())
		require.Equal(t, c.writes, counted.writes, c.name)
		require.NoError(t, s.flush())
		require.Equal(t, c.writes, counted.writes, "%s, once", c.name)
	}
}

// counting counts the writes to a memory.
type counting struct {
	Memory
	writes int
}

func (c *counting) WriteAt(p []byte, off uint64) error {
	c.writes++
	return c.Memory.WriteAt(p, off)
}

// The clock is written a minute after it was written last, and with whatever else is written.
func TestClockIsWrittenOnceAMinute(t *testing.T) {
	s := emptyStore(t)
	stored := func() uint64 {
		again, err := Open(s.Memory())
		require.NoError(t, err)
		_, stepped := again.ServiceTime()
		return stepped
	}
	require.NoError(t, s.SetServiceTime(1, 100e9))
	require.Equal(t, uint64(100e9), stored())
	require.NoError(t, s.SetServiceTime(2, 160e9-1))
	require.Equal(t, uint64(100e9), stored())
	require.NoError(t, s.SetServiceTime(3, 160e9))
	require.Equal(t, uint64(160e9), stored())
	require.NoError(t, s.SetServiceTime(4, 170e9))
	require.NoError(t, s.SetRange(10000, 20000))
	require.Equal(t, uint64(170e9), stored())
	require.NoError(t, s.SetServiceTime(5, 229e9))
	require.Equal(t, uint64(170e9), stored(), "the minute counts from there")

	s, err := Open(s.Memory())
	require.NoError(t, err)
	require.NoError(t, s.SetServiceTime(6, 229e9))
	require.Equal(t, uint64(170e9), stored(), "and over reopening")
}

func TestBlobs(t *testing.T) {
	for _, c := range []struct {
		name  string
		blob  blob
		get   func(*Store) ([]byte, error)
		set   func(*Store, []byte) error
		limit int
	}{
		{"configuration", configBlob, (*Store).Config, (*Store).SetConfig, 16384},
		{"state", stateBlob, (*Store).State, (*Store).SetState, 8192},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := emptyStore(t)
			got, err := c.get(s)
			require.NoError(t, err)
			require.Empty(t, got)
			for _, n := range []int{1, c.limit, 5, 0} {
				want := bytes.Repeat([]byte{7}, n)
				require.NoError(t, c.set(s, want))
				got, err = c.get(s)
				require.NoError(t, err)
				require.True(t, bytes.Equal(want, got))
			}
			require.NoError(t, c.set(s, []byte("kept")))
			require.EqualError(t, c.set(s, make([]byte, c.limit+1)), "the "+c.name+" has "+itoa(c.limit+1)+" bytes, at most "+itoa(c.limit)+" can be stored")
			got, err = c.get(s)
			require.NoError(t, err)
			require.Equal(t, "kept", string(got))

			require.NoError(t, s.alloc.Memory.WriteAt([]byte("K"), c.blob.at+blobHead))
			_, err = c.get(s)
			require.ErrorContains(t, err, c.name+" is corrupted: checksum ")
			require.NoError(t, s.alloc.Memory.WriteAt(le.AppendUint32(nil, uint32(c.limit+1)), c.blob.at))
			_, err = c.get(s)
			require.ErrorContains(t, err, "it would have "+itoa(c.limit+1)+" bytes, at most "+itoa(c.limit))
		})
	}
}

func TestLossOf(t *testing.T) {
	contacts := &identity.Contacts{List: make([]identity.Contact, 1)}
	for _, c := range []struct {
		name   string
		anchor identity.Anchor
		want   [4]Loss // by layout
	}{
		{"nothing", identity.Anchor{Devices: make([]identity.Device, 2)}, [4]Loss{}},
		{"guard", identity.Anchor{Guard: true}, [4]Loss{1: LossGuards}},
		{"a demand", identity.Anchor{DeviceBound: true}, [4]Loss{1: LossDemands}},
		{"a session limit", identity.Anchor{SessionLimit: 1}, [4]Loss{1: LossDemands}},
		{"a consent", identity.Anchor{Devices: []identity.Device{{}, {Consent: new(identity.Consent)}}}, [4]Loss{1: LossConsents}},
		{"contacts", identity.Anchor{Contacts: contacts}, [4]Loss{1: LossContacts, 2: LossContacts}},
	} {
		for layout := Layout1; layout <= Layout3; layout++ {
			require.Equal(t, c.want[layout], LossOf(&c.anchor, layout), "%s, layout %d", c.name, layout)
		}
	}
}

func TestCreateRefusesLayoutsAndRanges(t *testing.T) {
	for _, c := range []struct {
		config Config
		text   string
	}{
		{Config{Hi: 1, Layout: -1}, "the memory layout has version -1"},
		{Config{Hi: 1, Layout: NewestLayout + 1}, "the memory layout has version 4"},
		{Config{Hi: 1, Layout: 256}, "the memory layout has version 256"},
		{Config{Lo: 2, Hi: 1}, "improper Identity Anchor range [2, 1)"},
	} {
		mem := NewRAM(0)
		_, err := Create(mem, c.config)
		require.ErrorContains(t, err, c.text)
		require.Zero(t, mem.Size())
	}
	for layout := Layout1; layout <= NewestLayout; layout++ {
		s, err := Create(NewRAM(0), Config{Hi: 1, Layout: layout})
		require.NoError(t, err)
		require.Equal(t, layout, s.Layout())
	}
	s, err := Create(NewRAM(0), Config{Hi: 1})
	require.NoError(t, err)
	require.Equal(t, NewestLayout, s.Layout())
}

func TestSaltIsSetByAnyOfItsBytes(t *testing.T) {
	for i := range 32 {
		s := emptyStore(t)
		salt, set := s.Salt()
		require.False(t, set)
		require.Zero(t, salt)
		salt[i] = 1
		require.NoError(t, s.SetSalt(salt))
		got, set := s.Salt()
		require.True(t, set)
		require.Equal(t, salt, got)
	}
}
