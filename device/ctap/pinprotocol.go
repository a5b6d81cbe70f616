package ctap

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
)

// agreement is the authenticator's half of a PIN/UV auth protocol (CTAP 2.1, sections 6.5.6 and 6.5.7).
type agreement struct {
	protocol uint64
	private  *ecdh.PrivateKey
}

// cosePoint is a P-256 key for key agreement. The algorithm is -25 by the standard, whatever is done with it.
type cosePoint struct {
	KeyType   int64  `cbor:"1,keyasint"`
	Algorithm int64  `cbor:"3,keyasint"`
	Curve     int64  `cbor:"-1,keyasint"`
	X         []byte `cbor:"-2,keyasint"`
	Y         []byte `cbor:"-3,keyasint"`
}

func newAgreement(protocol uint64, random io.Reader) (*agreement, error) {
	// A number below the order is drawn here: the library's GenerateKey does not say how it reads.
	for {
		seed := make([]byte, 32)
		if _, err := io.ReadFull(random, seed); err != nil {
			return nil, fmt.Errorf("drawing a key agreement key: %w", err)
		}
		if private, err := ecdh.P256().NewPrivateKey(seed); err == nil {
			return &agreement{protocol, private}, nil
		}
	}
}

func (g *agreement) public() cosePoint {
	point := g.private.PublicKey().Bytes()
	return cosePoint{2, -25, 1, point[1:33], point[33:]}
}

// shared is a secret that client and authenticator share: the keys for HMAC and AES.
type shared struct {
	protocol uint64
	mac, aes []byte
}

func (g *agreement) decapsulate(peer *cosePoint) (shared, error) {
	if peer == nil {
		return shared{}, MissingParameter
	}
	if peer.KeyType != 2 || peer.Algorithm != -25 || peer.Curve != 1 || len(peer.X) != 32 || len(peer.Y) != 32 {
		return shared{}, InvalidParameter
	}
	public, err := ecdh.P256().NewPublicKey(append(append([]byte{4}, peer.X...), peer.Y...))
	if err != nil {
		return shared{}, InvalidParameter
	}
	z, err := g.private.ECDH(public)
	if err != nil {
		return shared{}, InvalidParameter
	}
	if g.protocol == 1 {
		key := sha256.Sum256(z)
		return shared{1, key[:], key[:]}, nil
	}
	mac, err := hkdf.Key(sha256.New, z, make([]byte, 32), "CTAP2 HMAC key", 32)
	if err != nil {
		return shared{}, err
	}
	encryption, err := hkdf.Key(sha256.New, z, make([]byte, 32), "CTAP2 AES key", 32)
	return shared{2, mac, encryption}, err
}

func (s shared) encrypt(plain []byte, random io.Reader) ([]byte, error) {
	block, err := aes.NewCipher(s.aes)
	if err != nil {
		return nil, err
	}
	iv := make([]byte, aes.BlockSize)
	if s.protocol == 2 {
		if _, err := io.ReadFull(random, iv); err != nil {
			return nil, fmt.Errorf("drawing an initialisation vector: %w", err)
		}
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
	if s.protocol == 2 {
		return append(iv, out...), nil
	}
	return out, nil
}

func (s shared) decrypt(data []byte) ([]byte, error) {
	iv := make([]byte, aes.BlockSize)
	if s.protocol == 2 {
		if len(data) < aes.BlockSize {
			return nil, InvalidParameter
		}
		iv, data = data[:aes.BlockSize], data[aes.BlockSize:]
	}
	if len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, InvalidParameter
	}
	block, err := aes.NewCipher(s.aes)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	return out, nil
}

// verify compares a pinUvAuthParam, in constant time.
func (s shared) verify(param []byte, parts ...[]byte) error {
	return verifyMAC(s.protocol, s.mac, param, parts...)
}

func verifyMAC(protocol uint64, key, param []byte, parts ...[]byte) error {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	want := mac.Sum(nil)
	if protocol == 1 {
		want = want[:16]
	}
	if subtle.ConstantTimeCompare(want, param) != 1 {
		return PINAuthInvalid
	}
	return nil
}

// renew draws another key for a protocol.
func (a *Authenticator) renew(protocol uint64) error {
	g, err := newAgreement(protocol, a.o.Random)
	if err != nil {
		return err
	}
	a.exchanges[protocol] = g
	return nil
}

// exchange returns the key of the protocol that a request names.
func (a *Authenticator) exchange(protocol *uint64) (*agreement, error) {
	if protocol == nil {
		return nil, MissingParameter
	}
	g, ok := a.exchanges[*protocol]
	if !ok {
		return nil, InvalidParameter
	}
	return g, nil
}
