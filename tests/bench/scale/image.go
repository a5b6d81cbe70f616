package scale

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations/ii"
	"kedge/migrations/ii/iitest/old"
)

// The image of an old canister: its header, and where its records are, is drawn in package ii.
const (
	oldLayout = 5
	oldHeader = 64
)

// Old makes the memory of an Internet Identity of layout 5 with the anchors that Build makes, as Candid.
func Old(n int) (*storage.RAM, error) {
	mem := storage.NewRAM(0)
	if err := mem.Grow(2); err != nil {
		return nil, err
	}
	h := make([]byte, oldHeader)
	copy(h, "IIC")
	h[3] = oldLayout
	binary.LittleEndian.PutUint64(h[8:], First)
	binary.LittleEndian.PutUint64(h[16:], First+uint64(n)+1000)
	binary.LittleEndian.PutUint16(h[24:], 4096)
	copy(h[26:58], bytes.Repeat([]byte{5}, 32))
	if err := mem.WriteAt(h, 0); err != nil {
		return nil, err
	}
	image, err := ii.Open(mem)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if err := image.Append(); err != nil {
			return nil, fmt.Errorf("anchor %d: %w", First+i, err)
		}
		if err := image.SetEntry(uint32(i), old.EncodeAnchorArgs(oldAnchor(i))); err != nil {
			return nil, err
		}
	}
	return mem, nil
}

// oldAnchor is anchor i as the old module writes it.
func oldAnchor(i int) old.Anchor {
	created, used := opened, opened+1
	a := old.Anchor{CreatedAt: &created}
	for _, d := range DevicesOf(i) {
		kind := old.KeyTypePlatform
		if d.KeyType == identity.CrossPlatform {
			kind = old.KeyTypeCrossPlatform
		}
		a.Devices = append(a.Devices, old.Device{
			Pubkey: d.PublicKey, Alias: d.Alias, CredentialID: d.CredentialID, Purpose: old.PurposeAuthentication,
			KeyType: kind, Protection: old.ProtectionUnprotected, Origin: &d.Origin, LastUsageTimestamp: &used, Aaguid: d.AAGUID,
		})
	}
	return a
}
