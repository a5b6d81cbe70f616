package kedge

import (
	"crypto/sha256"
	"encoding/binary"

	"kedge/ic/principal"
)

// ContactWords is how many words both sides compare by voice before a recovery contact approves a new key.
const ContactWords = 6

// ContactWordsOf returns the words of a new key on an anchor as places in the English list of BIP-39, from 0 to
// 2047: the first 66 bits, 11 each, of
//
//	SHA-256("\0ekedge contacts" · anchor, 8 bytes big-endian · length of principal, 1 byte · principal)
//
// They are bound to the anchor, so that words heard for one are wrong for every other.
func ContactWordsOf(anchor UserNumber, key principal.Principal) (places [ContactWords]uint16) {
	b := []byte("\x0ekedge contacts")
	b = binary.BigEndian.AppendUint64(b, anchor)
	b = key.AppendTo(append(b, byte(key.Len())))
	sum := sha256.Sum256(b)
	for i := range places {
		for bit := 11 * i; bit < 11*(i+1); bit++ {
			places[i] = places[i]<<1 | uint16(sum[bit/8]>>(7-bit%8)&1)
		}
	}
	return places
}
