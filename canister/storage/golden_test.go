package storage

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage/anchortest"
)

// The golden images were captured once, when their format was first written, and are never captured
// again: whoever changes what is read or written here changes what people's anchors are made of. For that of a new
// layout, let a test write buildGolden(t, LayoutN).Bytes() through gzip into testdata/vN.mem.gz, run it, and take that
// test away again.

// asLayout is what a layout keeps of an anchor.
func asLayout(a *identity.Anchor, layout int) *identity.Anchor {
	switch layout {
	case Layout1:
		return anchortest.AsVersion1(a)
	case Layout2:
		return anchortest.AsVersion2(a)
	}
	return a
}

func withoutEvents(a *identity.Anchor) *identity.Anchor {
	b := *a
	b.Events = nil
	return &b
}

func buildGolden(t *testing.T, layout int) *RAM {
	t.Helper()
	mem := NewRAM(0)
	s, err := Create(mem, Config{Lo: 10000, Hi: 20000, Layout: layout})
	require.NoError(t, err)
	require.NoError(t, s.SetSalt([32]byte(bytes.Repeat([]byte{5}, 32))))
	require.NoError(t, s.SetServiceTime(123, 456))
	require.NoError(t, s.SetConfig([]byte("configuration")))
	require.NoError(t, s.SetState([]byte("state")))
	for _, a := range anchortest.Golden() {
		number, err := s.Allocate()
		require.NoError(t, err)
		require.Equal(t, a.Number, number)
		a = asLayout(a, layout)
		require.NoError(t, s.Write(a))
	}
	return mem
}

// sameButSuperblock says whether two images agree in all but four fields of the superblock that are not part
// of what is stored: how many chunks of history are set aside, how many entries the index had at some moment,
// how often the superblock was written (no longer counted), and so its checksum.
func sameButSuperblock(t *testing.T, a, b *RAM) bool {
	t.Helper()
	a, b = a.Clone(), b.Clone()
	for _, m := range []*RAM{a, b} {
		for _, at := range []uint64{0, superblockMirror} {
			require.NoError(t, m.WriteAt(make([]byte, 4), at+88+16*uint64(history)+4))
			require.NoError(t, m.WriteAt(make([]byte, 8), at+160))
			require.NoError(t, m.WriteAt(make([]byte, 16), at+496))
		}
	}
	return a.Equal(b)
}

func readGolden(t *testing.T, name string) *RAM {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	image, err := io.ReadAll(z)
	require.NoError(t, err)
	return RAMOf(image)
}

func checkGolden(t *testing.T, s *Store, layout int) {
	t.Helper()
	lo, hi := s.Range()
	require.Equal(t, [2]uint64{10000, 20000}, [2]uint64{lo, hi})
	salt, set := s.Salt()
	require.True(t, set)
	require.Equal(t, [32]byte(bytes.Repeat([]byte{5}, 32)), salt)
	service, stepped := s.ServiceTime()
	require.Equal(t, [2]uint64{123, 456}, [2]uint64{service, stepped})
	config, err := s.Config()
	require.NoError(t, err)
	require.Equal(t, "configuration", string(config))
	state, err := s.State()
	require.NoError(t, err)
	require.Equal(t, "state", string(state))
	anchors := anchortest.Golden()
	require.Equal(t, len(anchors), s.Count())
	for _, want := range anchors {
		got, err := s.Read(want.Number)
		require.NoError(t, err)
		require.Equal(t, withoutEvents(asLayout(want, layout)), got)
	}
}

func TestGoldenVersion1(t *testing.T) {
	golden := readGolden(t, "v1.mem.gz")
	s, err := Open(golden)
	require.NoError(t, err)
	require.Equal(t, Layout1, s.Layout())
	checkGolden(t, s, Layout1)
	require.True(t, sameButSuperblock(t, golden, buildGolden(t, Layout1)), "layout 1 is written in other bytes than when it was captured")
}

func TestGoldenVersion2(t *testing.T) {
	golden := readGolden(t, "v2.mem.gz")
	s, err := Open(golden)
	require.NoError(t, err)
	require.Equal(t, Layout2, s.Layout())
	checkGolden(t, s, Layout2)
	h, err := s.History(10000, 0, 10)
	require.NoError(t, err)
	require.Len(t, h.Events, 2)
	require.Equal(t, anchortest.Golden()[0].Events[1], h.Events[1].Event)
	found, _, err := s.LookupCredential([]byte("credential 0"), 0, 16)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, uint64(10000), found[0].Anchor)
	require.True(t, sameButSuperblock(t, golden, buildGolden(t, Layout2)), "layout 2 is written in other bytes than when it was captured")
}

func TestGoldenVersion3(t *testing.T) {
	golden := readGolden(t, "v3.mem.gz")
	s, err := Open(golden)
	require.NoError(t, err)
	require.Equal(t, Layout3, s.Layout())
	checkGolden(t, s, Layout3)
	require.True(t, sameButSuperblock(t, golden, buildGolden(t, Layout3)), "layout 3 is written in other bytes than when it was captured")
}
