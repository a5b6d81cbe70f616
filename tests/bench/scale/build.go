// Package scale measures what grows with the number of anchors, by make bench. Memories of up to a million
// anchors are built on the host, by canister/storage and the rules; that they are what calls would have
// built is shown for a thousand, byte for byte. The figures go to figures.txt.
package scale

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
	"kedge/ic/principal"
)

// First is the number of the first anchor, as the canister has it where nothing else is configured.
const First = 10_000

// DevicesOf are the three passkeys that anchor number i, counted from 0, has in the end: 96 bytes of key,
// 64 of credential id, AAGUID, an alias and an origin each, all of them different in every device.
func DevicesOf(i int) [3]identity.Data {
	var out [3]identity.Data
	for k := range out {
		out[k] = identity.Data{
			PublicKey:    key(i, k),
			Alias:        [...]string{"Chrome on macOS", "Firefox on Linux", "YubiKey 5C NFC"}[k],
			CredentialID: noise("credential", i, k, 64),
			AAGUID:       noise("aaguid", 0, k, identity.AAGUIDSize),
			KeyType:      [...]identity.KeyType{identity.Platform, identity.Platform, identity.CrossPlatform}[k],
			HasOrigin:    true,
			Origin:       "https://identity.example.org",
		}
	}
	return out
}

// key is a COSE key in DER of 96 bytes, as those of passkeys are. It is an Ed25519 key with a member more: any
// 32 bytes may be one, so a hundred million cost nothing.
func key(i, k int) []byte {
	random := noise("key", i, k, 64)
	der := []byte{0x30, 0x5e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01, 0x03, 0x4e, 0x00,
		0xa5, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20}
	der = append(append(der, random[:32]...), 0x22, 0x58, 0x20)
	return append(der, random[32:]...)
}

// noise is size bytes that follow from what they are for.
func noise(what string, i, k, size int) []byte {
	var out []byte
	for n := 0; len(out) < size; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", what, i, k, n))
		out = append(out, sum[:]...)
	}
	return out[:size:size]
}

// Builder makes a memory as the canister would by calls, without calling it.
type Builder struct {
	store *storage.Store
	clock identity.ServiceClock
}

// NewBuilder makes an empty memory into that of a canister whose timer first ran at a time, in
// nanoseconds since 1970.
func NewBuilder(mem storage.Memory, layout int, opened uint64) (*Builder, error) {
	store, err := storage.Create(mem, storage.Config{Lo: First, Hi: First + storage.MaxAnchors, Layout: layout})
	if err != nil {
		return nil, err
	}
	b := &Builder{store: store}
	_, err = b.call(principal.Management, opened)
	return b, err
}

// call is the beginning of every update call: service time goes on.
func (b *Builder) call(caller principal.Principal, now uint64) (identity.Call, error) {
	b.clock.Advance(now)
	if err := b.store.SetServiceTime(b.clock.Time, b.clock.Last); err != nil {
		return identity.Call{}, fmt.Errorf("set the service time: %w", err)
	}
	return identity.Call{Caller: caller, Now: now, Service: b.clock.At(now)}, nil
}

// Calls is how many calls make an anchor.
const Calls = 4

// Anchor makes one more anchor as its owner would, who registers the first device and with it adds two
// more and protects itself. The calls come at the times that now returns.
func (b *Builder) Anchor(i int, now func() uint64) error {
	devices := DevicesOf(i)
	owner := principal.SelfAuthenticating(devices[0].PublicKey)
	call, err := b.call(owner, now())
	if err != nil {
		return err
	}
	number, err := b.store.Allocate()
	if err != nil {
		return err
	}
	a, err := identity.Register(call, number, devices[0], nil)
	if err != nil {
		return err
	}
	if err := b.store.Write(a); err != nil {
		return err
	}
	for _, change := range []func(*identity.Actor) error{
		func(c *identity.Actor) error { return c.Add(devices[1]) },
		func(c *identity.Actor) error { return c.Add(devices[2]) },
		func(c *identity.Actor) error { return c.Protect(devices[0].PublicKey) },
	} {
		if err := b.as(owner, number, now(), change); err != nil {
			return err
		}
	}
	return nil
}

// as changes an anchor as one of its devices.
func (b *Builder) as(owner principal.Principal, number, now uint64, change func(*identity.Actor) error) error {
	call, err := b.call(owner, now)
	if err != nil {
		return err
	}
	a, err := b.store.Read(number)
	if err != nil {
		return err
	}
	actor, err := a.Authenticate(call)
	if err != nil {
		return err
	}
	if err := change(actor); err != nil {
		return err
	}
	return b.store.Write(a)
}

// Build makes a memory with n anchors, a call a second.
func Build(n, layout int) (*storage.RAM, error) {
	now := opened
	mem := storage.NewRAM(0)
	b, err := NewBuilder(mem, layout, now)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if err := b.Anchor(i, func() uint64 { now += 1e9; return now }); err != nil {
			return nil, fmt.Errorf("anchor %d: %w", First+i, err)
		}
	}
	return mem, nil
}

// opened is when the canisters of the bench open: 2026-01-01.
const opened = uint64(1_767_225_600_000_000_000)

// Usage is what a memory takes, in bytes: its regions, and as much of the slots as is used.
type Usage struct{ Slots, Used, Overflow, History, Index uint64 }

// RoomOf reads it from a memory with n anchors, as package storage draws the superblock, the extent table
// and slots.
func RoomOf(mem storage.Memory, n int) (Usage, error) {
	le := binary.LittleEndian
	var b [64]byte
	if err := mem.ReadAt(b[:], 88); err != nil {
		return Usage{}, fmt.Errorf("read the superblock: %w", err)
	}
	used := func(region int, unit uint64) uint64 { return uint64(le.Uint32(b[16*region+4:])) * unit }
	room := Usage{Slots: uint64(n) * storage.SlotSize, Overflow: used(1, 4096), History: used(2, 512), Index: used(3, 2048)}

	const perExtent, extent = alloc.ExtentPages * storage.PageSize / storage.SlotSize, alloc.ExtentPages * storage.PageSize
	for i := range n {
		var word [4]byte
		if err := mem.ReadAt(word[:2], storage.PageSize+2*uint64(i/perExtent)); err != nil {
			return Usage{}, fmt.Errorf("read the extent table: %w", err)
		}
		slot := 2*storage.PageSize + uint64(le.Uint16(word[:])-1)*extent + uint64(i%perExtent)*storage.SlotSize
		if err := mem.ReadAt(word[:], slot+12); err != nil {
			return Usage{}, fmt.Errorf("read slot %d: %w", i, err)
		}
		const head = 48
		room.Used += head + uint64(le.Uint32(word[:]))
	}
	return room, nil
}
