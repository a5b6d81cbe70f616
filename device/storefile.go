package device

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"
)

// The store is a file of age (age-encryption.org/v1, binary) with one scrypt recipient, the
// passphrase. `age -d` opens it. What is inside is one JSON object and nothing behind it:
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
// A field that a version does not know is an error: a program that wrote the file again would lose
// it. A new field therefore means a new version, and every version ever written stays readable.

const (
	storeFormat  = "kedge-keys"
	storeVersion = 1

	// storeLimit bounds the decrypted store in bytes; a passkey takes about 300.
	storeLimit = 16 << 20

	// defaultWorkFactor is log2 of scrypt's N for a new file: 128 MiB and about half a second, the
	// least that OWASP recommends. A file carries its own.
	defaultWorkFactor = 17

	maxNameLength       = 64
	maxCredentialLength = 1023
)

// ErrWrongPassphrase says that the passphrase does not open the store.
var ErrWrongPassphrase = errors.New("wrong passphrase")

type storeJSON struct {
	Format   string        `json:"format"`
	Version  int           `json:"version"`
	Passkeys []passkeyJSON `json:"passkeys"`
}

type passkeyJSON struct {
	Name         string    `json:"name"`
	Origin       string    `json:"origin"`
	DeviceBound  bool      `json:"device_bound"`
	Created      time.Time `json:"created"`
	CredentialID []byte    `json:"credential_id"`
	PrivateKey   []byte    `json:"private_key"`
	Uses         []Use     `json:"uses,omitempty"`
}

// encodeStore returns the JSON of the keys.
func encodeStore(keys *Keys) ([]byte, error) {
	doc := storeJSON{Format: storeFormat, Version: storeVersion, Passkeys: []passkeyJSON{}}
	for _, s := range keys.passkeys {
		private, err := s.Passkey.private.Bytes()
		if err != nil {
			return nil, fmt.Errorf("encoding passkey %q: %w", s.Name, err)
		}
		doc.Passkeys = append(doc.Passkeys, passkeyJSON{
			Name: s.Name, Origin: s.Passkey.origin, DeviceBound: s.Passkey.deviceBound, Created: s.Created,
			CredentialID: s.Passkey.credentialID, PrivateKey: private, Uses: s.Uses,
		})
	}
	plain, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the key store: %w", err)
	}
	return plain, nil
}

// seal encrypts the JSON with the passphrase; workFactor is log2 of scrypt's N.
func seal(plain []byte, passphrase string, workFactor int) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypting the key store: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypting the key store: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("encrypting the key store: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypting the key store: %w", err)
	}
	return sealed.Bytes(), nil
}

// unseal decrypts a store. The error wraps [ErrWrongPassphrase] if the passphrase does not fit; any
// other says what is damaged.
func unseal(sealed []byte, passphrase string) ([]byte, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, ErrWrongPassphrase // the empty passphrase opens nothing
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, ErrWrongPassphrase
	}
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, storeLimit+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > storeLimit {
		return nil, fmt.Errorf("larger than %d bytes", storeLimit)
	}
	return plain, nil
}

// parseStore reads the decrypted JSON.
func parseStore(plain []byte) (*Keys, error) {
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(plain, &head); err != nil {
		return nil, fmt.Errorf("the decrypted text is not JSON: %w", err)
	}
	if head.Format != storeFormat {
		return nil, fmt.Errorf("format is %q, not %q", head.Format, storeFormat)
	}
	if head.Version != storeVersion {
		return nil, fmt.Errorf("version %d is not known here, a newer kedge wrote it", head.Version)
	}
	var doc storeJSON
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("the decrypted text is not a store: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the store")
	}
	keys := new(Keys)
	for _, p := range doc.Passkeys {
		s, err := p.stored()
		if err != nil {
			return nil, fmt.Errorf("passkey %q: %w", p.Name, err)
		}
		if err := keys.add(s); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (p passkeyJSON) stored() (StoredPasskey, error) {
	if n := len(p.CredentialID); n == 0 || n > maxCredentialLength {
		return StoredPasskey{}, fmt.Errorf("credential id of %d bytes", n)
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), p.PrivateKey)
	if err != nil {
		return StoredPasskey{}, errors.New("the private key is not one of P-256")
	}
	rpID, err := RelyingParty(p.Origin)
	if err != nil {
		return StoredPasskey{}, err
	}
	return StoredPasskey{
		Name: p.Name, Created: p.Created, Uses: p.Uses,
		Passkey: &Passkey{
			private: private, credentialID: p.CredentialID,
			rpID: rpID, origin: p.Origin, deviceBound: p.DeviceBound,
		},
	}, nil
}
