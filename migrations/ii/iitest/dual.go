package iitest

import (
	"encoding/binary"
	"slices"

	"github.com/stretchr/testify/require"
)

// The builds from July 2025 to January 2026 keep every anchor in memory 0 and in a map in memory 16. A module
// becomes one of them with Dual.

const (
	mapID   = 16
	mapPage = 1024
	perNode = 5 // entries: a node may have 11, and fewer make the tree higher
)

// Mapped is an anchor of the map.
type Mapped struct {
	Name    string
	OpenID  bool // it has an OpenID credential
	Devices []Device
}

// Dual makes the module keep the map as well; it begins with what memory 0 has.
func (m *Module) Dual() *Module {
	m.dual = true
	if m.size(mapID) == 0 {
		m.writeMap(map[uint64]Mapped{})
	}
	all := m.Map()
	for i := range uint64(m.Count()) {
		if _, ok := all[First+i]; !ok {
			all[First+i] = Mapped{Devices: m.Devices(First + i)}
		}
	}
	m.writeMap(all)
	return m
}

// Map is what the map has.
func (m *Module) Map() map[uint64]Mapped {
	head := m.read(mapID, 0, 28)
	require.Equal(m.t, "BTR\x02", string(head[:4]))
	all := map[uint64]Mapped{}
	var walk func(at uint64)
	walk = func(at uint64) {
		b := m.read(mapID, at, mapPage)
		require.Equal(m.t, "BTN\x02", string(b[:4]))
		inner, k := b[4] == 1, int(le.Uint16(b[5:]))
		for next := le.Uint64(b[7:]); next != 0; {
			page := m.read(mapID, next, mapPage)
			require.Equal(m.t, "NOF", string(page[:3]))
			b, next = append(b, page[11:]...), le.Uint64(page[3:])
		}
		b = b[15:]
		var keys []uint64
		if inner {
			for i := range k + 1 {
				walk(le.Uint64(b[8*i:]))
			}
			b = b[8*(k+1):]
		}
		for i := range k {
			keys = append(keys, binary.BigEndian.Uint64(b[8*i:]))
		}
		b = b[8*k:]
		for _, key := range keys {
			n := le.Uint32(b)
			all[key] = decodeMapped(m.t, b[4:4+n])
			b = b[4+n:]
		}
	}
	if root := le.Uint64(head[12:]); root != 0 {
		walk(root)
	}
	require.Equal(m.t, le.Uint64(head[20:]), uint64(len(all)))
	return all
}

// SetMapped writes one anchor of the map, or with nil takes it out.
func (m *Module) SetMapped(number uint64, a *Mapped) {
	all := m.Map()
	if a == nil {
		delete(all, number)
	} else {
		all[number] = *a
	}
	m.writeMap(all)
}

// SetMapLen writes the number of anchors that the map's header says.
func (m *Module) SetMapLen(n uint64) { m.write(mapID, 20, le.AppendUint64(nil, n)) }

// mapDevices writes the devices of an anchor into the map, beside its name.
func (m *Module) mapDevices(number uint64, devices []Device) {
	a := m.Map()[number]
	a.Devices = devices
	m.SetMapped(number, &a)
}

