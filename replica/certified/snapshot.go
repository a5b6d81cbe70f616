package certified

import (
	"crypto/ed25519"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
)

// Snapshot is a certified state. It never changes.
type Snapshot struct {
	state  *State
	cert   certificate.Certificate // of the whole tree
	top    hashtree.Map
	time   uint64
	height uint64
}

// Time returns the time of the snapshot, in nanoseconds since 1970.
func (s *Snapshot) Time() uint64 { return s.time }

// Height returns the number of the snapshot; the first is 1.
func (s *Snapshot) Height() uint64 { return s.height }

// State returns the state that the snapshot is of.
func (s *Snapshot) State() *State { return s.state }

// RootHash returns the hash of the whole tree.
func (s *Snapshot) RootHash() hashtree.Hash { return s.cert.Tree.Hash() }

// Tree returns the whole tree. It holds what not everyone may see.
func (s *Snapshot) Tree() *hashtree.Node { return s.cert.Tree }

// Path is a path in the state tree.
type Path = [][]byte

// Certificate returns an encoded certificate that reveals the time, all that is below the paths, and
// proofs of absence for those that lead nowhere. Whether the reader may see it is for the caller to
// know.
func (s *Snapshot) Certificate(paths ...Path) []byte {
	c := s.cert
	c.Tree = c.Tree.Witness(append([]Path{{[]byte("time")}}, paths...)...)
	return c.Encode()
}

// DataCertificate returns the certificate that a canister gets in queries: its certified data and the
// time.
func (s *Snapshot) DataCertificate(canister principal.Principal) []byte {
	return s.Certificate(Path{[]byte("canister"), canister.Bytes(), []byte("certified_data")})
}

// RequestCertificate returns the certificate of a request's status.
func (s *Snapshot) RequestCertificate(id request.ID) []byte {
	return s.Certificate(Path{[]byte("request_status"), id[:]})
}

// settled tells whether the snapshot holds the answer to a request.
func (s *Snapshot) settled(id request.ID) bool {
	requests, _ := s.top.Get([]byte("request_status"))
	r, ok := hashtree.MapOf(requests).Get(id[:])
	if !ok {
		return false
	}
	status, _ := r.Lookup([]byte("status"))
	return Status(status).Settled()
}

// SignResponse signs an answer to a query with the node's key.
func (k *Keys) SignResponse(payload []byte) []byte { return ed25519.Sign(k.Node, payload) }
