package cxf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Version 1.0; a reader takes any 1.x.
const major, minor = 1, 0

// limit bounds a file in bytes.
const limit = 16 << 20

// Passkey is one passkey of a file.
type Passkey struct {
	Title           string // of the item that it was in
	CredentialID    []byte
	RPID            string
	UserName        string
	UserDisplayName string
	UserHandle      []byte
	Key             crypto.Signer // P-256 or Ed25519
	HMACWithUV      []byte        // 32 bytes each, or both empty: below which hmac-secret answers
	HMACWithoutUV   []byte
	Created         time.Time // zero if the file does not say
}

// String keeps the private key out of logs.
func (p Passkey) String() string { return fmt.Sprintf("passkey %x for %s", p.CredentialID, p.RPID) }

// Format prints what [Passkey.String] says for every verb, %#v and %x included.
func (p Passkey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, p.String()) }

// binary is bytes as the format writes them: base64url without padding.
type binary []byte

var coding = base64.RawURLEncoding.Strict()

func (b binary) MarshalText() ([]byte, error) { return []byte(coding.EncodeToString(b)), nil }

func (b *binary) UnmarshalText(text []byte) error {
	data, err := coding.DecodeString(string(text))
	if err != nil {
		return errors.New("not base64url without padding") // not err, it shows a part of the text
	}
	*b = data
	return nil
}

type version struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
}

type header struct {
	Version             version   `json:"version"`
	ExporterRPID        string    `json:"exporterRpId"`
	ExporterDisplayName string    `json:"exporterDisplayName"`
	Timestamp           int64     `json:"timestamp"` // Unix seconds
	Accounts            []account `json:"accounts"`
}

type account struct {
	ID          binary            `json:"id"`
	Username    string            `json:"username"`
	Email       string            `json:"email"`
	FullName    *string           `json:"fullName,omitempty"`
	Collections []json.RawMessage `json:"collections"`
	Items       []item            `json:"items"`
}

type item struct {
	ID          binary            `json:"id"`
	CreationAt  *int64            `json:"creationAt,omitempty"`
	ModifiedAt  *int64            `json:"modifiedAt,omitempty"`
	Title       string            `json:"title"`
	Subtitle    *string           `json:"subtitle,omitempty"`
	Favorite    *bool             `json:"favorite,omitempty"`
	Scope       *scope            `json:"scope,omitempty"`
	Credentials []json.RawMessage `json:"credentials"`
	Tags        []string          `json:"tags,omitempty"`
}

type scope struct {
	URLs        []string          `json:"urls"`
	AndroidApps []json.RawMessage `json:"androidApps"`
}

type passkey struct {
	Type            string      `json:"type"`
	CredentialID    binary      `json:"credentialId"`
	RPID            string      `json:"rpId"`
	Username        string      `json:"username"`
	UserDisplayName string      `json:"userDisplayName"`
	UserHandle      binary      `json:"userHandle"`
	Key             binary      `json:"key"` // PKCS #8
	Extensions      *extensions `json:"fido2Extensions,omitempty"`
}

type extensions struct {
	HMAC *hmacCredentials `json:"hmacCredentials,omitempty"`
}

type hmacCredentials struct {
	Algorithm string `json:"algorithm"`
	WithUV    binary `json:"credWithUV"`
	WithoutUV binary `json:"credWithoutUV"`
}

// hmacAlgorithm is the only one of the standard.
const hmacAlgorithm = "hmac-sha256"

// Exporter says who wrote a file.
type Exporter struct{ RPID, DisplayName string }

// Encode writes passkeys as one account, an item each. Ids of account and items are drawn from random.
func Encode(list []Passkey, by Exporter, now time.Time, random io.Reader) ([]byte, error) {
	id := func() (binary, error) {
		b := make([]byte, 16)
		_, err := io.ReadFull(random, b)
		return b, err
	}
	accountID, err := id()
	if err != nil {
		return nil, fmt.Errorf("drawing an id: %w", err)
	}
	a := account{ID: accountID, Collections: []json.RawMessage{}, Items: []item{}}
	for _, p := range list {
		text, err := encodePasskey(p)
		if err != nil {
			return nil, fmt.Errorf("passkey for %q: %w", p.RPID, err)
		}
		itemID, err := id()
		if err != nil {
			return nil, fmt.Errorf("drawing an id: %w", err)
		}
		i := item{
			ID: itemID, Title: p.Title, Credentials: []json.RawMessage{text},
			Scope: &scope{URLs: []string{"https://" + p.RPID}, AndroidApps: []json.RawMessage{}},
		}
		if !p.Created.IsZero() {
			at := p.Created.Unix()
			i.CreationAt = &at
		}
		a.Items = append(a.Items, i)
	}
	out, err := json.MarshalIndent(header{
		Version: version{major, minor}, ExporterRPID: by.RPID, ExporterDisplayName: by.DisplayName, Timestamp: now.Unix(), Accounts: []account{a},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the exchange file: %w", err)
	}
	return out, nil
}

func encodePasskey(p Passkey) (json.RawMessage, error) {
	key, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, errors.New("its private key has no PKCS #8 form")
	}
	j := passkey{
		Type: "passkey", CredentialID: p.CredentialID, RPID: p.RPID, Username: p.UserName, UserDisplayName: p.UserDisplayName,
		UserHandle: p.UserHandle, Key: key,
	}
	if j.UserHandle == nil {
		j.UserHandle = binary{}
	}
	if len(p.HMACWithUV) > 0 {
		j.Extensions = &extensions{&hmacCredentials{hmacAlgorithm, p.HMACWithUV, p.HMACWithoutUV}}
	}
	return json.Marshal(j)
}

// parseKey reads a PKCS #8 private key, P-256 or Ed25519.
func parseKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the key is not a PKCS #8 private key")
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return nil, fmt.Errorf("the key is on curve %s, only P-256 and Ed25519 are taken", k.Curve.Params().Name)
		}
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("the key is a %T, only P-256 and Ed25519 are taken", key)
}
