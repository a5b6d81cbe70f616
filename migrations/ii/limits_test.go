package ii

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
)

func TestLimitsOfLayouts(t *testing.T) {
	for layout, want := range map[uint8]uint64{1: 3_774_873, 3: 3_774_873, 5: 8_178_860, 6: 8_178_860, 7: 8_178_860, 8: 67_106_816, 9: 67_106_816} {
		m := &Image{Layout: layout, Lo: 10, Hi: 1 << 60}
		require.Equal(t, want, m.MaxAnchors(), "layout %d", layout)
		require.Equal(t, 10+min(want, storage.MaxAnchors), m.limit())
		m.Hi = 20
		require.Equal(t, uint64(20), m.limit())
	}
}

func TestEntriesAtTheirLimit(t *testing.T) {
	for layout, most := range map[uint8]int{1: 2046, 6: 4094} {
		m, err := Open(build(t, layout))
		require.NoError(t, err)
		require.NoError(t, m.Append())
		for _, n := range []int{0, 1, 7, most} {
			record := []byte(strings.Repeat("r", n))
			require.NoError(t, m.SetEntry(0, record))
			got, err := m.Entry(0)
			require.NoError(t, err)
			require.Equal(t, string(record), string(got))
			for _, room := range [][]byte{nil, make([]byte, 1), make([]byte, 2), make([]byte, n), make([]byte, 5000)} {
				got, err = m.entryInto(room, 0)
				require.NoError(t, err)
				require.Equal(t, string(record), string(got))
				require.Equal(t, n, cap(got), "nothing behind it can be written to")
			}
		}
		require.EqualError(t, m.SetEntry(0, make([]byte, most+1)), fmt.Sprintf("a record of %d bytes, an entry of layout %d holds %d", most+1, layout, most))
		require.NoError(t, m.writeAt(le.AppendUint16(nil, uint16(most+1)), 0))
		_, err = m.Entry(0)
		require.EqualError(t, err, fmt.Sprintf("anchor 10000: its record would have %d bytes, an entry holds %d", most+1, most))
		_, err = m.Entry(1)
		require.EqualError(t, err, "anchor 10001: the header has 1 anchors from 10000 on")
	}
}

func TestAppendEndsWithTheRange(t *testing.T) {
	m, err := Open(build(t, 6))
	require.NoError(t, err)
	m.Hi = m.Lo + 2
	require.NoError(t, m.Append())
	require.NoError(t, m.Append())
	require.ErrorIs(t, m.Append(), storage.ErrFull)
	require.Equal(t, uint32(2), m.Anchors)
}

func TestHeadersOfRanges(t *testing.T) {
	for _, c := range []struct {
		hi   uint64
		text string
	}{{10002, ""}, {10001, "it counts 2 anchors in the range [10000, 10001)"}, {9999, "it counts 2 anchors in the range [10000, 9999)"}} {
		mem := build(t, 6)
		o := start(t, mem)
		o.Register(passkey("a"))
		o.Register(passkey("b"))
		require.NoError(t, mem.WriteAt(le.AppendUint64(nil, c.hi), 16))
		_, err := Open(mem)
		if c.text == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.text)
		}
	}
	mem := build(t, 6)
	require.NoError(t, mem.WriteAt(le.AppendUint64(nil, 10000), 16))
	_, err := Open(mem)
	require.NoError(t, err, "an empty range")
}

func TestStateAtItsLimit(t *testing.T) {
	for n, ok := range map[uint64]bool{0: true, maxState: true, maxState + 1: false} {
		m, err := Open(build(t, 6))
		require.NoError(t, err)
		require.NoError(t, m.ensure(maxState+100))
		require.NoError(t, m.writeAt(le.AppendUint64([]byte(stateMagic), n), 0))
		state, err := m.State()
		require.Equal(t, ok, err == nil)
		if ok {
			require.Len(t, state, int(n)+stateHead)
		}
		m, err = Open(build(t, 9))
		require.NoError(t, err)
		require.NoError(t, m.manager.grow(stateMemory, maxState/storage.PageSize+1))
		cell, err := m.manager.virtual(stateMemory)
		require.NoError(t, err)
		require.NoError(t, cell.writeAt(le.AppendUint32([]byte(cellMagic), uint32(n)), 0))
		got, err := m.persistentState()
		require.Equal(t, ok, err == nil)
		if ok {
			require.Len(t, got, int(n))
		}
		require.NoError(t, cell.writeAt([]byte("SCM"), 0))
		got, err = m.persistentState()
		require.NoError(t, err)
		require.Nil(t, got)
		state, err = m.State()
		require.NoError(t, err)
		require.Nil(t, state)
	}
}
