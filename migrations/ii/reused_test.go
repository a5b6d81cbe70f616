package ii

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/migrations/ii/wire"
)

// One record after the other: each is read by the shape of its table, which is met with the second.
func TestDecodeOneAfterTheOther(t *testing.T) {
	mem := build(t, 9)
	o := start(t, mem)
	o.Register(passkey("a"))
	o.SetEntry(o.Register(), nil)
	o.Register(phrase("b", true), passkey("c"))
	o.Register()
	o.Register(passkey("d"))
	m, err := Open(mem)
	require.NoError(t, err)
	shaped := func(i uint32) bool {
		want, raw, err := m.Decode(i)
		require.NoError(t, err)
		got, same, err := m.decodeNext(i)
		require.NoError(t, err)
		require.Equal(t, string(raw), string(same))
		require.Equal(t, want.Number, got.Number)
		require.Equal(t, want.Empty, got.Empty)
		require.Equal(t, len(want.Anchor.Devices), len(got.Anchor.Devices))
		for j := range want.Anchor.Devices {
			require.Equal(t, want.Anchor.Devices[j], got.Anchor.Devices[j])
		}
		anchor, _ := want.Import()
		imported := m.importNext(got)
		require.Equal(t, anchor.Devices, imported.Devices)
		if len(imported.Devices) > 0 {
			require.Same(t, &m.reused.anchor.devices[0], &imported.Devices[0], "in the room for it")
		}
		return got == &m.reused.record
	}
	for i, want := range []bool{false, false, true, true, true} {
		require.Equal(t, want, shaped(uint32(i)), "record %d", i)
	}
	require.Len(t, m.reused.shapes, 1)
	_, _, err = m.decodeNext(5)
	require.ErrorContains(t, err, "anchor 10005: the header has 5 anchors from 10000 on")
	o.SetEntry(10003, []byte("DIDL"))
	_, _, err = m.decodeNext(3)
	require.ErrorContains(t, err, "anchor 10003")
}

func TestImportNextUsesItsRoom(t *testing.T) {
	m := &Image{reused: new(reused)}
	none := &Record{Number: 10000}
	want, _ := none.Import()
	require.Equal(t, want, m.importNext(none))
	require.Nil(t, m.importNext(none).Devices)
	one := &Record{Number: 10001, Anchor: wire.AnyAnchor{Devices: []wire.AnyDevice{{Pubkey: []byte{1}, Alias: "key"}}}}
	got := m.importNext(one)
	require.Len(t, got.Devices, 1)
	require.Same(t, &m.reused.anchor.devices[0], &got.Devices[0], "nothing is allocated for a device")
}

func TestShapesAreKeptInARing(t *testing.T) {
	u := new(reused)
	var all []*shape
	for i := range 2*maxShapes + 1 {
		s := &shape{table: fmt.Appendf(nil, "%c table", 'a'+i)}
		all = append(all, s)
		u.keep(s)
		require.Same(t, s, u.met(fmt.Appendf(nil, "%c table and values", 'a'+i), 1))
	}
	require.Len(t, u.shapes, maxShapes)
	for i, s := range all {
		got := u.met(s.table, 3)
		if i > maxShapes {
			require.Same(t, s, got)
		} else {
			require.Nil(t, got, "%d gave way", i)
		}
		require.Nil(t, u.met(s.table, 5), "a list of devices is no record of a later layout")
	}
	require.Nil(t, u.met([]byte("z table"), 1))

	later := tableOf(devicesOfLayout7, 7)
	u.keep(later)
	require.Same(t, later, u.met(later.table, 4))
	require.Nil(t, u.met(later.table, 3))
}
