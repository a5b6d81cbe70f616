package request

import (
	"fmt"

	"kedge/ic/principal"
)

// Signer holds a key.
type Signer interface {
	// PublicKey returns the key in DER.
	PublicKey() []byte
	// Sign signs a message.
	Sign(message []byte) ([]byte, error)
}

// Sign fills in the sender and signs the content. With a chain of delegations the sender is the key
// that the chain begins with, senderKey, and signer holds the key that it ends with; without one,
// senderKey must be nil. A nil signer makes an anonymous request.
func Sign(content Content, signer Signer, senderKey []byte, chain ...SignedDelegation) (*Envelope, error) {
	if signer == nil {
		content.Sender = principal.Anonymous
		return &Envelope{Content: content}, nil
	}
	if (senderKey == nil) != (len(chain) == 0) {
		return nil, fmt.Errorf("sign a request: a sender key goes with a chain of delegations, got %d of them", len(chain))
	}
	if senderKey == nil {
		senderKey = signer.PublicKey()
	}
	content.Sender = principal.SelfAuthenticating(senderKey)
	signature, err := signer.Sign(content.ID().SigningPayload())
	if err != nil {
		return nil, fmt.Errorf("sign a request: %w", err)
	}
	return &Envelope{Content: content, PublicKey: senderKey, Delegations: chain, Signature: signature}, nil
}

// Delegate signs a delegation.
func Delegate(d Delegation, signer Signer) (SignedDelegation, error) {
	signature, err := signer.Sign(d.SigningPayload())
	if err != nil {
		return SignedDelegation{}, fmt.Errorf("sign a delegation: %w", err)
	}
	return SignedDelegation{d, signature}, nil
}
