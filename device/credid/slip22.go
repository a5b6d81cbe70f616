package credid

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"

	"kedge/device/derive"
)

// A SLIP-0022 credential id, 33 to 1023 bytes:
//
//	version 4 (f1 d0 02 00) │ iv 12 │ sealed data │ tag 16
//
// The data is a canonical CBOR map, sealed with ChaCha20-Poly1305 under
// Key(m/"SLIP-0022"/version/"Encryption key") (SLIP-0021) with SHA-256(rpId) as associated data. The
// key pair is the SLIP-0010 one at m/10022'/version'/A'/B'/C'/D', with A to D the tag as four
// big-endian numbers.

const (
	version  = "\xf1\xd0\x02\x00"
	ivSize   = chacha20poly1305.NonceSize
	tagSize  = chacha20poly1305.Overhead
	idMin    = len(version) + ivSize + tagSize + 1
	idMax    = 1023 // WebAuthn Level 3, section 6.1
	userMax  = 64   // bytes of a user id, WebAuthn Level 3, section 5.4.3
	nameMax  = 64   // bytes of a name in an id; WebAuthn lets authenticators cut there
	rpIDMax  = 253  // bytes of a domain name
	hardened = derive.Hardened
)

// Data is what a SLIP-0022 credential id carries.
type Data struct {
	RPID         string    `cbor:"1,keyasint"`
	RPName       string    `cbor:"2,keyasint,omitempty"`
	UserID       []byte    `cbor:"3,keyasint"`
	UserName     string    `cbor:"4,keyasint,omitempty"`
	DisplayName  string    `cbor:"5,keyasint,omitempty"`
	Created      uint64    `cbor:"6,keyasint,omitempty"` // grows from one credential to the next; Unix time in seconds in ours
	HMACSecret   bool      `cbor:"7,keyasint,omitempty"`
	UseSignCount bool      `cbor:"8,keyasint,omitempty"`
	Algorithm    Algorithm `cbor:"9,keyasint,omitempty"`
	Curve        int64     `cbor:"10,keyasint,omitempty"`
	// Protection is the level of the extension credProtect, 1 to 3, or 0. The standard has no member for
	// it; this one has a number that nobody else is likely to take ("kedg"), and other readers skip it.
	Protection uint64 `cbor:"1801806951,keyasint,omitempty"`
}

const (
	curveP256    = 1
	curveEd25519 = 6
)

var encodeMode, decodeMode = modes()

func modes() (cbor.EncMode, cbor.DecMode) {
	enc, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		panic("credid: " + err.Error())
	}
	dec, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 4, MaxMapPairs: 32, UTF8: cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic("credid: " + err.Error())
	}
	return enc, dec
}

// Seal makes the credential id for the data, with an initialisation vector from random. Names are cut
// at 64 bytes, so that an id stays short.
func Seal(seed []byte, d Data, random io.Reader) ([]byte, error) {
	d.RPName, d.UserName, d.DisplayName = cut(d.RPName), cut(d.UserName), cut(d.DisplayName)
	if d.Algorithm == ES256 {
		d.Algorithm = 0 // absent stands for ES256 on P-256, and so do both
	}
	if d.Algorithm == EdDSA {
		d.Curve = curveEd25519
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	plain, err := encodeMode.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding a credential id: %w", err)
	}
	id := make([]byte, len(version)+ivSize, idMax)
	copy(id, version)
	if _, err := io.ReadFull(random, id[len(version):]); err != nil {
		return nil, fmt.Errorf("drawing a credential id: %w", err)
	}
	sealed := aead(seed).Seal(id, id[len(version):], plain, rpHash(d.RPID))
	if len(sealed) > idMax {
		return nil, fmt.Errorf("the credential id has %d bytes, the limit is %d", len(sealed), idMax)
	}
	return sealed, nil
}

// Open returns what the id carries if it was made from the seed for the relying party, else it returns
// [ErrForeign].
func Open(seed, id []byte, rpID string) (Data, error) {
	if !IsSealed(id) {
		return Data{}, ErrForeign
	}
	body := id[len(version):]
	plain, err := aead(seed).Open(nil, body[:ivSize], body[ivSize:], rpHash(rpID))
	if err != nil {
		return Data{}, ErrForeign
	}
	d, err := decode(plain)
	if err != nil {
		return Data{}, fmt.Errorf("the credential id is of this seed, but not as SLIP-0022 has it: %w", err)
	}
	if d.RPID != rpID {
		return Data{}, fmt.Errorf("the credential id says relying party %q inside and was sealed for %q", d.RPID, rpID)
	}
	return d, nil
}

