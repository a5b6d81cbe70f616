package request

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"kedge/ic/principal"
)

// Envelope is a request as it travels: CBOR, tagged 55799 or not,
//
//	{ "content": map, "sender_pubkey": bytes, "sender_sig": bytes,
//	  "sender_delegation": [{ "delegation": map, "signature": bytes }] }
//
// of which all but the content are absent in anonymous requests.
type Envelope struct {
	Content     Content
	PublicKey   []byte // DER; nil if absent
	Delegations []SignedDelegation
	Signature   []byte // nil if absent
}

// Wire forms. Pointers tell fields that are absent from fields that are empty.
type (
	wireEnvelope struct {
		Content     *wireContent     `cbor:"content"`
		PublicKey   []byte           `cbor:"sender_pubkey,omitempty"`
		Signature   []byte           `cbor:"sender_sig,omitempty"`
		Delegations []wireDelegation `cbor:"sender_delegation,omitempty"`
	}
	wireContent struct {
		Type          *string         `cbor:"request_type"`
		Sender        []byte          `cbor:"sender"`
		IngressExpiry *uint64         `cbor:"ingress_expiry"`
		Nonce         *[]byte         `cbor:"nonce,omitempty"`
		Canister      []byte          `cbor:"canister_id,omitempty"`
		Method        *string         `cbor:"method_name,omitempty"`
		Arg           []byte          `cbor:"arg,omitempty"`
		SenderInfo    *wireSenderInfo `cbor:"sender_info,omitempty"`
		Paths         *[][][]byte     `cbor:"paths,omitempty"`
	}
	wireSenderInfo struct {
		Info      []byte `cbor:"info"`
		Signer    []byte `cbor:"signer"`
		Signature []byte `cbor:"sig"`
	}
	wireDelegation struct {
		Delegation *struct {
			PublicKey   []byte    `cbor:"pubkey"`
			Expiration  *uint64   `cbor:"expiration"`
			Targets     *[][]byte `cbor:"targets,omitempty"`
			Permissions *string   `cbor:"permissions,omitempty"`
		} `cbor:"delegation"`
		Signature []byte `cbor:"signature"`
	}
)

// decMode refuses repeated keys and caps nesting; unknown fields are ignored, as the production replica
// does. A field that it ignores is not in the hash either, so a signature over it does not verify.
var decMode = mustDecMode(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 16})

func mustDecMode(options cbor.DecOptions) cbor.DecMode {
	mode, err := options.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}

// Decode reads an envelope. Errors name the field that is missing or wrong.
func Decode(data []byte) (*Envelope, error) {
	var w wireEnvelope
	if err := decMode.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	if w.Content == nil {
		return nil, errors.New("envelope: missing field `content`")
	}
	content, err := w.Content.decode()
	if err != nil {
		return nil, fmt.Errorf("envelope: content: %w", err)
	}
	e := &Envelope{Content: content, PublicKey: w.PublicKey, Signature: w.Signature}
	if w.Delegations != nil {
		e.Delegations = make([]SignedDelegation, len(w.Delegations))
	}
	for i := range w.Delegations {
		if e.Delegations[i], err = w.Delegations[i].decode(); err != nil {
			return nil, fmt.Errorf("envelope: sender_delegation %d: %w", i, err)
		}
	}
	return e, nil
}

func missing(field string) error { return fmt.Errorf("missing field `%s`", field) }

func (w *wireContent) decode() (c Content, err error) {
	switch {
	case w.Type == nil:
		return c, missing("request_type")
	case w.Sender == nil:
		return c, missing("sender")
	case w.IngressExpiry == nil:
		return c, missing("ingress_expiry")
	}
	c.Type, c.IngressExpiry = Type(*w.Type), *w.IngressExpiry
	if w.Nonce != nil {
		c.Nonce = *w.Nonce
	}
	if c.Sender, err = principal.FromBytes(w.Sender); err != nil {
		return c, fmt.Errorf("sender: %w", err)
	}
	switch c.Type {
	case ReadState:
		if w.Paths == nil {
			return c, missing("paths")
		}
		c.Paths = *w.Paths
		return c, nil
	case Call, Query:
	default:
		return c, fmt.Errorf("unknown variant `%s` of request_type, expected `call`, `query` or `read_state`", c.Type)
	}
	switch {
	case w.Canister == nil:
		return c, missing("canister_id")
	case w.Method == nil:
		return c, missing("method_name")
	case w.Arg == nil:
		return c, missing("arg")
	}
	c.Method, c.Arg = *w.Method, w.Arg
	if c.Canister, err = principal.FromBytes(w.Canister); err != nil {
		return c, fmt.Errorf("canister_id: %w", err)
	}
	if s := w.SenderInfo; s != nil {
		if s.Info == nil || s.Signer == nil || s.Signature == nil {
			return c, errors.New("sender_info: a field is missing, expected `info`, `signer` and `sig`")
		}
		signer, err := principal.FromBytes(s.Signer)
		if err != nil {
			return c, fmt.Errorf("sender_info: signer: %w", err)
		}
		c.SenderInfo = &SenderInfo{Info: s.Info, Signer: signer, Signature: s.Signature}
	}
	return c, nil
}

func (w *wireDelegation) decode() (s SignedDelegation, err error) {
	d := w.Delegation
	switch {
	case d == nil:
		return s, missing("delegation")
	case w.Signature == nil:
		return s, missing("signature")
	case d.PublicKey == nil:
		return s, missing("pubkey")
	case d.Expiration == nil:
		return s, missing("expiration")
	}
	s = SignedDelegation{Delegation{PublicKey: d.PublicKey, Expiration: *d.Expiration}, w.Signature}
	if d.Permissions != nil {
		if *d.Permissions != PermitAll && *d.Permissions != PermitQueries {
			return s, fmt.Errorf("unknown variant %q of permissions, expected %q or %q", *d.Permissions, PermitAll, PermitQueries)
		}
		s.Delegation.Permissions = *d.Permissions
	}
	if d.Targets == nil {
		return s, nil
	}
	s.Delegation.Targets = make([]principal.Principal, len(*d.Targets))
	for i, raw := range *d.Targets {
		if s.Delegation.Targets[i], err = principal.FromBytes(raw); err != nil {
			return s, fmt.Errorf("target %d: %w", i, err)
		}
	}
	return s, nil
}
