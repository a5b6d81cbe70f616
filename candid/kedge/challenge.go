package kedge

import (
	"crypto/sha256"
	"encoding/binary"

	"kedge/ic/principal"
)

// NonceSize is the length of the nonce of an attestation challenge in bytes.
const NonceSize = 16

// ChallengeFor computes an attestation challenge; canister and client both do, so that a client never has
// its authenticator sign bytes that it cannot explain:
//
//	SHA-256( 11 "kedge attestation" | len(canister) u8 | canister | anchor u64 | len(key) u16 | key | nonce )
//
// with the numbers big-endian. The first byte is the length of the domain, as in all domains that the
// Internet Computer signs, and no other domain begins like it: a signature over the challenge can never be
// one over a request.
func ChallengeFor(canister principal.Principal, anchor uint64, key []byte, nonce [NonceSize]byte) [sha256.Size]byte {
	const domain = "\x11kedge attestation"
	b := make([]byte, 0, len(domain)+1+principal.MaxLen+8+2+len(key)+NonceSize)
	b = append(b, domain...)
	b = append(b, byte(canister.Len()))
	b = canister.AppendTo(b)
	b = binary.BigEndian.AppendUint64(b, anchor)
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	b = append(b, key...)
	b = append(b, nonce[:]...)
	return sha256.Sum256(b)
}
