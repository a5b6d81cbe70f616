package slip39

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// The secret is encrypted before it is split, with a Feistel network of four rounds that a passphrase
// makes:
//
//	L ‖ R = secret;   four times: L, R = R, L xor F(round, R);   encrypted = R ‖ L
//	F(round, R) = PBKDF2-HMAC-SHA256( round ‖ passphrase, salt ‖ R, 2500·2^exponent rounds )
//	salt = "" for extendable sets, else "shamir" ‖ identifier, big endian

const (
	feistelRounds  = 4
	baseIterations = 2500
	maxExponent    = 15
)

// CheckPassphrase says whether a passphrase can be typed anywhere: printable ASCII, as the standard asks.
func CheckPassphrase(passphrase string) error {
	for i := range len(passphrase) {
		if c := passphrase[i]; c < 0x20 || c > 0x7e {
			return fmt.Errorf("character %d of the passphrase of the shares is not printable ASCII", i+1)
		}
	}
	return nil
}

func crypt(text []byte, passphrase string, exponent uint8, identifier uint16, extendable bool, rounds [feistelRounds]byte) ([]byte, error) {
	salt := []byte{}
	if !extendable {
		salt = binary.BigEndian.AppendUint16([]byte("shamir"), identifier)
	}
	half := len(text) / 2
	l, r := append([]byte(nil), text[:half]...), append([]byte(nil), text[half:]...)
	for _, round := range rounds {
		f, err := pbkdf2.Key(sha256.New, string([]byte{round})+passphrase, append(salt[:len(salt):len(salt)], r...), baseIterations<<exponent, half)
		if err != nil {
			return nil, fmt.Errorf("deriving the key of shares: %w", err)
		}
		subtle.XORBytes(l, l, f)
		l, r = r, l
	}
	return append(r, l...), nil
}

func encrypt(secret []byte, passphrase string, exponent uint8, identifier uint16, extendable bool) ([]byte, error) {
	return crypt(secret, passphrase, exponent, identifier, extendable, [feistelRounds]byte{0, 1, 2, 3})
}

func decrypt(sealed []byte, passphrase string, exponent uint8, identifier uint16, extendable bool) ([]byte, error) {
	return crypt(sealed, passphrase, exponent, identifier, extendable, [feistelRounds]byte{3, 2, 1, 0})
}