// writeMap writes the whole map anew.
func (m *Module) writeMap(all map[uint64]Mapped) {
	keys := make([]uint64, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	next := uint64(4096)
	page := func() uint64 { next += mapPage; return next - mapPage }
	put := func(inner bool, children, keys []uint64) uint64 {
		b := make([]byte, 15)
		copy(b, "BTN\x02")
		if inner {
			b[4] = 1
		}
		le.PutUint16(b[5:], uint16(len(keys)))
		for _, c := range children {
			b = le.AppendUint64(b, c)
		}
		for _, k := range keys {
			b = binary.BigEndian.AppendUint64(b, k)
		}
		for _, k := range keys {
			v := encodeMapped(all[k])
			b = append(le.AppendUint32(b, uint32(len(v))), v...)
		}
		at := page()
		pages, rest := [][]byte{append([]byte{}, b[:min(len(b), mapPage)]...)}, b[min(len(b), mapPage):]
		places := []uint64{at}
		for len(rest) > 0 {
			n := min(len(rest), mapPage-11)
			pages = append(pages, append(append([]byte("NOF"), make([]byte, 8)...), rest[:n]...))
			places, rest = append(places, page()), rest[n:]
		}
		for i, p := range pages {
			if i+1 < len(pages) {
				link := 3
				if i == 0 {
					link = 7
				}
				le.PutUint64(p[link:], places[i+1])
			}
			m.write(mapID, places[i], append(p, make([]byte, mapPage-len(p))...))
		}
		return at
	}
	// The levels from the leaves up: every group of keys is a leaf, the key behind it goes up.
	var build func(keys []uint64) uint64
	build = func(keys []uint64) uint64 {
		if len(keys) <= perNode {
			return put(false, nil, keys)
		}
		var children, up []uint64
		part := (len(keys) + perNode) / (perNode + 1)
		for len(keys) > part {
			children, up = append(children, build(keys[:part])), append(up, keys[part])
			keys = keys[part+1:]
		}
		if len(keys) > 0 {
			children = append(children, build(keys))
		} else {
			children = append(children, put(false, nil, nil))
		}
		return put(true, children, up)
	}
	head := make([]byte, 64)
	copy(head, "BTR\x02")
	le.PutUint32(head[4:], mapPage)
	le.PutUint32(head[8:], 0xffffffff)
	if len(keys) > 0 {
		le.PutUint64(head[12:], build(keys))
	}
	le.PutUint64(head[20:], uint64(len(keys)))
	m.write(mapID, 0, head)
}

// CBOR, as far as the map needs it: maps with numbers as keys, and in them bytes, texts, lists and truth.
func cborHead(major byte, n int) []byte {
	switch {
	case n < 24:
		return []byte{major<<5 | byte(n)}
	case n < 256:
		return []byte{major<<5 | 24, byte(n)}
	}
	return []byte{major<<5 | 25, byte(n >> 8), byte(n)}
}

func cborItem(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return append(cborHead(2, len(v)), v...)
	case string:
		return append(cborHead(3, len(v)), v...)
	case bool:
		if v {
			return []byte{0xf5}
		}
		return []byte{0xf4}
	case uint64:
		return append([]byte{0x1b}, binary.BigEndian.AppendUint64(nil, v)...)
	case []any:
		b := cborHead(4, len(v))
		for _, e := range v {
			b = append(b, cborItem(e)...)
		}
		return b
	}
	all := v.(map[int]any)
	b := cborHead(5, len(all))
	for k := range 16 {
		if e, ok := all[k]; ok {
			b = append(append(b, byte(k)), cborItem(e)...)
		}
	}
	return b
}

func encodeMapped(a Mapped) []byte {
	passkeys, recovery := []any{}, []any{}
	for _, d := range a.Devices {
		if d.KeyType == "seed_phrase" {
			recovery = append(recovery, map[int]any{0: []byte(d.Key), 1: uint64(1), 3: d.Protected})
			continue
		}
		id := d.Credential
		if id == nil {
			id = []byte{0xde, 0xad, 0xbe, 0xef}
		}
		passkeys = append(passkeys, map[int]any{0: []byte(d.Key), 1: id, 3: uint64(1), 5: d.Alias, 7: map[int]any{2: "kind"}})
	}
	out := map[int]any{1: []any{}, 2: uint64(1 << 60)}
	if a.Name != "" {
		out[0] = a.Name
	}
	if a.OpenID {
		out[1] = []any{map[int]any{0: "https://issuer", 1: "subject"}}
	}
	if len(passkeys) > 0 {
		out[3] = passkeys
	}
	if len(recovery) > 0 {
		out[4] = recovery
	}
	return cborItem(out)
}

// decodeMapped reads what encodeMapped wrote.
func decodeMapped(t require.TestingT, b []byte) (a Mapped) {
	var item func() any
	item = func() any {
		major, n := b[0]>>5, int(b[0]&31)
		b = b[1:]
		switch n {
		case 24:
			n, b = int(b[0]), b[1:]
		case 25:
			n, b = int(b[0])<<8|int(b[1]), b[2:]
		case 27:
			v := binary.BigEndian.Uint64(b)
			b = b[8:]
			return v
		}
		switch major {
		case 0:
			return uint64(n)
		case 2, 3:
			v := append([]byte{}, b[:n]...)
			b = b[n:]
			if major == 3 {
				return string(v)
			}
			return v
		case 4:
			v := []any{}
			for range n {
				v = append(v, item())
			}
			return v
		case 5:
			v := map[uint64]any{}
			for range n {
				k := item().(uint64)
				v[k] = item()
			}
			return v
		}
		return n == 21
	}
	all := item().(map[uint64]any)
	require.Empty(t, b)
	a.Name, _ = all[0].(string)
	openID, _ := all[1].([]any)
	a.OpenID = len(openID) > 0
	passkeys, _ := all[3].([]any)
	for _, e := range passkeys {
		f := e.(map[uint64]any)
		a.Devices = append(a.Devices, Device{Key: string(f[0].([]byte)), Alias: f[5].(string), Credential: f[1].([]byte), KeyType: "platform"})
	}
	recovery, _ := all[4].([]any)
	for _, e := range recovery {
		f := e.(map[uint64]any)
		a.Devices = append(a.Devices, Device{Key: string(f[0].([]byte)), KeyType: "seed_phrase", Purpose: "recovery", Protected: f[3].(bool)})
	}
	return a
}
