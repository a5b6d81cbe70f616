package device

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"errors"

	"github.com/aviate-labs/agent-go/identity"
	"github.com/aviate-labs/agent-go/principal"
	"github.com/fxamacker/cbor/v2"

	"kedge/ic/signature"
	"kedge/webauthn"
)

// This file is all that the package knows of the Internet Computer: the form of a passkey's public
// key and signature there (Interface Specification, "Web Authentication"), and agent-go's identity.

// PublicKey returns the passkey's key as the Internet Computer takes it, 96 bytes for ES256: the COSE key
// as the bit string of a SubjectPublicKeyInfo with the algorithm 1.3.6.1.4.1.56387.1.1.
func (p *Passkey) PublicKey() []byte {
	key, err := webauthn.ParseCOSE(p.COSE())
	if err != nil {
		panic("device: " + err.Error())
	}
	return key.DER()
}

// Sign returns the signature of a message as the Internet Computer takes it from a passkey: an
// assertion with the message as its challenge, in CBOR.
func (p *Passkey) Sign(message []byte) ([]byte, error) {
	a, err := p.Assert(AssertionRequest{Challenge: message})
	if err != nil {
		return nil, err
	}
	return signature.EncodeWebAuthn(webauthn.Assertion{
		AuthenticatorData: a.AuthenticatorData, ClientDataJSON: a.ClientDataJSON, Signature: a.Signature,
	}), nil
}

// errNoExport is the answer of an identity that is asked for its private key.
var errNoExport = errors.New("the private key of a device does not leave it")

// agentIdentity lets agent-go sign with a device.
type agentIdentity struct{ key Key }

var _ identity.Identity = agentIdentity{}

// AgentIdentity returns the identity that signs calls of agent-go with the key.
func AgentIdentity(key Key) identity.Identity { return agentIdentity{key} }

// Sender returns the self-authenticating principal of the public key.
func (i agentIdentity) Sender() principal.Principal {
	return principal.NewSelfAuthenticating(i.key.PublicKey())
}

// Sign returns the signature of the message, which for a request is its domain separator and id.
func (i agentIdentity) Sign(message []byte) ([]byte, error) { return i.key.Sign(message) }

// PublicKey returns the DER public key.
func (i agentIdentity) PublicKey() []byte { return i.key.PublicKey() }

// Verify reports whether sig is a signature of the message by this key.
func (i agentIdentity) Verify(message, sig []byte) bool {
	var v signature.Verifier // knows no root key, which only signatures of canisters need
	return v.Verify(i.key.PublicKey(), message, sig) == nil
}

// ToPEM refuses: a device does not give its key away.
func (agentIdentity) ToPEM() ([]byte, error) { return nil, errNoExport }

// plainKey returns a public key without the form that it comes in: a letter for the kind and the point. The
// same key may be a COSE key in one list and a plain SubjectPublicKeyInfo in another. It is not ok for keys
// that no seed gives.
func plainKey(der []byte) (key string, ok bool) {
	if key, err := webauthn.ParseDER(der); err == nil {
		var members struct {
			X []byte `cbor:"-2,keyasint"`
			Y []byte `cbor:"-3,keyasint"`
		}
		if key.Algorithm() == webauthn.RS256 || cbor.Unmarshal(key.COSE(), &members) != nil {
			return "", false
		}
		return plainPoint(members.X, members.Y), true
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return "", false
	}
	return plainPublic(public)
}

func plainPublic(public crypto.PublicKey) (key string, ok bool) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil || len(point) != 65 {
			return "", false
		}
		return plainPoint(point[1:33], point[33:]), true
	case ed25519.PublicKey:
		return plainPoint(k, nil), true
	}
	return "", false
}

func plainPoint(x, y []byte) string {
	if y == nil {
		return "E" + string(x)
	}
	return "P" + string(x) + string(y)
}
