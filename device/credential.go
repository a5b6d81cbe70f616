package device

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"kedge/device/credid"
	"kedge/device/derive"
)

// Kind says where the private key of a [Credential] comes from and what is kept of it.
type Kind string

// The kinds of credential. The last three are not made here: they are of other makers' devices, found
// again with the seed (see find.go).
const (
	// Discoverable: a SLIP-0022 id and a record of it here, so that a user signs in without a name.
	Discoverable Kind = "discoverable"
	// NotDiscoverable: a SLIP-0022 id, which the relying party shows when the user has said who they are.
	// Nothing need be kept here; a record is a convenience for this machine.
	NotDiscoverable Kind = "not discoverable"
	// Named: SLIP-0013, from site and user name alone. Nothing is kept.
	Named Kind = "named"
	// Stored: a private key that is not derived. It is in the store and nowhere else.
	Stored Kind = "stored"

	LedgerHandle Kind = "ledger"
	TrezorU2F    Kind = "trezor u2f"
	PrimeIndex   Kind = "passport prime"
)

// User is whom a credential is for at its relying party.
type User struct {
	ID                []byte // at most 64 bytes, says nothing to people
	Name, DisplayName string
}

// userIDSize is the size in bytes of a new user id.
const userIDSize = 16

// NewUserID draws the id of a user for a credential whose relying party gives none.
func NewUserID(random io.Reader) ([]byte, error) {
	id := make([]byte, userIDSize)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("drawing a user id: %w", err)
	}
	return id, nil
}

// Credential is a passkey of a security key, with what is known of it.
type Credential struct {
	*Passkey
	Kind    Kind
	Label   string // once per key, chosen by the owner
	RPName  string
	User    User
	Created time.Time
	// LastUsed is when an authenticator last signed with it, zero for never.
	LastUsed time.Time
	// Copied is when its private key was last exported, zero for never. Somebody else may have it since.
	Copied time.Time
	// Protection is the level of the CTAP extension credProtect, 1 to 3.
	Protection uint8
	Uses       []Use

	name       derive.Name // of a named one
	slot, seq  uint32      // of a Passport Prime's
	credRandom secretSource
}

// secretSource gives the 32 bytes below which hmac-secret answers.
type secretSource interface {
	secret(verified bool) ([]byte, error)
}

// errNoPRF says that a credential was made without hmac-secret.
var errNoPRF = errors.New("the credential was made without the extension hmac-secret")

// HMACSecret answers the CTAP extension hmac-secret: HMAC-SHA256 of each salt of 32 bytes. With and
// without user verification the answers differ, as CTAP 2.1 (section 12.5) demands.
func (c *Credential) HMACSecret(verified bool, salts ...[]byte) ([]byte, error) {
	if c.credRandom == nil {
		return nil, errNoPRF
	}
	secret, err := c.credRandom.secret(verified)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, salt := range salts {
		if len(salt) != sha256.Size {
			return nil, fmt.Errorf("a salt has 32 bytes, this one has %d", len(salt))
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(salt)
		out = mac.Sum(out)
	}
	return out, nil
}

// HasHMACSecret reports whether [Credential.HMACSecret] answers.
func (c *Credential) HasHMACSecret() bool { return c.credRandom != nil }

// Title says in one line what the credential is for.
func (c Credential) Title() string {
	for _, name := range []string{c.User.Name, c.User.DisplayName} {
		if name != "" {
			return name + " at " + c.rpID
		}
	}
	if len(c.User.ID) > 0 {
		return hex.EncodeToString(c.User.ID) + " at " + c.rpID
	}
	return c.rpID
}

// String keeps the private key out of logs.
func (c Credential) String() string { return string(c.Kind) + " credential of " + c.Title() }

// Format prints what [Credential.String] says for every verb, %#v and %x included.
func (c Credential) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

func (c *Credential) clone() *Credential {
	d := *c
	d.Uses = slices.Clone(c.Uses)
	return &d
}

// sealedKey is the key of a SLIP-0022 id.
type sealedKey struct {
	root      *Root
	id        []byte
	algorithm credid.Algorithm
}

func (k sealedKey) key() (crypto.Signer, error) { return credid.Key(k.root.seed, k.id, k.algorithm) }
func (k sealedKey) secret(verified bool) ([]byte, error) {
	return credid.CredRandom(k.root.seed, k.id, verified), nil
}

// namedKey is the key of a site and a user name.
type namedKey struct {
	root      *Root
	name      derive.Name
	algorithm credid.Algorithm
}

func (k namedKey) key() (crypto.Signer, error) {
	if k.algorithm == credid.EdDSA {
		key, err := k.name.Ed25519(k.root.seed)
		if err != nil {
			return nil, err
		}
		return key, nil
	}
	key, err := k.name.P256(k.root.seed)
	if err != nil {
		return nil, err
	}
	return key, nil
}

func (k namedKey) secret(verified bool) ([]byte, error) {
	label := "with user verification"
	if !verified {
		label = "without user verification"
	}
	return derive.Symmetric(k.root.seed, "Kedge", "named hmac-secret", k.name.URI(), fmt.Sprint(k.name.Index), label), nil
}

// primeKey is a numbered key of a Passport Prime.
type primeKey struct {
	root      *Root
	slot, seq uint32
}

func (k primeKey) key() (crypto.Signer, error) { return credid.PrimeKey(k.root.secret, k.slot, k.seq) }

// ledgerKey is the key of a Ledger's handle.
type ledgerKey struct {
	root      *Root
	id        []byte
	rpID      string
	algorithm credid.Algorithm
}

func (k ledgerKey) open() (credid.Ledger, error) {
	secrets, err := credid.NewLedgerSecrets(k.root.seed)
	if err != nil {
		return credid.Ledger{}, err
	}
	return credid.OpenLedger(secrets, k.id, k.rpID)
}

func (k ledgerKey) key() (crypto.Signer, error) {
	l, err := k.open()
	if err != nil {
		return nil, err
	}
	return l.Key(k.algorithm)
}

func (k ledgerKey) secret(verified bool) ([]byte, error) {
	l, err := k.open()
	if err != nil {
		return nil, err
	}
	return l.CredRandom(verified), nil
}

// u2fKey is the key of a Trezor's U2F handle.
type u2fKey struct {
	root  *Root
	id    []byte
	appID string
}

func (k u2fKey) key() (crypto.Signer, error) {
	return credid.OpenTrezorU2F(k.root.seed, k.id, k.appID)
}

// storedSecret is the pair of secrets that came with an imported credential.
type storedSecret struct{ with, without []byte }

func (s storedSecret) secret(verified bool) ([]byte, error) {
	if verified {
		return s.with, nil
	}
	return s.without, nil
}

func (storedSecret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "secret") }
