package iitest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
)

// Memory is stable memory; sizes are in pages of 64 KiB.
type Memory interface {
	Size() uint64
	Grow(pages uint64) error
	ReadAt(p []byte, off uint64) error
	WriteAt(p []byte, off uint64) error
}

// Page is the size of a page of stable memory.
const Page = 64 << 10

// First is the first anchor number.
const First = 10000

// Module is an old build that runs on a memory. Its methods fail the test where the build would trap.
type Module struct {
	Layout     uint8
	Generation Generation

	t    require.TestingT
	mem  Memory
	dual bool
}

var le = binary.LittleEndian

// Options of a new canister.
type Options struct {
	BucketPages uint16 // of the memory manager; 0 for 128
	Entries     uint64 // range of numbers; 0 for 1,000
}

// Install makes an empty memory that of a canister of an old build without anchors.
func Install(t require.TestingT, mem Memory, layout uint8, o Options) {
	if o.BucketPages == 0 {
		o.BucketPages = 128
	}
	if o.Entries == 0 {
		o.Entries = 1000
	}
	require.NoError(t, mem.Grow(2))
	h := make([]byte, 66)
	copy(h, "IIC")
	h[3] = layout
	le.PutUint64(h[8:], First)
	le.PutUint64(h[16:], First+o.Entries)
	le.PutUint16(h[24:], 4096)
	if layout == 1 {
		le.PutUint16(h[24:], 2048)
		le.PutUint64(h[16:], 8_000_000_000)
	}
	copy(h[26:], bytes.Repeat([]byte{5}, 32))
	if layout >= 3 && layout <= 8 {
		le.PutUint64(h[58:], 2*Page)
	}
	require.NoError(t, mem.WriteAt(h, 0))
	if layout >= 7 {
		manager := make([]byte, Page)
		copy(manager, "MGR\x01")
		le.PutUint16(manager[6:], o.BucketPages)
		copy(manager[2080:], bytes.Repeat([]byte{0xff}, 32768))
		require.NoError(t, mem.WriteAt(manager, Page))
	}
}

// Start runs an old build on a memory, as an upgrade to it does. The build reads its layout and checks what
// its own start checks.
func Start(t require.TestingT, mem Memory, g Generation) *Module {
	m := &Module{t: t, mem: mem, Generation: g}
	h := m.raw(0, 66)
	require.Equal(t, "IIC", string(h[:3]))
	m.Layout = h[3]
	require.Contains(t, Generations(m.Layout), g, "no such build runs on layout %d", m.Layout)
	if m.Layout >= 7 {
		m.checkManager()
	}
	if m.Layout >= 3 && m.Layout <= 8 && m.Count() > 0 { // its post_upgrade traps without its state
		require.Equal(t, "IIPS", string(m.read(0, m.end(), 4)), "the state behind the last record")
	}
	return m
}

// checkManager checks that the memory manager's table agrees with itself: every memory has the buckets that
// its size takes, and the underlying memory has them all.
func (m *Module) checkManager() {
	head := m.raw(Page, 2080)
	require.Equal(m.t, "MGR\x01", string(head[:4]))
	buckets, pages := int(le.Uint16(head[4:])), uint64(le.Uint16(head[6:]))
	require.LessOrEqual(m.t, 2+uint64(buckets)*pages, m.mem.Size(), "memory ends before its last bucket")
	owned := map[byte]uint64{}
	for i, owner := range m.raw(Page+2080, 32768) {
		if (owner != 0xff) != (i < buckets) {
			require.Fail(m.t, "memory manager", "bucket %d of %d has owner %d", i, buckets, owner)
		}
		if owner != 0xff {
			owned[owner]++
		}
	}
	for id := range 255 {
		if size := le.Uint64(head[40+8*id:]); (size+pages-1)/pages != owned[byte(id)] {
			require.Fail(m.t, "memory manager", "memory %d has %d pages in %d buckets", id, size, owned[byte(id)])
		}
	}
}

// Stop is the build's pre_upgrade: it keeps its state behind the last record.
func (m *Module) Stop() { m.StopWith([]byte("old one")) }

