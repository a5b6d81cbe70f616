package device

import (
	"fmt"
	"time"

	"kedge/device/credid"
)

// Version 1 of the store held passkeys with random private keys, and no seed:
//
//	{
//	  "format":  "kedge-keys",
//	  "version": 1,
//	  "passkeys": [
//	    {
//	      "name":          text, at most 64 bytes, once per store
//	      "origin":        text, https://host[:port]
//	      "device_bound":  boolean, backup-eligible off
//	      "created":       text, RFC 3339, seconds, UTC
//	      "credential_id": base64, 1 to 1023 bytes
//	      "private_key":   base64, 32 bytes, P-256 scalar, big endian
//	      "uses":          [ { "where": text, "anchor": number }, … ], may be missing
//	    }, …
//	  ]
//	}
//
// Each of them becomes a security key of the same name without a seed, with one credential of kind
// stored.

type passkeyV1 struct {
	Name         string    `json:"name"`
	Origin       string    `json:"origin"`
	DeviceBound  bool      `json:"device_bound"`
	Created      time.Time `json:"created"`
	CredentialID []byte    `json:"credential_id"`
	PrivateKey   []byte    `json:"private_key"`
	Uses         []Use     `json:"uses,omitempty"`
}

func parseStoreV1(plain []byte) (*Keys, error) {
	var doc struct {
		Format   string      `json:"format"`
		Version  int         `json:"version"`
		Passkeys []passkeyV1 `json:"passkeys"`
	}
	if err := strictJSON(plain, &doc); err != nil {
		return nil, fmt.Errorf("the decrypted text is not a store: %w", err)
	}
	keys := new(Keys)
	for _, p := range doc.Passkeys {
		key, err := p.key()
		if err != nil {
			return nil, fmt.Errorf("passkey %q: %w", p.Name, err)
		}
		if err := keys.add(key); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (p passkeyV1) key() (*SecurityKey, error) {
	rpID, err := RelyingParty(p.Origin)
	if err != nil {
		return nil, err
	}
	j := credentialJSON{
		Kind: Stored, ID: p.CredentialID, Label: freeLabel(rpID, func(string) bool { return false }), RPID: rpID, Origin: p.Origin,
		Algorithm: credid.ES256, Created: &p.Created, Protection: 1, Uses: p.Uses, PrivateKey: p.PrivateKey, DeviceBound: p.DeviceBound,
	}
	key := &SecurityKey{name: p.Name, created: p.Created}
	c, err := j.credential(key)
	if err != nil {
		return nil, err
	}
	key.credentials = []*Credential{c}
	return key, nil
}
