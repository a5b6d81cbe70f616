package request

import (
	"crypto/sha256"

	"kedge/ic/principal"
)

// Permissions of a delegation: what requests its key may sign.
const (
	PermitAll     = "all"     // the same as no permissions at all
	PermitQueries = "queries" // queries and read_state, no calls
)

// Delegation lets the holder of a key sign in the name of another key.
type Delegation struct {
	PublicKey   []byte                // DER
	Expiration  uint64                // nanoseconds since 1970; void afterwards
	Targets     []principal.Principal // canisters that may be talked to; nil if all
	Permissions string                // "" if absent
}

// SignedDelegation is a delegation with the signature of the key that delegates.
type SignedDelegation struct {
	Delegation Delegation
	Signature  []byte
}

// Hash returns the representation-independent hash of the delegation.
func (d *Delegation) Hash() Hash {
	var h mapHasher
	h.addBytes(keyPubkey, d.PublicKey)
	h.add(keyExpiration, hashNat(d.Expiration))
	if d.Targets != nil {
		joined := sha256.New()
		for _, target := range d.Targets {
			sum := sha256.Sum256(target.Bytes())
			joined.Write(sum[:])
		}
		h.add(keyTargets, Hash(joined.Sum(nil)))
	}
	if d.Permissions != "" {
		h.addBytes(keyPermissions, []byte(d.Permissions))
	}
	return h.sum()
}

// SigningPayload returns the message that the delegating key signs:
// "\x1Aic-request-auth-delegation" · hash.
func (d *Delegation) SigningPayload() []byte {
	sum := d.Hash()
	return append([]byte("\x1aic-request-auth-delegation"), sum[:]...)
}
