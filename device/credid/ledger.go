package credid

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"

	"kedge/device/derive"
)

// A handle of Ledger's security key application (LedgerHQ/app-security-key, src/credential.c and
// src/crypto.c at version 1.7.2):
//
//	version 1 (01 U2F, 02 CTAP2) │ tag 16 │ AES-SIV of: nonce 16 │ CBOR map (CTAP2)
//
// The map holds 1 version, 2 flags (bit 0: resident), 3 algorithm, 4 user id, 5 user name; of a resident
// credential it holds 1 and 2 alone, the rest stays on the device. From the seed come two secrets of 64
// bytes, the SLIP-0010 P-256 key and chain code at m/PKS'/0'/g and m/WRA'/0'/g, where g, the number of
// resets, is 0 in every released build:
//
//	wrapping key  SHA-256( version ‖ WRA secret )
//	private key   SHA-256( 0^15 ‖ role ‖ nonce ‖ PKS secret )    role 0: signatures; 1, 2: hmac-secret
//
// This was read in the source and has not been compared with a device.

const (
	ledgerPKS   = 0x80504b53 // "PKS"
	ledgerWRA   = 0x80575241 // "WRA"
	ledgerU2F   = 1
	ledgerCTAP2 = 2
	nonceSize   = 16
	ledgerMin   = 1 + block + nonceSize
)

// LedgerSecrets are the secrets below which all handles of one Ledger are made. They are derived once
// for a whole list of handles.
type LedgerSecrets struct{ private, wrapping [64]byte }

// NewLedgerSecrets derives the secrets from a BIP-39 seed.
func NewLedgerSecrets(seed []byte) (*LedgerSecrets, error) {
	s := new(LedgerSecrets)
	for purpose, secret := range map[uint32]*[64]byte{ledgerPKS: &s.private, ledgerWRA: &s.wrapping} {
		node, err := derive.P256Node(seed, purpose, hardened, 0)
		if err != nil {
			return nil, err
		}
		copy(secret[:32], node.Key[:])
		copy(secret[32:], node.Chain[:])
	}
	return s, nil
}

// String keeps the secrets out of logs.
func (*LedgerSecrets) String() string { return "secrets of a Ledger" }

// GoString keeps the secrets out of logs.
func (s *LedgerSecrets) GoString() string { return s.String() }

// Ledger is what a handle of a Ledger carries.
type Ledger struct {
	Resident  bool
	Algorithm Algorithm // 0 if the handle does not say: either
	UserID    []byte    // empty if the handle does not say
	UserName  string
	secrets   *LedgerSecrets
	nonce     []byte
}

type ledgerMap struct {
	Version   int64     `cbor:"1,keyasint"`
	Flags     uint64    `cbor:"2,keyasint"`
	Algorithm Algorithm `cbor:"3,keyasint,omitempty"`
	UserID    []byte    `cbor:"4,keyasint,omitempty"`
	UserName  string    `cbor:"5,keyasint,omitempty"`
}

// OpenLedger returns what the handle carries if it was made by a Ledger with these secrets for the
// relying party, else it returns [ErrForeign].
func OpenLedger(s *LedgerSecrets, id []byte, rpID string) (Ledger, error) {
	if len(id) < ledgerMin || len(id) > idMax || id[0] != ledgerU2F && id[0] != ledgerCTAP2 {
		return Ledger{}, ErrForeign
	}
	plain, ok := sivOpen(s.wrappingKey(id[0]), id[1:1+block], id[1+block:], rpHash(rpID))
	if !ok {
		return Ledger{}, ErrForeign
	}
	l := Ledger{secrets: s, nonce: plain[:nonceSize], Algorithm: ES256}
	if id[0] == ledgerU2F {
		if len(plain) != nonceSize {
			return Ledger{}, errors.New("the handle is of this seed, but longer than U2F handles are")
		}
		return l, nil
	}
	var m ledgerMap
	if err := decodeMode.Unmarshal(plain[nonceSize:], &m); err != nil {
		return Ledger{}, fmt.Errorf("the handle is of this seed, but not as a Ledger has it: %w", err)
	}
	if m.Version != 1 {
		return Ledger{}, fmt.Errorf("the handle is of this seed, but of version %d, which is not known", m.Version)
	}
	l.Resident, l.Algorithm, l.UserID, l.UserName = m.Flags&1 != 0, m.Algorithm, m.UserID, m.UserName
	if !l.Algorithm.Known() {
		return Ledger{}, fmt.Errorf("there are no credentials of %s", l.Algorithm)
	}
	return l, nil
}

// Key derives the key pair for the algorithm, which is the handle's own if it has one.
func (l Ledger) Key(a Algorithm) (crypto.Signer, error) { return scalarKey(l.secret(0), a) }

// CredRandom returns the 32 bytes below which the extension hmac-secret answers.
func (l Ledger) CredRandom(verified bool) []byte {
	if verified {
		return l.secret(1)
	}
	return l.secret(2)
}

func (l Ledger) secret(role byte) []byte {
	text := make([]byte, 16, 32+64)
	text[15] = role
	text = append(append(text, l.nonce...), l.secrets.private[:]...)
	h := sha256.Sum256(text)
	return h[:]
}

func (s *LedgerSecrets) wrappingKey(version byte) []byte {
	h := sha256.Sum256(append([]byte{version}, s.wrapping[:]...))
	return h[:]
}