// OpenAnywhere is [Open] for an id of an unknown relying party: it reads the relying party without the
// tag, then checks everything with the tag.
func OpenAnywhere(seed, id []byte) (Data, error) {
	if !IsSealed(id) {
		return Data{}, ErrForeign
	}
	body := id[len(version):]
	stream, err := chacha20.NewUnauthenticatedCipher(encryptionKey(seed), body[:ivSize])
	if err != nil {
		return Data{}, err
	}
	stream.SetCounter(1) // block 0 is Poly1305's key (RFC 8439, section 2.8)
	plain := make([]byte, len(body)-ivSize-tagSize)
	stream.XORKeyStream(plain, body[ivSize:len(body)-tagSize])
	var unchecked struct {
		RPID string `cbor:"1,keyasint"`
	}
	if err := decodeMode.Unmarshal(plain, &unchecked); err != nil {
		return Data{}, ErrForeign
	}
	return Open(seed, id, unchecked.RPID)
}

// IsSealed reports whether the id has the form of SLIP-0022. Whose it is, only its seed can say.
func IsSealed(id []byte) bool {
	return len(id) >= idMin && len(id) <= idMax && bytes.HasPrefix(id, []byte(version))
}

// Key derives the key pair of a sealed id. It does not check whose the id is; [Open] does.
func Key(seed, id []byte, a Algorithm) (crypto.Signer, error) {
	if !IsSealed(id) {
		return nil, ErrForeign
	}
	path := []uint32{10022 | hardened, binary.BigEndian.Uint32([]byte(version)) | hardened}
	for tag := id[len(id)-tagSize:]; len(tag) > 0; tag = tag[4:] {
		path = append(path, binary.BigEndian.Uint32(tag)|hardened)
	}
	return keyAt(seed, a, path...)
}

// CredRandom returns the 32 bytes below which the extension hmac-secret answers for a sealed id. With
// user verification they are the standard's. Without, which CTAP 2.1 wants kept apart and the standard
// does not have, they are one label further down.
func CredRandom(seed, id []byte, verified bool) []byte {
	labels := []string{"SLIP-0022", version, "hmac-secret", string(id)}
	if !verified {
		labels = append(labels, "without user verification")
	}
	return derive.Symmetric(seed, labels...)
}

func decode(plain []byte) (Data, error) {
	var d Data
	if err := decodeMode.Unmarshal(plain, &d); err != nil {
		return Data{}, err
	}
	if (d.Algorithm == 0) != (d.Curve == 0) {
		return Data{}, errors.New("algorithm and curve come together")
	}
	return d, d.check()
}

func (d Data) check() error {
	curve := map[Algorithm]int64{ES256: curveP256, EdDSA: curveEd25519}[d.Algorithm]
	switch {
	case d.RPID == "":
		return errors.New("a credential needs a relying party id")
	case len(d.RPID) > rpIDMax:
		return fmt.Errorf("relying party id of %d bytes, the limit is %d", len(d.RPID), rpIDMax)
	case d.UserID == nil:
		return errors.New("a credential needs a user id")
	case len(d.UserID) > userMax:
		return fmt.Errorf("user id of %d bytes, the limit is %d", len(d.UserID), userMax)
	case !d.Algorithm.Known() || d.Curve != curve:
		return fmt.Errorf("there are no credentials of %s on curve %d", d.Algorithm, d.Curve)
	case d.Protection > 3:
		return fmt.Errorf("credential protection %d is not 1 to 3", d.Protection)
	}
	return nil
}

// cut shortens a name to 64 bytes at a character's border.
func cut(name string) string {
	if len(name) <= nameMax {
		return name
	}
	end := nameMax
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

func encryptionKey(seed []byte) []byte {
	return derive.Symmetric(seed, "SLIP-0022", version, "Encryption key")
}

func aead(seed []byte) cipher.AEAD {
	a, err := chacha20poly1305.New(encryptionKey(seed))
	if err != nil {
		panic("credid: " + err.Error()) // the key has 32 bytes, always
	}
	return a
}

func rpHash(rpID string) []byte {
	h := sha256.Sum256([]byte(rpID))
	return h[:]
}
