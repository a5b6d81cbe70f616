package delegation

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// MaxFrontend is the longest front end (an origin such as "https://nns.ic0.app") in bytes: its length
// takes one byte in the seed.
const MaxFrontend = 255

// ErrNoSalt says that the canister has no salt yet, so no key can be derived.
var ErrNoSalt = errors.New("Salt is not set. Try calling init_salt() to set it") //lint:ignore ST1005 the text that clients of Internet Identity match on

// Seed names one key of the canister: the key that one anchor has at one front end.
type Seed [sha256.Size]byte

// NewSeed derives the seed of an anchor's key at a front end:
//
//	SHA-256( 20 | salt (32) | len(n) | n | len(f) | f )
//
// where n is the anchor number in decimal digits and f the front end, each behind one length byte. A
// later kind of seed puts a word that is not a number in n's place and so can never meet one of these.
// It fails with ErrNoSalt for a salt of zeros and with a text that names the length for a front end
// longer than MaxFrontend.
func NewSeed(salt *[32]byte, anchor uint64, frontend string) (Seed, error) {
	if isZero(salt) {
		return Seed{}, ErrNoSalt
	}
	if len(frontend) > MaxFrontend {
		return Seed{}, fmt.Errorf("frontend hostname %d exceeds the limit of %d bytes", len(frontend), MaxFrontend)
	}
	var buf [1 + 32 + 1 + 20 + 1 + MaxFrontend]byte
	b := append(buf[:0], byte(len(salt)))
	b = append(b, salt[:]...)
	b = append(b, 0)
	at := len(b)
	b = strconv.AppendUint(b, anchor, 10)
	b[at-1] = byte(len(b) - at)
	b = append(b, byte(len(frontend)))
	b = append(b, frontend...)
	return sha256.Sum256(b), nil
}

// isZero compares with no array of zeros: that would lie on a page of its own.
func isZero(salt *[32]byte) bool {
	le := binary.LittleEndian
	return le.Uint64(salt[:])|le.Uint64(salt[8:])|le.Uint64(salt[16:])|le.Uint64(salt[24:]) == 0
}

// AppendPublicKey appends the seed's key in DER as the network knows it: a SubjectPublicKeyInfo whose bit
// string is len(canister) | canister | seed. A canister id has at most 29 bytes, so every length
// takes one byte. Its principal is SHA-224(key) | 02.
func (s Seed) AppendPublicKey(key, canister []byte) []byte {
	bits := 1 + len(canister) + len(s) // without the byte that counts unused bits
	key = append(key, 0x30, byte(len(algorithm)+3+bits))
	key = append(key, texts[atAlgorithm:atFork]...)
	key = append(key, 0x03, byte(1+bits), 0x00)
	key = append(key, byte(len(canister)))
	key = append(key, canister...)
	return append(key, s[:]...)
}
