package credid

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"kedge/device/derive"
)

// A U2F key handle of a Trezor (trezor/trezor-firmware, core/src/apps/webauthn/credential.py):
//
//	path 32 (eight hardened numbers, little endian; before firmware 2.0.8 big endian) │ mac 32
//
// The key is the SLIP-0010 P-256 one at m/U2F'/path, and the mac HMAC-SHA256(private key, SHA-256(application
// id) ‖ path).

const (
	trezorU2F     = 0x80553246 // "U2F", hardened
	trezorU2FSize = 64
)

// OpenTrezorU2F returns the key pair of a U2F key handle that a Trezor with this seed made for the
// application id, else it returns [ErrForeign].
func OpenTrezorU2F(seed, handle []byte, appID string) (crypto.Signer, error) {
	if len(handle) != trezorU2FSize {
		return nil, ErrForeign
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		path := []uint32{trezorU2F}
		for i := 0; i < 32; i += 4 {
			if step := order.Uint32(handle[i:]); step&hardened != 0 {
				path = append(path, step)
			}
		}
		if len(path) != 9 {
			continue
		}
		node, err := derive.P256Node(seed, path...)
		if err != nil {
			return nil, err
		}
		mac := hmac.New(sha256.New, node.Key[:])
		mac.Write(rpHash(appID))
		mac.Write(handle[:32])
		if hmac.Equal(mac.Sum(nil), handle[32:]) {
			return scalarKey(node.Key[:], ES256)
		}
	}
	return nil, ErrForeign
}
