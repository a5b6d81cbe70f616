package ii

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
)

// nodeBytes makes a node of a map whose values are one letter each.
func nodeBytes(keys []uint64, children ...uint64) []byte {
	b := []byte("BTN\x02\x00")
	if children != nil {
		b[4] = 1
	}
	b = le.AppendUint16(b, uint16(len(keys)))
	b = le.AppendUint64(b, 0)
	for _, c := range children {
		b = le.AppendUint64(b, c)
	}
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, k)
	}
	for _, k := range keys {
		b = append(le.AppendUint32(b, 1), 'a'+byte(k))
	}
	return b
}

// mapOf is a map of pages of 256 bytes with the nodes at 1000, 2000 and so on; the root is the first.
func mapOf(t *testing.T, nodes ...[]byte) *stableMap {
	t.Helper()
	mem := storage.NewRAM(0)
	require.NoError(t, mem.Grow(4))
	for i, b := range nodes {
		require.NoError(t, mem.WriteAt(b, uint64(i+1)*1000))
	}
	return &stableMap{memory: virtual{mem: mem, id: mapMemory}, page: 256, root: 1000, Len: 1}
}

func TestMapWalk(t *testing.T) {
	m := mapOf(t, nodeBytes([]uint64{3, 6}, 2000, 3000, 4000), nodeBytes([]uint64{1, 2}), nodeBytes([]uint64{4, 5}), nodeBytes([]uint64{7}))
	var keys []uint64
	var failed error
	for k, v := range m.all(&failed) {
		keys = append(keys, k)
		require.Equal(t, []byte{'a' + byte(k)}, v)
		got, err := m.get(k)
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	require.NoError(t, failed)
	require.Equal(t, []uint64{1, 2, 3, 4, 5, 6, 7}, keys)
	for _, k := range []uint64{0, 8} {
		got, err := m.get(k)
		require.NoError(t, err)
		require.Nil(t, got)
	}
	for stop := 1; stop <= 7; stop++ { // whoever has seen enough sees no more
		seen := 0
		for range m.all(&failed) {
			if seen++; seen == stop {
				break
			}
		}
		require.NoError(t, failed)
		require.Equal(t, stop, seen)
	}
}

func TestMapThatIsNone(t *testing.T) {
	leaf := func(change func(b []byte) []byte) []byte { return change(nodeBytes([]uint64{1, 2})) }
	for _, c := range []struct {
		name  string
		nodes [][]byte
		text  string // "" for a map that is one
	}{
		{"a leaf", [][]byte{nodeBytes([]uint64{0, 1})}, ""},
		{"eleven entries", [][]byte{nodeBytes([]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})}, ""},
		{"magic", [][]byte{leaf(func(b []byte) []byte { b[2] = 'M'; return b })}, "has no node at 1000"},
		{"version", [][]byte{leaf(func(b []byte) []byte { b[3] = 1; return b })}, "has no node at 1000"},
		{"kind", [][]byte{leaf(func(b []byte) []byte { b[4] = 2; return b })}, "has no node at 1000"},
		{"twelve entries", [][]byte{leaf(func(b []byte) []byte { b[5] = 12; return b })}, "has no node at 1000"},
		{"keys the same", [][]byte{nodeBytes([]uint64{1, 1})}, "keys of the map in virtual memory 16 are not in order"},
		{"keys descend", [][]byte{nodeBytes([]uint64{2, 1})}, "are not in order"},
		{"a child's keys are too high", [][]byte{nodeBytes([]uint64{3}, 2000, 3000), nodeBytes([]uint64{4}), nodeBytes([]uint64{5})}, "are not in order"},
		{"the first child is none", [][]byte{nodeBytes([]uint64{3}, 3000, 2000), nodeBytes([]uint64{4})}, "has no node at 3000"},
		{"the last child is none", [][]byte{nodeBytes([]uint64{3}, 2000, 3000), nodeBytes([]uint64{1})}, "has no node at 3000"},
		{"no overflow page", [][]byte{leaf(func(b []byte) []byte { b[8] = 8; return b })}, "has no overflow page at 2048"},
		{"cut short in a value", [][]byte{leaf(func(b []byte) []byte { le.PutUint32(b[nodeHead+16:], 1000); return b })}, "the node at 1000 of virtual memory 16 is cut short"},
		{"a ring", [][]byte{nodeBytes([]uint64{3}, 1000, 1000)}, "does not end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mapOf(t, c.nodes...)
			var failed error
			for range m.all(&failed) {
			}
			if c.text == "" {
				require.NoError(t, failed)
				return
			}
			require.ErrorContains(t, failed, c.text)
		})
	}
	_, err := mapOf(t, nodeBytes([]uint64{3}, 1000, 1000)).get(1)
	require.EqualError(t, err, "the map in virtual memory 16 does not end")
	_, err = mapOf(t, nodeBytes([]uint64{3}, 5000, 5000)).get(1)
	require.ErrorContains(t, err, "has no node at 5000")
}

