package signature

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/internal/minicbor"
)

// verifyCanister checks a canister signature (Interface Specification, "Canister signatures"): the
// certificate speaks for the canister and certifies the hash of the tree as the canister's data, and
// the tree holds the empty leaf /sig/SHA-256(seed)/SHA-256(message). There is no limit of age.
func (v *Verifier) verifyCanister(key CanisterKey, message, signature []byte) error {
	if v.Root == nil {
		return errors.New("canister signature cannot be checked without a root key")
	}
	encoded, tree, err := decodeCanister(signature)
	if err != nil {
		return fmt.Errorf("canister signature: %w", err)
	}
	seed, digest := sha256.Sum256(key.Seed), sha256.Sum256(message)
	leaf, status := tree.Lookup([]byte("sig"), seed[:], digest[:])
	if status != hashtree.Found || len(leaf) != 0 {
		return fmt.Errorf("canister signature: the tree does not hold the signature (%s)", status)
	}
	certified, err := v.certifiedData(encoded, key.Canister)
	if err != nil {
		return fmt.Errorf("canister signature: %w", err)
	}
	if certified != tree.Hash() {
		return errors.New("canister signature: the tree is not what the canister certified")
	}
	return nil
}

func decodeCanister(signature []byte) (encoded []byte, tree *hashtree.Node, err error) {
	r := minicbor.NewReader(signature)
	err = readMap(r, map[string]func() error{
		"certificate": func() (err error) { encoded, err = r.Bytes(); return err },
		"tree":        func() (err error) { tree, err = hashtree.DecodeFrom(r); return err },
	})
	return encoded, tree, err
}

// EncodeCanister returns a canister signature, given the certificate of the canister's certified data
// and a tree with that hash.
func EncodeCanister(encodedCertificate []byte, tree *hashtree.Node) []byte {
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 2)
	out = minicbor.AppendBytes(minicbor.AppendText(out, "certificate"), encodedCertificate)
	return tree.AppendTo(minicbor.AppendText(out, "tree"))
}

// certifiedData verifies a certificate and returns the canister's certified data in it. Whether a
// certificate is valid never changes, and one session sends the same one with every request, so
// the latest results are kept: verifying costs two pairings.
func (v *Verifier) certifiedData(encoded []byte, canister principal.Principal) (hashtree.Hash, error) {
	id := certificateID{sha256.Sum256(encoded), canister}
	if data, ok := v.certificates.get(id); ok {
		return data, nil
	}
	c, err := certificate.Decode(encoded)
	if err != nil {
		return hashtree.Hash{}, err
	}
	if err := c.VerifyCanister(v.Root, canister); err != nil {
		return hashtree.Hash{}, err
	}
	data, status := c.Tree.Lookup([]byte("canister"), canister.Bytes(), []byte("certified_data"))
	if status != hashtree.Found {
		return hashtree.Hash{}, fmt.Errorf("the certified data of canister %s is %s", canister, status)
	}
	if len(data) != hashtree.HashLen {
		return hashtree.Hash{}, fmt.Errorf("the certified data of canister %s has %d bytes, not the %d of a hash", canister, len(data), hashtree.HashLen)
	}
	v.certificates.put(id, hashtree.Hash(data))
	return hashtree.Hash(data), nil
}

type certificateID struct {
	hash     [sha256.Size]byte
	canister principal.Principal
}

// cachedCertificates is how many verified certificates are remembered in each of two generations.
const cachedCertificates = 1024

// certificateCache remembers the certified data of valid certificates. It has two generations: when
// the young one is full, the old one is dropped and the young one becomes the old one.
type certificateCache struct {
	mu         sync.Mutex
	young, old map[certificateID]hashtree.Hash
}

func (c *certificateCache) get(id certificateID) (hashtree.Hash, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if data, ok := c.young[id]; ok {
		return data, true
	}
	data, ok := c.old[id]
	return data, ok
}

func (c *certificateCache) put(id certificateID, data hashtree.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= cachedCertificates {
		c.old, c.young = c.young, make(map[certificateID]hashtree.Hash)
	}
	c.young[id] = data
}
