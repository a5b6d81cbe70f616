package delegation

import "crypto/sha256"

// The names of the two fields of a delegation, hashed once: every message needs them.
var (
	hashPubkey     = sha256.Sum256([]byte("pubkey"))
	hashExpiration = sha256.Sum256([]byte("expiration"))
)

// Message is the hash under which a signature for a delegation stands in the tree.
type Message [sha256.Size]byte

// NewMessage hashes the delegation {pubkey: sessionKey, expiration} as the network will when it checks
// the signature (Interface Specification, "Authentication" and "Representation-independent hashing of
// structured data"): SHA-256( 1A "ic-request-auth-delegation" | hash of the map ).
func NewMessage(sessionKey []byte, expiration uint64) Message {
	key := sha256.Sum256(sessionKey)
	var digits [10]byte
	time := sha256.Sum256(appendLEB128(digits[:0], expiration))

	// Entries of the map are sorted: SHA-256("expiration") is below SHA-256("pubkey").
	var buf [len(delegationDomain) + sha256.Size]byte
	var entries [4 * sha256.Size]byte
	e := append(entries[:0], hashExpiration[:]...)
	e = append(e, time[:]...)
	e = append(e, hashPubkey[:]...)
	e = append(e, key[:]...)
	fields := sha256.Sum256(e)

	b := append(buf[:0], texts[atDelegation:atSig]...)
	b = append(b, fields[:]...)
	return sha256.Sum256(b)
}

func appendLEB128(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