// A node whose bytes fill its page to the last is whole; one byte less, and it is cut short.
func TestMapNodeEndsWithItsPage(t *testing.T) {
	b := nodeBytes([]uint64{1, 2})
	m := mapOf(t, b)
	m.page = uint32(len(b))
	n, err := m.node(1000)
	require.NoError(t, err)
	require.Equal(t, &mapNode{keys: []uint64{1, 2}, values: [][]byte{{'b'}, {'c'}}}, n)
	for page := nodeHead; page < len(b); page++ {
		m.page = uint32(page)
		_, err = m.node(1000)
		require.EqualError(t, err, "the node at 1000 of virtual memory 16 is cut short", "%d bytes", page)
	}
}

// What does not fit a page goes on in others.
func TestMapOverflowPages(t *testing.T) {
	whole := nodeBytes([]uint64{1, 2})
	const page = 40
	first := append([]byte{}, whole[:page]...)
	le.PutUint64(first[7:], 2000)
	second := append([]byte("NOF\x00\x00\x00\x00\x00\x00\x00\x00"), whole[page:]...)
	m := mapOf(t, first, second)
	m.page = page
	n, err := m.node(1000)
	require.NoError(t, err)
	require.Equal(t, &mapNode{keys: []uint64{1, 2}, values: [][]byte{{'b'}, {'c'}}}, n)

	le.PutUint64(second[3:], 2000) // a page that leads to itself
	_, err = func() (*mapNode, error) { m := mapOf(t, first, second); m.page = page; return m.node(1000) }()
	require.ErrorContains(t, err, "has no overflow page at 2000")
}

func TestMapHeads(t *testing.T) {
	head := func(change func(h []byte)) []byte {
		h := []byte("BTR\x02")
		h = le.AppendUint32(h, 1024)
		h = le.AppendUint32(h, mapPageMarker)
		h = le.AppendUint64(h, 500)
		h = le.AppendUint64(h, 3)
		change(h)
		return h
	}
	const refused = "virtual memory 16 begins with "
	for _, c := range []struct {
		name string
		head []byte
		want *stableMap
		text string
	}{
		{"as it is", head(func([]byte) {}), &stableMap{page: 1024, root: 500, Len: 3}, ""},
		{"the smallest pages", head(func(h []byte) { le.PutUint32(h[4:], mapPageMin) }), &stableMap{page: mapPageMin, root: 500, Len: 3}, ""},
		{"the largest pages", head(func(h []byte) { le.PutUint32(h[4:], mapPageMax) }), &stableMap{page: mapPageMax, root: 500, Len: 3}, ""},
		{"no entry", head(func(h []byte) { h[20] = 0; clear(h[12:20]) }), nil, ""},
		{"no entry, of another version", head(func(h []byte) { h[3], h[20] = 1, 0; clear(h[12:20]) }), nil, ""},
		{"no entry, and a root", head(func(h []byte) { h[20] = 0 }), nil, "the map in virtual memory 16 counts 0 entries, and its root is at 500: it is damaged"},
		{"entries and no root", head(func(h []byte) { clear(h[12:20]) }), nil, "the map in virtual memory 16 counts 3 entries, and its root is at 0: it is damaged"},
		{"nothing", make([]byte, 28), nil, ""},
		{"magic", head(func(h []byte) { h[0] = 'X' }), nil, refused},
		{"neither magic nor entry", head(func(h []byte) { h[0], h[20] = 'X', 0; clear(h[12:20]) }), nil, refused},
		{"version", head(func(h []byte) { h[3] = 1 }), nil, refused},
		{"marker", head(func(h []byte) { h[8] = 0 }), nil, refused},
		{"pages too small", head(func(h []byte) { le.PutUint32(h[4:], mapPageMin-1) }), nil, refused},
		{"pages too large", head(func(h []byte) { le.PutUint32(h[4:], mapPageMax+1) }), nil, refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := build(t, 9)
			m, err := openManager(mem, 9)
			require.NoError(t, err)
			none, err := openMap(m, mapMemory)
			require.NoError(t, err)
			require.Nil(t, none)
			require.NoError(t, m.grow(mapMemory, 1))
			v, err := m.virtual(mapMemory)
			require.NoError(t, err)
			require.NoError(t, v.writeAt(c.head, 0))
			got, err := openMap(m, mapMemory)
			if c.text != "" {
				require.ErrorContains(t, err, c.text)
				return
			}
			require.NoError(t, err)
			if got != nil {
				got.memory = virtual{}
			}
			require.Equal(t, c.want, got)
		})
	}
}