// StopWith is Stop with the Candid of a state.
func (m *Module) StopWith(candid []byte) {
	if m.Layout == 9 || m.Layout == 1 && m.Generation < From2022Jul {
		return
	}
	state := le.AppendUint64([]byte("IIPS"), uint64(len(candid)))
	m.write(0, m.end(), append(state, candid...))
}

// State is what Stop wrote, nil if it is not there.
func (m *Module) State() []byte {
	if m.end()+19 > m.size(0) {
		return nil
	}
	if b := m.read(0, m.end(), 19); string(b[:4]) == "IIPS" {
		return b
	}
	return nil
}

func (m *Module) raw(off uint64, n int) []byte {
	b := make([]byte, n)
	require.NoError(m.t, m.mem.ReadAt(b, off))
	return b
}

// Count is how many anchors there are.
func (m *Module) Count() uint32 { return le.Uint32(m.raw(4, 4)) }

func (m *Module) entrySize() uint64 { return uint64(le.Uint16(m.raw(24, 2))) }

// end is the offset behind the last entry.
func (m *Module) end() uint64 { return uint64(m.Count()) * m.entrySize() }

// base is where the entries begin in layouts without a memory manager.
func (m *Module) base() uint64 {
	if m.Layout == 1 {
		return 512
	}
	return 2 * Page
}

func (m *Module) bucketBytes() uint64 { return uint64(le.Uint16(m.raw(Page+6, 2))) * Page }

// place is where a byte of a virtual memory is. Memory 0 is the entries in layouts without memories.
func (m *Module) place(id byte, off uint64) uint64 {
	if m.Layout < 7 {
		return m.base() + off
	}
	size := m.bucketBytes()
	want := off / size
	for i, owner := range m.raw(Page+2080, int(le.Uint16(m.raw(Page+4, 2)))) {
		if owner != id {
			continue
		}
		if want == 0 {
			return 2*Page + uint64(i)*size + off%size
		}
		want--
	}
	require.FailNow(m.t, "out of bounds", "offset %d of memory %d", off, id)
	return 0
}

// size is how many bytes a virtual memory has.
func (m *Module) size(id byte) uint64 {
	if m.Layout < 7 {
		return m.mem.Size()*Page - m.base()
	}
	return le.Uint64(m.raw(Page+40+8*uint64(id), 8)) * Page
}

func (m *Module) read(id byte, off uint64, n int) []byte {
	require.LessOrEqual(m.t, off+uint64(n), m.size(id), "memory %d is too short", id)
	b := make([]byte, n)
	for i := 0; i < n; {
		at := m.place(id, off+uint64(i))
		part := n - i
		if m.Layout >= 7 {
			part = int(min(uint64(part), m.bucketBytes()-(off+uint64(i))%m.bucketBytes()))
		}
		require.NoError(m.t, m.mem.ReadAt(b[i:i+part], at))
		i += part
	}
	return b
}

func (m *Module) write(id byte, off uint64, b []byte) {
	m.grow(id, off+uint64(len(b)))
	for i := 0; i < len(b); {
		at := m.place(id, off+uint64(i))
		part := len(b) - i
		if m.Layout >= 7 {
			part = int(min(uint64(part), m.bucketBytes()-(off+uint64(i))%m.bucketBytes()))
		}
		require.NoError(m.t, m.mem.WriteAt(b[i:i+part], at))
		i += part
	}
}

// grow makes a virtual memory at least n bytes long.
func (m *Module) grow(id byte, n uint64) {
	pages := (n + Page - 1) / Page
	if m.Layout < 7 {
		pages = (m.base() + n + Page - 1) / Page
		if have := m.mem.Size(); have < pages {
			require.NoError(m.t, m.mem.Grow(pages-have))
		}
		return
	}
	if m.size(id) >= pages*Page {
		return
	}
	bucket := uint64(le.Uint16(m.raw(Page+6, 2)))
	have := (m.size(id)/Page + bucket - 1) / bucket
	for ; have*bucket < pages; have++ {
		next := uint64(le.Uint16(m.raw(Page+4, 2)))
		require.NoError(m.t, m.mem.WriteAt([]byte{id}, Page+2080+next))
		require.NoError(m.t, m.mem.WriteAt(le.AppendUint16(nil, uint16(next+1)), Page+4))
		if want := 2 + (next+1)*bucket; m.mem.Size() < want {
			require.NoError(m.t, m.mem.Grow(want-m.mem.Size()))
		}
	}
	require.NoError(m.t, m.mem.WriteAt(le.AppendUint64(nil, pages), Page+40+8*uint64(id)))
}

