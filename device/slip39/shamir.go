package slip39

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// Shamir's scheme over GF(256) with the polynomial of AES, x^8 + x^4 + x^3 + x + 1: each byte of a value is
// a polynomial's value at the share's index. The secret is at 255; at 254 is a digest of it, by which wrong
// shares are noticed:
//
//	HMAC-SHA256( R, secret )[:4] ‖ R     R random, 4 bytes shorter than the secret

const (
	secretIndex = 255
	digestIndex = 254
	digestSize  = 4
)

// errDigest says that shares that fit by their heads do not fit by their values.
var errDigest = errors.New("the shares do not belong together: their digest is wrong")

// split makes count values of which any threshold give the secret.
func split(secret []byte, threshold, count int, random io.Reader) ([][]byte, error) {
	values := make([][]byte, count)
	if threshold == 1 {
		for i := range values {
			values[i] = append([]byte(nil), secret...)
		}
		return values, nil
	}
	points := make(map[byte][]byte, threshold)
	for i := range threshold - 2 {
		values[i] = make([]byte, len(secret))
		if _, err := io.ReadFull(random, values[i]); err != nil {
			return nil, fmt.Errorf("drawing shares: %w", err)
		}
		points[byte(i)] = values[i]
	}
	digest := make([]byte, len(secret))
	if _, err := io.ReadFull(random, digest[digestSize:]); err != nil {
		return nil, fmt.Errorf("drawing shares: %w", err)
	}
	copy(digest, digestOf(digest[digestSize:], secret))
	points[digestIndex], points[secretIndex] = digest, secret
	for i := threshold - 2; i < count; i++ {
		values[i] = interpolate(points, byte(i))
	}
	return values, nil
}

// join returns the secret of exactly threshold values.
func join(points map[byte][]byte) ([]byte, error) {
	if len(points) == 1 {
		for _, value := range points {
			return append([]byte(nil), value...), nil
		}
	}
	secret, digest := interpolate(points, secretIndex), interpolate(points, digestIndex)
	if subtle.ConstantTimeCompare(digest[:digestSize], digestOf(digest[digestSize:], secret)) != 1 {
		return nil, errDigest
	}
	return secret, nil
}

func digestOf(key, secret []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(secret)
	return mac.Sum(nil)[:digestSize]
}

// interpolate returns the value at x of the polynomials through the points (Lagrange). The indices are no
// secret; what is multiplied with the values takes the same time for all of them.
func interpolate(points map[byte][]byte, x byte) []byte {
	if value, known := points[x]; known {
		return append([]byte(nil), value...)
	}
	var out []byte
	for i, value := range points {
		factor := byte(1)
		for j := range points {
			if i != j {
				factor = multiply(factor, multiply(x^j, inverse(i^j)))
			}
		}
		if out == nil {
			out = make([]byte, len(value))
		}
		for k, v := range value {
			out[k] ^= multiply(v, factor)
		}
	}
	return out
}

// multiply multiplies in GF(256), in the same time for all numbers.
func multiply(a, b byte) byte {
	var product byte
	for range 8 {
		product ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return product
}

// inverse returns a^254, which is 1/a.
func inverse(a byte) byte {
	power := a
	for range 6 {
		power = multiply(multiply(power, power), a)
	}
	return multiply(power, power)
}
