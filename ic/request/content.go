// Package request holds the messages that clients send to the Internet Computer: what they ask for,
// its request id, the envelope with its signature, and chains of delegations (Interface Specification,
// "Request: …", "Request ids" and "Authentication").
package request

import (
	"crypto/sha256"
	"encoding/hex"

	"kedge/ic/principal"
)

// Limits of the protocol. The decoder does not enforce them: who validates a request reports each in
// its own words.
const (
	MaxNonce       = 32   // bytes
	MaxPaths       = 1000 // of a read_state request
	MaxLabels      = 127  // of a path
	MaxDelegations = 20   // of a chain
	MaxTargets     = 1000 // of a delegation
)

// Type says what a request asks for.
type Type string

// The types of requests.
const (
	Call      Type = "call"
	Query     Type = "query"
	ReadState Type = "read_state"
)

// ID identifies a request: the representation-independent hash of its content.
type ID [sha256.Size]byte

// String returns the id in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Content is what a request asks for. Which fields mean something depends on Type.
type Content struct {
	Type          Type
	Sender        principal.Principal
	IngressExpiry uint64 // nanoseconds since 1970; the request is void afterwards
	Nonce         []byte // at most 32 bytes; nil if absent, which is not the same as empty

	// Of calls and queries.
	Canister   principal.Principal
	Method     string
	Arg        []byte
	SenderInfo *SenderInfo

	// Of read_state: paths, each a list of labels.
	Paths [][][]byte
}

// SenderInfo is information about the sender that a canister has signed.
type SenderInfo struct {
	Info      []byte
	Signer    principal.Principal
	Signature []byte // canister signature over "\x0Eic-sender-info" · Info
}

// SigningPayload returns the message that SenderInfo.Signature signs.
func (s *SenderInfo) SigningPayload() []byte { return append([]byte("\x0eic-sender-info"), s.Info...) }

// ID returns the request id of the content. Fields that are absent are not part of it.
func (c *Content) ID() ID {
	var h mapHasher
	h.addBytes(keyRequestType, []byte(c.Type))
	h.addBytes(keySender, c.Sender.Bytes())
	h.add(keyIngressExpiry, hashNat(c.IngressExpiry))
	if c.Nonce != nil {
		h.addBytes(keyNonce, c.Nonce)
	}
	if c.Type == ReadState {
		h.add(keyPaths, hashPaths(c.Paths))
		return ID(h.sum())
	}
	h.addBytes(keyCanisterID, c.Canister.Bytes())
	h.addBytes(keyMethodName, []byte(c.Method))
	h.addBytes(keyArg, c.Arg)
	if s := c.SenderInfo; s != nil {
		var info mapHasher
		info.addBytes(keyInfo, s.Info)
		info.addBytes(keySigner, s.Signer.Bytes())
		info.addBytes(keySig, s.Signature)
		h.add(keySenderInfo, info.sum())
	}
	return ID(h.sum())
}

func hashPaths(paths [][][]byte) Hash {
	outer := sha256.New()
	for _, path := range paths {
		inner := sha256.New()
		for _, label := range path {
			sum := sha256.Sum256(label)
			inner.Write(sum[:])
		}
		outer.Write(inner.Sum(nil))
	}
	return Hash(outer.Sum(nil))
}

// SigningPayload returns the message that the sender signs: "\x0Aic-request" · id.
func (id ID) SigningPayload() []byte { return append([]byte("\x0aic-request"), id[:]...) }