// Entry is the record of an anchor.
func (m *Module) Entry(number uint64) []byte {
	require.Less(m.t, number-First, uint64(m.Count()), "anchor %d", number)
	e := m.read(0, (number-First)*m.entrySize(), int(m.entrySize()))
	n := int(le.Uint16(e))
	require.LessOrEqual(m.t, n, len(e)-2, "length of the record of anchor %d", number)
	return e[2 : 2+n]
}

// SetEntry writes the record of an anchor, whatever its bytes.
func (m *Module) SetEntry(number uint64, record []byte) {
	require.LessOrEqual(m.t, len(record), int(m.entrySize())-2)
	m.write(0, (number-First)*m.entrySize(), append(le.AppendUint16(nil, uint16(len(record))), record...))
}

// Devices is what the build's calls about an anchor work on.
func (m *Module) Devices(number uint64) []Device {
	devices, err := m.Generation.Decode(m.Entry(number))
	require.NoError(m.t, err, "the old build cannot decode anchor %d", number)
	return devices
}

// Device is one device of an anchor.
func (m *Module) Device(number uint64, key string) Device {
	devices := m.Devices(number)
	at := slices.IndexFunc(devices, func(d Device) bool { return d.Key == key })
	require.GreaterOrEqual(m.t, at, 0, "anchor %d has no device %q", number, key)
	return devices[at]
}

// Keys are the keys of an anchor's devices.
func (m *Module) Keys(number uint64) (keys []string) {
	for _, d := range m.Devices(number) {
		keys = append(keys, d.Key)
	}
	return keys
}

// Write stores the devices of an anchor as the build does.
func (m *Module) Write(number uint64, devices []Device) {
	m.SetEntry(number, m.Generation.Encode(devices))
	if m.dual {
		m.mapDevices(number, devices)
	}
}

// Register gives out the next anchor.
func (m *Module) Register(devices ...Device) uint64 {
	n := m.Count()
	number := First + uint64(n)
	m.write(0, m.end(), make([]byte, m.entrySize()))
	require.NoError(m.t, m.mem.WriteAt(le.AppendUint32(nil, n+1), 4))
	m.Write(number, devices)
	return number
}

// Add adds a device to an anchor.
func (m *Module) Add(number uint64, d Device) {
	m.Write(number, append(m.Devices(number), d))
}

// Change changes a device or, with a nil change, removes it, as caller; it reports whether the build let it.
func (m *Module) Change(number uint64, caller, key string, change func(*Device)) bool {
	devices := m.Devices(number)
	at := slices.IndexFunc(devices, func(d Device) bool { return d.Key == key })
	require.GreaterOrEqual(m.t, at, 0, key)
	if m.Generation.KnowsProtection() && devices[at].Protected && caller != key {
		return false
	}
	if change == nil {
		devices = slices.Delete(devices, at, at+1)
	} else {
		change(&devices[at])
	}
	m.Write(number, devices)
	return true
}

// Passkey is a device of the name, as a browser registers it.
func Passkey(key string) Device {
	return Device{Key: key, Alias: "alias of " + key, Credential: []byte("credential of " + key), KeyType: "platform"}
}

// Phrase is a recovery phrase.
func Phrase(key string, protected bool) Device {
	return Device{Key: key, Alias: "alias of " + key, Purpose: "recovery", KeyType: "seed_phrase", Protected: protected}
}

// Name of a generation in tests.
func (g Generation) String() string {
	return []string{"2021-05", "2021-11", "2022-07", "2022-12", "2023-02", "2023-04", "2023-08", "2025-10"}[g]
}

// GoString says what a device is in the message of a failed test.
func (d Device) GoString() string {
	return fmt.Sprintf("{%s %s %s protected=%v}", d.Key, d.Purpose, d.KeyType, d.Protected)
}
