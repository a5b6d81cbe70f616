package client

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aviate-labs/agent-go/identity"
	agentprincipal "github.com/aviate-labs/agent-go/principal"

	"kedge/ic/principal"
	"kedge/ic/request"
)

// Chain is a chain of delegations from the key that is acted for. Its JSON is that of
// DelegationChain in @icp-sdk/core: byte strings and the expiration in hexadecimal.
type Chain struct {
	PublicKey   []byte
	Delegations []request.SignedDelegation
}

type chainJSON struct {
	Delegations []signedJSON `json:"delegations"`
	PublicKey   string       `json:"publicKey"`
}

type signedJSON struct {
	Delegation delegationJSON `json:"delegation"`
	Signature  string         `json:"signature"`
}

type delegationJSON struct {
	Expiration string   `json:"expiration"`
	PublicKey  string   `json:"pubkey"`
	Targets    []string `json:"targets,omitempty"`
	Permission string   `json:"permissions,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (c Chain) MarshalJSON() ([]byte, error) {
	doc := chainJSON{Delegations: []signedJSON{}, PublicKey: hex.EncodeToString(c.PublicKey)}
	for _, d := range c.Delegations {
		var targets []string
		for _, t := range d.Delegation.Targets {
			targets = append(targets, hex.EncodeToString(t.Bytes()))
		}
		doc.Delegations = append(doc.Delegations, signedJSON{
			Delegation: delegationJSON{
				Expiration: strconv.FormatUint(d.Delegation.Expiration, 16),
				PublicKey:  hex.EncodeToString(d.Delegation.PublicKey),
				Targets:    targets,
				Permission: d.Delegation.Permissions,
			},
			Signature: hex.EncodeToString(d.Signature),
		})
	}
	return json.Marshal(doc)
}

// UnmarshalJSON implements [json.Unmarshaler]. The error names the field that is wrong.
func (c *Chain) UnmarshalJSON(data []byte) error {
	var doc chainJSON
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	var r hexReader
	out := Chain{PublicKey: r.bytes("publicKey", doc.PublicKey)}
	for _, s := range doc.Delegations {
		expiration, err := strconv.ParseUint(s.Delegation.Expiration, 16, 64)
		if err != nil {
			return fmt.Errorf("expiration %q is not a hexadecimal number of nanoseconds", s.Delegation.Expiration)
		}
		d := request.Delegation{
			PublicKey: r.bytes("pubkey", s.Delegation.PublicKey), Expiration: expiration, Permissions: s.Delegation.Permission,
		}
		for _, t := range s.Delegation.Targets {
			target, err := principal.FromBytes(r.bytes("targets", t))
			if err != nil {
				return fmt.Errorf("targets: %w", err)
			}
			d.Targets = append(d.Targets, target)
		}
		out.Delegations = append(out.Delegations, request.SignedDelegation{Delegation: d, Signature: r.bytes("signature", s.Signature)})
	}
	if r.err != nil {
		return r.err
	}
	*c = out
	return nil
}

// hexReader keeps the first error of many readings.
type hexReader struct{ err error }

func (r *hexReader) bytes(field, digits string) []byte {
	b, err := hex.DecodeString(digits)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s %q is not hexadecimal", field, digits)
	}
	return b
}

// Delegated returns the session of a session key that a chain ends in.
func Delegated(sessionKey identity.Identity, chain Chain) Session {
	return Session{Identity: delegatedIdentity{sessionKey, chain.PublicKey}, Delegations: chain.Delegations}
}

// delegatedIdentity is a session key in the name of another key.
type delegatedIdentity struct {
	identity.Identity
	user []byte
}

// Sender returns the principal of the key that is acted for.
func (d delegatedIdentity) Sender() agentprincipal.Principal {
	return agentprincipal.NewSelfAuthenticating(d.user)
}

// PublicKey returns the key that is acted for, which an envelope names beside the delegations.
func (d delegatedIdentity) PublicKey() []byte { return d.user }

// wireDelegation is a delegation as it travels in an envelope.
type wireDelegation struct {
	Delegation struct {
		PublicKey   []byte   `cbor:"pubkey"`
		Expiration  uint64   `cbor:"expiration"`
		Targets     [][]byte `cbor:"targets,omitempty"`
		Permissions string   `cbor:"permissions,omitempty"`
	} `cbor:"delegation"`
	Signature []byte `cbor:"signature"`
}

func onTheWire(chain []request.SignedDelegation) []wireDelegation {
	wire := make([]wireDelegation, len(chain))
	for i, d := range chain {
		wire[i].Signature = d.Signature
		w := &wire[i].Delegation
		w.PublicKey, w.Expiration, w.Permissions = d.Delegation.PublicKey, d.Delegation.Expiration, d.Delegation.Permissions
		for _, target := range d.Delegation.Targets {
			w.Targets = append(w.Targets, target.Bytes())
		}
	}
	return wire
}
