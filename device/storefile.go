package device

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"kedge/device/credid"
)

// The store is a file of age (age-encryption.org/v1, binary) with one scrypt recipient, the
// passphrase. `age -d` opens it. What is inside is one JSON object and nothing behind it:
//
//	{
//	  "format":  "kedge-keys",
//	  "version": 2,
//	  "keys": [
//	    {
//	      "name":        text, at most 64 bytes, once per store
//	      "created":     text, RFC 3339, seconds, UTC, as all times
//	      "seed":        { "kind": "words" | "secret" | "passport-prime", "secret": base64 }, missing if none
//	      "exports":     [ { "at": time, "as": "words" | "shares" | "cxf" }, … ]
//	      "checked", "finalized", "restored": time, missing for never
//	      "reset_at":    number, Unix seconds; ids made until then are refused
//	      "deleted":     [ base64, … ], the first 16 bytes of the SHA-256 of each id
//	      "protocol":    base64, an authenticator protocol's own
//	      "credentials": [
//	        {
//	          "kind":          "discoverable" | "not discoverable" | "stored" | "ledger" | "trezor u2f" | "passport prime"
//	          "id":            base64, 1 to 1023 bytes, once per key
//	          "label":         text, at most 64 bytes, once per key
//	          "rp_id", "origin", "rp_name", "user_name", "user_display_name": text
//	          "user_id":       base64, at most 64 bytes
//	          "algorithm":     number, COSE: -7 or -8
//	          "created", "last_used", "copied": time
//	          "protection":    number, 1 to 3
//	          "hmac_secret":   boolean, of derived ones
//	          "uses":          [ { "where": text, "anchor": number }, … ]
//	          "private_key":   base64, 32 bytes, P-256 scalar big endian or Ed25519 seed; of stored ones alone, as are
//	          "counter":       number, 0 for none
//	          "device_bound":  boolean, backup-eligible off
//	          "cred_random":   [ base64, base64 ], 32 bytes each, with and without user verification
//	          "slot", "index": numbers, of Passport Prime's
//	        }, …
//	      ]
//	    }, …
//	  ]
//	}
//
// What is zero or empty is missing. Version 1 is in storefile_v1.go; it is read for ever, and written as
// version 2 by the next change.
//
// A field that a version does not know is an error: a program that wrote the file again would lose
// it. A new field therefore means a new version, and every version ever written stays readable.

const (
	storeFormat  = "kedge-keys"
	storeVersion = 2

	// storeLimit bounds the decrypted store in bytes; a credential takes about 600.
	storeLimit = 16 << 20

	// defaultWorkFactor is log2 of scrypt's N for a new file: 128 MiB and about half a second, the
	// least that OWASP recommends. A file carries its own.
	defaultWorkFactor = 17

	// maxWorkFactor is the most that a file may ask for: 1 GiB and some five seconds. The file says how much, before
	// anything shows who wrote it; age itself takes 22, which is 4 GiB.
	maxWorkFactor = 20

	maxNameLength       = 64
	maxCredentialLength = 1023
)

// ErrWrongPassphrase says that the passphrase does not open the store.
var ErrWrongPassphrase = errors.New("wrong passphrase")

type storeJSON struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Keys    []keyJSON `json:"keys"`
}

type keyJSON struct {
	Name        string           `json:"name"`
	Created     time.Time        `json:"created"`
	Seed        *seedJSON        `json:"seed,omitempty"`
	Exports     []exportJSON     `json:"exports,omitempty"`
	Checked     *time.Time       `json:"checked,omitempty"`
	Finalized   *time.Time       `json:"finalized,omitempty"`
	Restored    *time.Time       `json:"restored,omitempty"`
	ResetAt     uint64           `json:"reset_at,omitempty"`
	Deleted     [][]byte         `json:"deleted,omitempty"`
	Protocol    []byte           `json:"protocol,omitempty"`
	Credentials []credentialJSON `json:"credentials"`
}

type seedJSON struct {
	Kind   RootKind `json:"kind"`
	Secret []byte   `json:"secret"`
}

type exportJSON struct {
	At time.Time  `json:"at"`
	As ExportKind `json:"as"`
}

type credentialJSON struct {
	Kind            Kind             `json:"kind"`
	ID              []byte           `json:"id"`
	Label           string           `json:"label"`
	RPID            string           `json:"rp_id"`
	Origin          string           `json:"origin"`
	RPName          string           `json:"rp_name,omitempty"`
	UserID          []byte           `json:"user_id,omitempty"`
	UserName        string           `json:"user_name,omitempty"`
	UserDisplayName string           `json:"user_display_name,omitempty"`
	Algorithm       credid.Algorithm `json:"algorithm"`
	Created         *time.Time       `json:"created,omitempty"`
	LastUsed        *time.Time       `json:"last_used,omitempty"`
	Copied          *time.Time       `json:"copied,omitempty"`
	Protection      uint8            `json:"protection"`
	HMACSecret      bool             `json:"hmac_secret,omitempty"`
	Uses            []Use            `json:"uses,omitempty"`
	PrivateKey      []byte           `json:"private_key,omitempty"`
	Counter         uint32           `json:"counter,omitempty"`
	DeviceBound     bool             `json:"device_bound,omitempty"`
	CredRandom      [][]byte         `json:"cred_random,omitempty"`
	Slot            uint32           `json:"slot,omitempty"`
	Index           uint32           `json:"index,omitempty"`
}

