package device

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kedge/device/credid"
)

// Outline is what a store holds without its secrets: no seed, private key, word, or secret of hmac-secret, and
// nothing from which one could be computed. A process that has the secrets gives it to one that has not.
type Outline struct {
	Keys []KeyOutline `json:"keys"`
}

// KeyOutline is a security key without its secrets. What is zero or empty is missing.
type KeyOutline struct {
	Name        string              `json:"name"`
	Created     time.Time           `json:"created"`
	Seed        RootKind            `json:"seed,omitempty"`
	Fingerprint []byte              `json:"fingerprint,omitempty"` // of the seed, 32 bytes
	PhraseKey   []byte              `json:"phrase_key,omitempty"`  // see [SecurityKey.RecoveryPhraseKey]
	Exports     []exportJSON        `json:"exports,omitempty"`
	Checked     *time.Time          `json:"checked,omitempty"`
	Finalized   *time.Time          `json:"finalized,omitempty"`
	Restored    *time.Time          `json:"restored,omitempty"`
	Credentials []CredentialOutline `json:"credentials"`
}

// CredentialOutline is a credential without its secrets.
type CredentialOutline struct {
	Kind            Kind       `json:"kind"`
	ID              []byte     `json:"id"`
	PublicKey       []byte     `json:"public_key"` // DER SubjectPublicKeyInfo, as RFC 5480 and RFC 8410 have it
	Label           string     `json:"label,omitempty"`
	RPID            string     `json:"rp_id"`
	Origin          string     `json:"origin"`
	RPName          string     `json:"rp_name,omitempty"`
	UserID          []byte     `json:"user_id,omitempty"`
	UserName        string     `json:"user_name,omitempty"`
	UserDisplayName string     `json:"user_display_name,omitempty"`
	Created         *time.Time `json:"created,omitempty"`
	LastUsed        *time.Time `json:"last_used,omitempty"`
	Copied          *time.Time `json:"copied,omitempty"`
	Protection      uint8      `json:"protection"`
	HMACSecret      bool       `json:"hmac_secret,omitempty"`
	Uses            []Use      `json:"uses,omitempty"`
	Counter         uint32     `json:"counter,omitempty"`
	DeviceBound     bool       `json:"device_bound,omitempty"`
	BackedUp        bool       `json:"backed_up,omitempty"`
}

// Holder is a process that has the secrets of an [Outline]. key is the name of a security key, selector what
// [SecurityKey.Select] takes.
type Holder interface {
	// Derive returns the public part of a credential that nothing is kept of, or [ErrNoCredential].
	Derive(key, selector string) (CredentialOutline, error)
	// Assert has the credential with the id sign.
	Assert(key, selector string, id []byte, r AssertionRequest) (Assertion, error)
}

// ErrAway says that a secret is asked of keys that came from an [Outline].
var ErrAway = errors.New("the secrets of the key are not in this process")

// Outline returns the keys without their secrets.
func (k *Keys) Outline() (Outline, error) {
	o := Outline{Keys: []KeyOutline{}}
	for _, key := range k.keys {
		ko := KeyOutline{
			Name: key.name, Created: key.created, Seed: key.root.kind, PhraseKey: key.RecoveryPhraseKey(),
			Checked: optional(key.backup.checked), Finalized: optional(key.backup.finalized), Restored: optional(key.backup.restored),
			Credentials: []CredentialOutline{},
		}
		if key.HasSeed() {
			ko.Fingerprint = bytes.Clone(key.root.print[:])
		}
		for _, e := range key.backup.exports {
			ko.Exports = append(ko.Exports, exportJSON(e))
		}
		for _, c := range key.credentials {
			co, err := c.Outline()
			if err != nil {
				return Outline{}, err
			}
			ko.Credentials = append(ko.Credentials, co)
		}
		o.Keys = append(o.Keys, ko)
	}
	return o, nil
}

