// Package certificate makes and checks certificates: pruned state trees that a subnet has signed
// (Interface Specification, "Certification" and "Certificate delegations").
//
// A certificate is CBOR, tagged 55799:
//
//	{ "tree":       hash tree,
//	  "signature":  48 bytes, BLS12-381 in G1, over "\x0Dic-state-root" · root hash,
//	  "delegation": { "subnet_id": bytes, "certificate": certificate as bytes } }   optional
//
// Without a delegation the root key signed. With one, the delegation's certificate is signed by the
// root key and holds /subnet/<subnet_id>/public_key, the key that signed, and the canister ids for
// which that subnet may sign.
package certificate

import (
	"fmt"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/internal/minicbor"
)

// Certificate is a signed tree.
type Certificate struct {
	Tree       *hashtree.Node
	Signature  []byte
	Delegation *Delegation // nil if the root key signed
}

// Delegation names the subnet that signed and proves its key.
type Delegation struct {
	Subnet      principal.Principal
	Certificate []byte // encoded, signed by the root key
}

// Encode returns the certificate in tagged CBOR.
func (c *Certificate) Encode() []byte {
	n := uint64(2)
	if c.Delegation != nil {
		n = 3
	}
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(make([]byte, 0, 1024)), minicbor.Map, n)
	out = c.Tree.AppendTo(minicbor.AppendText(out, "tree"))
	out = minicbor.AppendBytes(minicbor.AppendText(out, "signature"), c.Signature)
	if d := c.Delegation; d != nil {
		out = minicbor.AppendHead(minicbor.AppendText(out, "delegation"), minicbor.Map, 2)
		out = minicbor.AppendBytes(minicbor.AppendText(out, "subnet_id"), d.Subnet.Bytes())
		out = minicbor.AppendBytes(minicbor.AppendText(out, "certificate"), d.Certificate)
	}
	return out
}

// Decode reads a certificate, with or without the tag. It checks the form, not the signature, and
// refuses fields that it does not know, fields that occur twice and bytes left over.
func Decode(data []byte) (*Certificate, error) {
	var c Certificate
	r := minicbor.NewReader(data)
	err := r.SkipTag(minicbor.SelfDescribed)
	if err == nil {
		err = r.Fields(map[string]func() error{
			"tree":       func() (err error) { c.Tree, err = hashtree.DecodeFrom(r); return err },
			"signature":  func() (err error) { c.Signature, err = r.Bytes(); return err },
			"delegation": func() (err error) { c.Delegation, err = decodeDelegation(r); return err },
		})
	}
	if err == nil {
		err = r.Done()
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("certificate: %w", err)
	case c.Tree == nil:
		return nil, fmt.Errorf("certificate: no tree")
	case len(c.Signature) != SignatureLen:
		return nil, fmt.Errorf("certificate: signature of %d bytes instead of %d", len(c.Signature), SignatureLen)
	}
	return &c, nil
}

func decodeDelegation(r *minicbor.Reader) (*Delegation, error) {
	var d Delegation
	haveSubnet := false
	err := r.Fields(map[string]func() error{
		"subnet_id": func() error {
			raw, err := r.Bytes()
			if err == nil {
				d.Subnet, err = principal.FromBytes(raw)
			}
			haveSubnet = true
			return err
		},
		"certificate": func() (err error) { d.Certificate, err = r.Bytes(); return err },
	})
	if err == nil && (!haveSubnet || d.Certificate == nil) {
		err = fmt.Errorf("subnet_id or certificate is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("delegation: %w", err)
	}
	return &d, nil
}

// Sign makes the certificate of a tree. The tree of the result may then be pruned: that does not
// change its root hash.
func Sign(tree *hashtree.Node, key *SecretKey, delegation *Delegation) (*Certificate, error) {
	signature, err := key.SignRoot(tree.Hash())
	if err != nil {
		return nil, err
	}
	return &Certificate{Tree: tree, Signature: signature, Delegation: delegation}, nil
}
