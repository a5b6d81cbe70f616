package scale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/tests/harness"
)

// A memory that is built on the host is the one that a thousand people make of the real module by calls at
// the same times.
func TestBuiltMemoryIsWhatCallsMake(t *testing.T) {
	const anchors, atOnce = 1000, 10
	h := harness.Open(t, nil)
	memory, err := h.Net.StableMemory(h.Canister)
	require.NoError(t, err)
	store, err := storage.Open(storage.RAMOf(memory))
	require.NoError(t, err)
	_, first := store.ServiceTime() // written by the first run of the timer

	mem := storage.NewRAM(0)
	b, err := NewBuilder(mem, 0, first)
	require.NoError(t, err)
	// Time stands still for a few calls but for a nanosecond a round, then goes on by some seconds.
	calls, paused := uint64(0), uint64(0)
	at := func() uint64 { return paused + calls }
	for i := range anchors {
		if i%atOnce == 0 {
			h.Pass(7 * time.Second)
			calls, paused = 0, uint64(h.Net.Time().UnixNano())
		}
		before := calls
		byCalls(h, i, func() { calls++ })
		require.Equal(t, before+Calls, calls)
		calls = before
		require.NoError(t, b.Anchor(i, func() uint64 { calls++; return at() }))
	}
	memory, err = h.Net.StableMemory(h.Canister)
	require.NoError(t, err)
	built := mem.Bytes()
	require.Equal(t, len(memory), len(built), "size")
	for page := 0; page < len(built); page += storage.PageSize {
		require.Equal(t, memory[page:page+storage.PageSize], built[page:page+storage.PageSize], "page %d", page/storage.PageSize)
	}

	room, err := RoomOf(mem, anchors)
	require.NoError(t, err)
	require.Zero(t, room.Overflow, "three devices fit into the slot")
}

// byCalls makes the anchor that Builder.Anchor makes.
func byCalls(h *harness.Harness, i int, count func()) {
	h.Helper()
	devices := DevicesOf(i)
	owner := deviceOf(devices[0])
	count()
	number := h.Register(owner)
	require.Equal(h, uint64(First+i), number)
	count()
	require.NoError(h, h.Add(number, owner, deviceOf(devices[1])))
	count()
	require.NoError(h, h.Add(number, owner, deviceOf(devices[2])))
	count()
	require.NoError(h, h.Protect(number, owner, owner))
}

// deviceOf is a device as clients speak of it.
func deviceOf(d identity.Data) *harness.Device {
	kind := kedge.KeyTypePlatform
	if d.KeyType == identity.CrossPlatform {
		kind = kedge.KeyTypeCrossPlatform
	}
	return &harness.Device{Name: d.Alias, Data: kedge.DeviceData{
		Pubkey: d.PublicKey, Alias: d.Alias, CredentialID: d.CredentialID, Aaguid: d.AAGUID, Origin: &d.Origin,
		Purpose: kedge.PurposeAuthentication, KeyType: kind, Protection: kedge.DeviceProtectionUnprotected,
	}}
}
