package builtin

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"kedge/ic/principal"
)

// AccountID names an account of a ledger. Its layout is that of the ICP ledger's account identifiers:
//
//	4 bytes   CRC-32 of the rest, big endian
//	28 bytes  SHA-224 of "\x0Aaccount-id", the owner and the subaccount of 32 bytes
type AccountID [32]byte

// subaccountLength is the length of a subaccount in bytes; the default one is all zeros.
const subaccountLength = 32

// accountOf returns the account of an owner; nil is the default subaccount. It fails if the subaccount has
// not 32 bytes.
func accountOf(owner principal.Principal, subaccount []byte) (id AccountID, ok bool) {
	var sub [subaccountLength]byte
	if subaccount != nil && len(subaccount) != len(sub) {
		return id, false
	}
	copy(sub[:], subaccount)
	h := sha256.New224()
	h.Write([]byte("\x0Aaccount-id"))
	h.Write(owner.Bytes())
	h.Write(sub[:])
	h.Sum(id[:4])
	binary.BigEndian.PutUint32(id[:4], crc32.ChecksumIEEE(id[4:]))
	return id, true
}

// parseAccount reads an account identifier and checks its checksum.
func parseAccount(raw []byte) (id AccountID, ok bool) {
	if len(raw) != len(id) {
		return id, false
	}
	copy(id[:], raw)
	return id, binary.BigEndian.Uint32(id[:4]) == crc32.ChecksumIEEE(id[4:])
}

// principalSubaccount is the subaccount of the cycles minting canister that stands for a principal: its
// length, its bytes, zeros.
func principalSubaccount(p principal.Principal) []byte {
	sub := make([]byte, 1, subaccountLength)
	sub[0] = byte(p.Len())
	return p.AppendTo(sub)[:subaccountLength]
}

// inexhaustible is the account that never runs dry, from which everybody is funded.
var inexhaustible, _ = accountOf(principal.Anonymous, nil)