// encodeStore returns the JSON of the keys.
func encodeStore(keys *Keys) ([]byte, error) {
	doc := storeJSON{Format: storeFormat, Version: storeVersion, Keys: []keyJSON{}}
	for _, k := range keys.keys {
		if k.holder != nil {
			return nil, ErrAway
		}
		j := keyJSON{
			Name: k.name, Created: k.created, ResetAt: k.resetAt, Deleted: k.deleted, Protocol: k.protocol,
			Checked: optional(k.backup.checked), Finalized: optional(k.backup.finalized), Restored: optional(k.backup.restored),
			Credentials: []credentialJSON{},
		}
		if k.HasSeed() {
			j.Seed = &seedJSON{k.root.kind, k.root.secret}
		}
		for _, e := range k.backup.exports {
			j.Exports = append(j.Exports, exportJSON(e))
		}
		for _, c := range k.credentials {
			cj, err := encodeCredential(c)
			if err != nil {
				return nil, fmt.Errorf("encoding credential %q of %q: %w", c.Label, k.name, err)
			}
			j.Credentials = append(j.Credentials, cj)
		}
		doc.Keys = append(doc.Keys, j)
	}
	plain, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the key store: %w", err)
	}
	if len(plain) > storeLimit {
		return nil, fmt.Errorf("the key store would have %d bytes, the limit is %d", len(plain), storeLimit)
	}
	return plain, nil
}

func encodeCredential(c *Credential) (credentialJSON, error) {
	j := credentialJSON{
		Kind: c.Kind, ID: c.credentialID, Label: c.Label, RPID: c.rpID, Origin: c.origin, RPName: c.RPName,
		UserID: c.User.ID, UserName: c.User.Name, UserDisplayName: c.User.DisplayName, Algorithm: c.algorithm,
		Created: optional(c.Created), LastUsed: optional(c.LastUsed), Copied: optional(c.Copied),
		Protection: c.Protection, Uses: c.Uses, Slot: c.slot, Index: c.seq,
	}
	if c.Kind != Stored {
		j.HMACSecret = c.credRandom != nil
		return j, nil
	}
	j.Counter, j.DeviceBound = c.counter, c.deviceBound
	private, err := c.source.key()
	if err != nil {
		return j, err
	}
	if j.PrivateKey, err = rawPrivate(private); err != nil {
		return j, err
	}
	if s, ok := c.credRandom.(storedSecret); ok {
		j.CredRandom = [][]byte{s.with, s.without}
	}
	return j, nil
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
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
	identity.SetMaxWorkFactor(maxWorkFactor)
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

// NewerStoreError is a store of a version that is not known here.
type NewerStoreError struct{ Version int }

func (e *NewerStoreError) Error() string {
	return fmt.Sprintf("version %d is not known here, a newer kedge wrote it", e.Version)
}

// parseStore reads the decrypted JSON.
func parseStore(plain []byte) (*Keys, error) {
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(plain, &head); err != nil {
		return nil, fmt.Errorf("the decrypted text is not JSON: %w", jsonError(err))
	}
	if head.Format != storeFormat {
		return nil, fmt.Errorf("format is %q, not %q", head.Format, storeFormat)
	}
	switch head.Version {
	case 1:
		return parseStoreV1(plain)
	case storeVersion:
		return parseStoreV2(plain)
	}
	return nil, &NewerStoreError{head.Version}
}

// strictJSON decodes the one value of text and refuses fields that it does not know.
func strictJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return jsonError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}

// jsonError keeps what an error of encoding/json says of the text, which may be a secret, out of it: the
// value of a field that does not fit.
func jsonError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("field %q has a value of the wrong type, at byte %d", wrong.Field, wrong.Offset)
	}
	return err
}

