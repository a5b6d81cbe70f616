package webauthn

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"kedge/internal/minicbor"
)

// Authenticator data (WebAuthn section 6.1):
//
//	offset  size  field
//	0       32    SHA-256 of the relying party id
//	32      1     flags
//	33      4     signature counter, big-endian
//	37      16    AAGUID             ┐
//	53      2     L, big-endian      │ only with flag AT
//	55      L     credential id      │ (section 6.5.1)
//	55+L    …     COSE key           ┘
//	…       …     extensions, a CBOR map; only with flag ED

// Flags are the bits of authenticator data.
type Flags uint8

// The flags. The two others are reserved for future use; they are ignored.
const (
	UserPresent    Flags = 0x01
	UserVerified   Flags = 0x04
	BackupEligible Flags = 0x08
	BackupState    Flags = 0x10
	AttestedData   Flags = 0x40
	ExtensionData  Flags = 0x80
)

// Has tells whether all the flags are set.
func (f Flags) Has(flags Flags) bool { return f&flags == flags }

// MaxCredentialID is the greatest length of a credential id, in bytes.
const MaxCredentialID = 1023

const (
	authDataFixed    = 37
	attestedFixed    = 18
	extensionsDepth  = 8
	maxAuthenticator = 8 << 10
)

// AuthenticatorData is what an authenticator signs about itself.
type AuthenticatorData struct {
	RPIDHash   [32]byte
	Flags      Flags
	Counter    uint32
	Credential *AttestedCredential // nil unless flag AT is set
	Extensions []byte              // CBOR, nil unless flag ED is set
}

// AttestedCredential is the new credential that a registration brings.
type AttestedCredential struct {
	AAGUID [16]byte
	ID     []byte
	Key    *PublicKey
}

// ParseAuthenticatorData reads authenticator data of at most 8 KiB. All bytes must be accounted for, and
// flag BS without BE, which section 6.1.3 rules out, is refused.
func ParseAuthenticatorData(data []byte) (*AuthenticatorData, error) {
	if len(data) > maxAuthenticator {
		return nil, fmt.Errorf("authenticator data: %d bytes, at most %d are accepted", len(data), maxAuthenticator)
	}
	if len(data) < authDataFixed {
		return nil, fmt.Errorf("authenticator data: %d bytes, at least %d are needed", len(data), authDataFixed)
	}
	a := &AuthenticatorData{Flags: Flags(data[32]), Counter: binary.BigEndian.Uint32(data[33:])}
	copy(a.RPIDHash[:], data)
	if a.Flags.Has(BackupState) && !a.Flags.Has(BackupEligible) {
		return nil, fmt.Errorf("authenticator data: backed up (BS) but not eligible for backup (BE)")
	}
	rest := data[authDataFixed:]
	var err error
	if a.Flags.Has(AttestedData) {
		if a.Credential, rest, err = parseAttested(rest); err != nil {
			return nil, fmt.Errorf("authenticator data: attested credential: %w", err)
		}
	}
	if a.Flags.Has(ExtensionData) {
		r := minicbor.NewReader(rest)
		if major, err := r.Peek(); err != nil || major != minicbor.Map {
			return nil, fmt.Errorf("authenticator data: the extensions are not a CBOR map")
		}
		if err := r.Skip(extensionsDepth); err != nil {
			return nil, fmt.Errorf("authenticator data: extensions: %w", err)
		}
		a.Extensions = bytes.Clone(rest[:r.Offset()])
		rest = r.Rest()
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("authenticator data: %d bytes left over", len(rest))
	}
	return a, nil
}

func parseAttested(data []byte) (*AttestedCredential, []byte, error) {
	if len(data) < attestedFixed {
		return nil, nil, fmt.Errorf("%d bytes, at least %d are needed", len(data), attestedFixed)
	}
	var c AttestedCredential
	copy(c.AAGUID[:], data)
	n := int(binary.BigEndian.Uint16(data[16:]))
	data = data[attestedFixed:]
	if n > MaxCredentialID {
		return nil, nil, fmt.Errorf("credential id of %d bytes, at most %d are allowed", n, MaxCredentialID)
	}
	if n > len(data) {
		return nil, nil, fmt.Errorf("credential id of %d bytes, %d are there", n, len(data))
	}
	c.ID = bytes.Clone(data[:n])
	var err error
	c.Key, data, err = parseCOSEPrefix(data[n:])
	return &c, data, err
}