// Outline returns the credential without its secrets.
func (c *Credential) Outline() (CredentialOutline, error) {
	public, err := x509.MarshalPKIXPublicKey(c.public)
	if err != nil {
		return CredentialOutline{}, fmt.Errorf("encoding the public key of credential %q: %w", c.Label, err)
	}
	return CredentialOutline{
		Kind: c.Kind, ID: c.CredentialID(), PublicKey: public, Label: c.Label, RPID: c.rpID, Origin: c.origin, RPName: c.RPName,
		UserID: c.User.ID, UserName: c.User.Name, UserDisplayName: c.User.DisplayName,
		Created: optional(c.Created), LastUsed: optional(c.LastUsed), Copied: optional(c.Copied), Protection: c.Protection,
		HMACSecret: c.HasHMACSecret(), Uses: c.Uses, Counter: c.counter, DeviceBound: c.deviceBound, BackedUp: c.backedUp,
	}, nil
}

// Open returns keys whose passkeys sign by asking the holder. What needs a secret otherwise fails with [ErrAway].
func (o Outline) Open(h Holder) (*Keys, error) {
	keys := new(Keys)
	for _, ko := range o.Keys {
		key := &SecurityKey{name: ko.Name, created: ko.Created, holder: h, phraseKey: ko.PhraseKey}
		key.backup = backupState{checked: orZero(ko.Checked), finalized: orZero(ko.Finalized), restored: orZero(ko.Restored)}
		for _, e := range ko.Exports {
			key.backup.exports = append(key.backup.exports, Export(e))
		}
		if ko.Seed != "" {
			if len(ko.Fingerprint) != len(key.root.print) {
				return nil, fmt.Errorf("security key %q: a fingerprint of %d bytes", ko.Name, len(ko.Fingerprint))
			}
			key.root = Root{kind: ko.Seed, away: true, print: Fingerprint(ko.Fingerprint)}
		}
		for _, co := range ko.Credentials {
			if err := checkLabel(co.Label); err != nil {
				return nil, fmt.Errorf("security key %q: %w", ko.Name, err)
			}
			c, err := co.open(key, co.Label)
			if err == nil && (key.byLabel(c.Label) != nil || key.record(c.credentialID) != nil) {
				err = errors.New("the same label or id twice")
			}
			if err != nil {
				return nil, fmt.Errorf("security key %q: credential %q: %w", ko.Name, co.Label, err)
			}
			key.credentials = append(key.credentials, c)
		}
		if err := keys.add(key); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// open returns the credential of a key from an outline, which the holder knows by the selector.
func (o CredentialOutline) open(k *SecurityKey, selector string) (*Credential, error) {
	if n := len(o.ID); n == 0 || n > maxCredentialLength {
		return nil, fmt.Errorf("credential id of %d bytes", n)
	}
	public, err := x509.ParsePKIXPublicKey(o.PublicKey)
	if err != nil {
		return nil, errors.New("the public key is none")
	}
	kind, ok := plainPublic(public)
	if !ok {
		return nil, fmt.Errorf("a public key of type %T", public)
	}
	p := &Passkey{
		source: awayKey{}, public: public, algorithm: credid.ES256, credentialID: bytes.Clone(o.ID), rpID: o.RPID, origin: o.Origin,
		deviceBound: o.DeviceBound, backedUp: o.BackedUp, counter: o.Counter,
	}
	if kind[0] == 'E' {
		p.algorithm = credid.EdDSA
	}
	p.remote = func(r AssertionRequest) (Assertion, error) { return k.holder.Assert(k.name, selector, o.ID, r) }
	c := &Credential{
		Passkey: p, Kind: o.Kind, Label: o.Label, RPName: o.RPName, User: User{o.UserID, o.UserName, o.UserDisplayName},
		Created: orZero(o.Created), LastUsed: orZero(o.LastUsed), Copied: orZero(o.Copied), Protection: o.Protection, Uses: o.Uses,
	}
	if o.HMACSecret {
		c.credRandom = awayKey{}
	}
	return c, nil
}

// selectAway is Select for a key whose secrets a holder has.
func (k *SecurityKey) selectAway(text string) (*Credential, error) {
	if id, err := hex.DecodeString(text); err == nil {
		if c := k.record(id); c != nil {
			return c, nil
		}
	}
	o, err := k.holder.Derive(k.name, text)
	if err != nil {
		return nil, err
	}
	o.Label = "" // nothing is kept of it
	return o.open(k, text)
}

// awayKey stands for a secret that is in another process.
type awayKey struct{}

func (awayKey) key() (crypto.Signer, error) { return nil, ErrAway }
func (awayKey) secret(bool) ([]byte, error) { return nil, ErrAway }