func parseStoreV2(plain []byte) (*Keys, error) {
	var doc storeJSON
	if err := strictJSON(plain, &doc); err != nil {
		return nil, fmt.Errorf("the decrypted text is not a store: %w", err)
	}
	keys := new(Keys)
	for _, j := range doc.Keys {
		key, err := j.key()
		if err != nil {
			return nil, fmt.Errorf("security key %q: %w", j.Name, err)
		}
		if err := keys.add(key); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (j keyJSON) key() (*SecurityKey, error) {
	k := &SecurityKey{name: j.Name, created: j.Created, resetAt: j.ResetAt, deleted: j.Deleted, protocol: j.Protocol}
	k.backup = backupState{checked: orZero(j.Checked), finalized: orZero(j.Finalized), restored: orZero(j.Restored)}
	for _, e := range j.Exports {
		k.backup.exports = append(k.backup.exports, Export(e))
	}
	if j.Seed != nil {
		var err error
		if k.root, err = ParseRoot(j.Seed.Kind, j.Seed.Secret); err != nil {
			return nil, err
		}
	}
	for _, cj := range j.Credentials {
		c, err := cj.credential(k)
		if err == nil && (k.byLabel(c.Label) != nil || k.record(c.credentialID) != nil) {
			err = errors.New("the same label or id twice")
		}
		if err != nil {
			return nil, fmt.Errorf("credential %q: %w", cj.Label, err)
		}
		k.credentials = append(k.credentials, c)
	}
	return k, nil
}

func (j credentialJSON) credential(k *SecurityKey) (*Credential, error) {
	if n := len(j.ID); n == 0 || n > maxCredentialLength {
		return nil, fmt.Errorf("credential id of %d bytes", n)
	}
	if err := checkLabel(j.Label); err != nil {
		return nil, err
	}
	c := &Credential{
		Kind: j.Kind, Label: j.Label, RPName: j.RPName, User: User{j.UserID, j.UserName, j.UserDisplayName},
		Created: orZero(j.Created), LastUsed: orZero(j.LastUsed), Copied: orZero(j.Copied), Protection: j.Protection, Uses: j.Uses,
		slot: j.Slot, seq: j.Index,
	}
	p := Passkey{
		credentialID: j.ID, rpID: j.RPID, origin: j.Origin, deviceBound: j.DeviceBound || hardware(j.Kind, c.Created), counter: j.Counter,
		backedUp: k.backup.backedUp() && j.Kind != Stored,
	}
	if err := j.source(k, c, &p); err != nil {
		return nil, err
	}
	var err error
	if c.Passkey, err = newPasskey(p); err != nil {
		return nil, err
	}
	if c.algorithm != j.Algorithm {
		return nil, fmt.Errorf("the key is one of %s, the record says %s", c.algorithm, j.Algorithm)
	}
	return c, nil
}

// source says where the private key and the secret of hmac-secret come from.
func (j credentialJSON) source(k *SecurityKey, c *Credential, p *Passkey) error {
	if j.Kind == Stored {
		return j.storedSource(c, p)
	}
	if !k.HasSeed() {
		return errNoSeed
	}
	if j.DeviceBound || j.Counter != 0 || j.PrivateKey != nil || j.CredRandom != nil {
		return errors.New("a derived credential with what only a stored one has")
	}
	var secret secretSource
	switch j.Kind {
	case Discoverable, NotDiscoverable:
		s := sealedKey{&k.root, j.ID, j.Algorithm}
		p.source, secret = s, s
	case LedgerHandle:
		s := ledgerKey{&k.root, j.ID, j.RPID, j.Algorithm}
		p.source, secret = s, s
	case TrezorU2F:
		p.source = u2fKey{&k.root, j.ID, j.RPID}
	case PrimeIndex:
		p.source = primeKey{&k.root, j.Slot, j.Index}
	default:
		return fmt.Errorf("there is no credential of kind %q", j.Kind)
	}
	if j.HMACSecret {
		c.credRandom = secret
	}
	return nil
}

func (j credentialJSON) storedSource(c *Credential, p *Passkey) error {
	private, err := parsePrivate(j.PrivateKey, j.Algorithm)
	if err != nil {
		return err
	}
	p.source = keptKey{private}
	switch {
	case j.CredRandom == nil:
	case len(j.CredRandom) == 2 && len(j.CredRandom[0]) == 32 && len(j.CredRandom[1]) == 32:
		c.credRandom = storedSecret{j.CredRandom[0], j.CredRandom[1]}
	default:
		return errors.New("the secrets of hmac-secret are not two of 32 bytes")
	}
	return nil
}

// rawPrivate returns the 32 bytes of a private key: the scalar of P-256, big endian, or the Ed25519 seed.
func rawPrivate(key crypto.Signer) ([]byte, error) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return k.Bytes()
	case ed25519.PrivateKey:
		return k.Seed(), nil
	}
	return nil, fmt.Errorf("private key of type %T", key)
}

// parsePrivate is the inverse of [rawPrivate].
func parsePrivate(raw []byte, a credid.Algorithm) (crypto.Signer, error) {
	switch a {
	case credid.ES256:
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		if err != nil {
			return nil, errors.New("the private key is not one of P-256")
		}
		return key, nil
	case credid.EdDSA:
		if len(raw) != ed25519.SeedSize {
			return nil, errors.New("the private key is not one of Ed25519")
		}
		return ed25519.NewKeyFromSeed(raw), nil
	}
	return nil, fmt.Errorf("there are no credentials of %s", a)
}
