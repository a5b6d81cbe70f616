package ii

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/migrations/ii/wire"
)

// oldModule plays an old build of Internet Identity, from ii.md section 4: the real ones cannot be had here.
type oldModule struct {
	t      require.TestingT
	img    *Image
	mem    *storage.RAM
	knows  bool // of protection
	keeps  bool // writes persistent state at an upgrade
	sparse bool // does not know origin, last usage, metadata and AAGUID
}

// build makes the memory of an old canister without anchors.
func build(t require.TestingT, layout uint8) *storage.RAM {
	mem := storage.NewRAM(0)
	require.NoError(t, mem.Grow(2))
	h := make([]byte, headerSize)
	copy(h, "IIC")
	h[3] = layout
	le.PutUint64(h[8:], 10000)
	le.PutUint64(h[16:], 10000+1000)
	le.PutUint16(h[24:], 4096)
	if layout == 1 {
		le.PutUint16(h[24:], 2048)
		le.PutUint64(h[16:], 8_000_000_000)
	}
	copy(h[26:], bytes.Repeat([]byte{5}, 32))
	require.NoError(t, mem.WriteAt(h, 0))
	if layout >= 7 {
		manager := slices.Repeat([]byte{0}, storage.PageSize)
		copy(manager, "MGR\x01")
		le.PutUint16(manager[6:], storage.ExtentPages)
		copy(manager[managerOwners:], bytes.Repeat([]byte{freeBucket}, 32768))
		require.NoError(t, mem.WriteAt(manager, managerAt))
	}
	return mem
}

// start runs an old module on a memory, as an upgrade to it does.
func start(t require.TestingT, mem *storage.RAM, change func(*oldModule)) *oldModule {
	img, err := Open(mem)
	require.NoError(t, err)
	o := &oldModule{t: t, img: img, mem: mem, knows: true, keeps: img.Layout != 9}
	if change != nil {
		change(o)
	}
	return o
}

// stop is the old module's pre_upgrade.
func (o *oldModule) stop() {
	if !o.keeps {
		return
	}
	state := append([]byte("IIPS"), 7, 0, 0, 0, 0, 0, 0, 0)
	state = append(state, "old one"...)
	require.NoError(o.t, o.img.ensure(o.img.entriesEnd()+uint64(len(state))))
	require.NoError(o.t, o.img.writeAt(state, o.img.entriesEnd()))
}

func (o *oldModule) devices(number uint64) []wire.AnyDevice {
	r, _, err := o.img.Decode(uint32(number - o.img.Lo))
	require.NoError(o.t, err)
	return r.Anchor.Devices
}

func (o *oldModule) write(number uint64, devices []wire.AnyDevice) {
	var record []byte
	switch {
	case !o.knows && o.img.Layout <= 3:
		record = encodeGenesis(devices)
	default:
		for i := range devices {
			d := &devices[i]
			if o.sparse {
				d.Origin, d.LastUsageTimestamp, d.Metadata, d.Aaguid = nil, nil, nil, nil
			}
			purpose, kind, protection := wire.PurposeAuthentication, wire.KeyTypeUnknown, wire.ProtectionUnprotected
			if d.Purpose == nil {
				d.Purpose = &purpose
			}
			if d.KeyType == nil {
				d.KeyType = &kind
			}
			if d.Protection == nil {
				d.Protection = &protection
			}
		}
		record = encode(o.img.Layout, wire.AnyAnchor{Devices: devices})
	}
	require.NoError(o.t, o.img.SetEntry(uint32(number-o.img.Lo), record))
}

// encodeGenesis writes the first generation of records: alias, public key, credential id.
func encodeGenesis(devices []wire.AnyDevice) []byte {
	b, _ := hex.DecodeString("4449444c046d016c0390a3c58c027182f6cab7060283d1b9b90f036d7b6e020100")
	blob := func(v []byte) { b = append(append(b, byte(len(v)&0x7f|0x80), byte(len(v)>>7)), v...) }
	b = append(b, byte(len(devices)))
	for _, d := range devices {
		blob([]byte(d.Alias))
		blob(d.Pubkey)
		if d.CredentialID == nil {
			b = append(b, 0)
		} else {
			b = append(b, 1)
			blob(d.CredentialID)
		}
	}
	return b
}

func (o *oldModule) register(devices ...wire.AnyDevice) uint64 {
	number := o.img.Lo + uint64(o.img.Anchors)
	require.NoError(o.t, o.img.ensure(o.img.entriesEnd()+uint64(o.img.EntrySize)))
	// Shares nothing with Append, which is under test.
	blank := make([]byte, o.img.EntrySize)
	require.NoError(o.t, o.img.writeAt(blank, uint64(o.img.Anchors)*uint64(o.img.EntrySize)))
	o.img.Anchors++
	var b [4]byte
	le.PutUint32(b[:], o.img.Anchors)
	require.NoError(o.t, o.mem.WriteAt(b[:], 4))
	o.write(number, devices)
	return number
}

func (o *oldModule) add(number uint64, d wire.AnyDevice) {
	o.write(number, append(o.devices(number), d))
}

// change replaces or, with a nil change, removes a device, as caller; it reports whether the module let it.
func (o *oldModule) change(number uint64, caller, key string, change func(*wire.AnyDevice)) bool {
	devices := o.devices(number)
	at := slices.IndexFunc(devices, func(d wire.AnyDevice) bool { return string(d.Pubkey) == key })
	require.GreaterOrEqual(o.t, at, 0, key)
	d := &devices[at]
	if o.knows && d.Protection != nil && *d.Protection == wire.ProtectionProtected && caller != key {
		return false
	}
	if change == nil {
		devices = slices.Delete(devices, at, at+1)
	} else {
		change(d)
	}
	o.write(number, devices)
	return true
}

func keys(devices []wire.AnyDevice) []string {
	var out []string
	for _, d := range devices {
		out = append(out, string(d.Pubkey))
	}
	return out
}

func oldDevice(key string, kind wire.KeyType, protection wire.Protection) wire.AnyDevice {
	d := wire.AnyDevice{Pubkey: []byte(key), Alias: "alias of " + key, KeyType: &kind, Protection: &protection}
	if kind != wire.KeyTypeSeedPhrase {
		d.CredentialID = []byte("credential of " + key)
	}
	return d
}

func passkey(key string) wire.AnyDevice {
	return oldDevice(key, wire.KeyTypePlatform, wire.ProtectionUnprotected)
}

func phrase(key string, p wire.Protection) wire.AnyDevice {
	return oldDevice(key, wire.KeyTypeSeedPhrase, p)
}

func TestStandInReadsRealImages(t *testing.T) {
	for _, name := range []string{"genesis_v1", "genesis_v5", "genesis_v7"} {
		mem := realImage(t, name)
		o := start(t, mem, nil)
		require.Len(t, o.devices(10002), 2)
		o.add(10002, passkey("new"))
		require.Len(t, o.devices(10002), 3)
	}
}
