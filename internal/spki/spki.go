// Package spki reads and writes public keys in DER, strictly and without encoding/asn1: the
// SubjectPublicKeyInfo of RFC 5280, section 4.1,
//
//	SEQUENCE { SEQUENCE { algorithm OBJECT IDENTIFIER, parameters … }, BIT STRING key }
//
// It is light: canisters import it.
package spki

import "fmt"

const (
	tagSequence  = 0x30
	tagBitString = 0x03
)

// Wrap returns the DER form of a key. The algorithm is the DER of what the inner sequence holds.
func Wrap(algorithm, key []byte) []byte {
	inner := appendHeader(nil, tagSequence, len(algorithm))
	inner = append(inner, algorithm...)
	inner = appendHeader(inner, tagBitString, len(key)+1)
	inner = append(append(inner, 0), key...) // no unused bits
	return append(appendHeader(nil, tagSequence, len(inner)), inner...)
}

// Unwrap takes a key in DER apart. It refuses lengths that are not in their shortest form, keys that do
// not end at a byte, and bytes left over. The parts alias der.
func Unwrap(der []byte) (algorithm, key []byte, err error) {
	body, rest, err := element(der, tagSequence)
	if err != nil {
		return nil, nil, err
	}
	if len(rest) != 0 {
		return nil, nil, fmt.Errorf("public key in DER: %d bytes left over", len(rest))
	}
	algorithm, rest, err = element(body, tagSequence)
	if err != nil {
		return nil, nil, err
	}
	bits, rest, err := element(rest, tagBitString)
	if err != nil {
		return nil, nil, err
	}
	if len(rest) != 0 {
		return nil, nil, fmt.Errorf("public key in DER: %d bytes left over inside", len(rest))
	}
	if len(bits) == 0 || bits[0] != 0 {
		return nil, nil, fmt.Errorf("public key in DER: the key does not end at a byte")
	}
	return algorithm, bits[1:], nil
}

// element reads one element with the tag and a length below 64 KiB.
func element(der []byte, tag byte) (body, rest []byte, err error) {
	if len(der) < 2 || der[0] != tag {
		return nil, nil, fmt.Errorf("public key in DER: expected tag %#02x", tag)
	}
	n, head := int(der[1]), 2
	switch {
	case n < 0x80:
	case n == 0x81 && len(der) > 2 && der[2] >= 0x80:
		n, head = int(der[2]), 3
	case n == 0x82 && len(der) > 3 && der[2] != 0:
		n, head = int(der[2])<<8|int(der[3]), 4
	default:
		return nil, nil, fmt.Errorf("public key in DER: length that begins with %#02x is not in its shortest form, or is 64 KiB and more", der[1])
	}
	if len(der)-head < n {
		return nil, nil, fmt.Errorf("public key in DER: %d bytes announced, %d there", n, len(der)-head)
	}
	return der[head : head+n : head+n], der[head+n:], nil
}

func appendHeader(dst []byte, tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(dst, tag, byte(n))
	case n < 0x100:
		return append(dst, tag, 0x81, byte(n))
	default:
		return append(dst, tag, 0x82, byte(n>>8), byte(n))
	}
}
