package credid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// AES-SIV (RFC 5297), which the Go library does not have: S2V is a chain of CMACs (RFC 4493) over the
// associated data and the text, and its value is both the tag and, with two bits cleared, the first
// counter block of AES-CTR.

const block = aes.BlockSize

// sivOpen decrypts tag ‖ sealed with a key of 32 bytes (AES-128 twice). It is not ok if the tag does not
// fit.
func sivOpen(key, tag, sealed []byte, associated ...[]byte) (plain []byte, ok bool) {
	plain = sivStream(key, tag, sealed)
	want := s2v(key[:len(key)/2], plain, associated...)
	return plain, subtle.ConstantTimeCompare(want[:], tag) == 1
}

// sivSeal encrypts with a key of 32 bytes and returns the tag apart.
func sivSeal(key, plain []byte, associated ...[]byte) (tag, sealed []byte) {
	v := s2v(key[:len(key)/2], plain, associated...)
	return v[:], sivStream(key, v[:], plain)
}

func sivStream(key, tag, text []byte) []byte {
	var counter [block]byte
	copy(counter[:], tag)
	counter[8] &= 0x7f
	counter[12] &= 0x7f
	out := make([]byte, len(text))
	cipher.NewCTR(aesOf(key[len(key)/2:]), counter[:]).XORKeyStream(out, text)
	return out
}

func s2v(key, text []byte, associated ...[]byte) [block]byte {
	b := aesOf(key)
	d := cmac(b, make([]byte, block))
	for _, a := range associated {
		m := cmac(b, a)
		double(&d)
		subtle.XORBytes(d[:], d[:], m[:])
	}
	if len(text) >= block {
		end := append([]byte(nil), text...)
		tail := end[len(end)-block:]
		subtle.XORBytes(tail, tail, d[:])
		return cmac(b, end)
	}
	double(&d)
	var padded [block]byte
	copy(padded[:], text)
	padded[len(text)] = 0x80
	subtle.XORBytes(d[:], d[:], padded[:])
	return cmac(b, d[:])
}

func cmac(b cipher.Block, message []byte) (mac [block]byte) {
	var subkey [block]byte
	b.Encrypt(subkey[:], subkey[:])
	double(&subkey)
	for len(message) > block {
		subtle.XORBytes(mac[:], mac[:], message[:block])
		b.Encrypt(mac[:], mac[:])
		message = message[block:]
	}
	var last [block]byte
	copy(last[:], message)
	if len(message) < block {
		double(&subkey)
		last[len(message)] = 0x80
	}
	subtle.XORBytes(last[:], last[:], subkey[:])
	subtle.XORBytes(mac[:], mac[:], last[:])
	b.Encrypt(mac[:], mac[:])
	return mac
}

// double multiplies by x in GF(2^128) with x^128 + x^7 + x^2 + x + 1.
func double(v *[block]byte) {
	carry := v[0] >> 7
	for i := range block - 1 {
		v[i] = v[i]<<1 | v[i+1]>>7
	}
	v[block-1] = v[block-1]<<1 ^ 0x87&-carry
}

func aesOf(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("credid: " + err.Error()) // half of a SHA-256 is an AES-128 key
	}
	return b
}
