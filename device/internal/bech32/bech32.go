// Package bech32 writes bytes as text with a checksum (BIP-173), the form in which age takes a private
// key.
package bech32

import (
	"errors"
	"fmt"
	"strings"
)

const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

var generator = [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}

// Encode returns the lower-case text of data with the human-readable part prefix, which has 1 to 83
// printable characters, no capitals.
func Encode(prefix string, data []byte) (string, error) {
	if prefix == "" || len(prefix) > 83 {
		return "", errors.New("a bech32 prefix has 1 to 83 characters")
	}
	for _, c := range []byte(prefix) {
		if c < 33 || c > 126 || c >= 'A' && c <= 'Z' {
			return "", fmt.Errorf("a bech32 prefix cannot be %q", prefix)
		}
	}
	values := regroup(data)
	var text strings.Builder
	text.WriteString(prefix)
	text.WriteByte('1')
	for _, v := range append(values, checksum(prefix, values)...) {
		text.WriteByte(alphabet[v])
	}
	return text.String(), nil
}

// regroup cuts bytes into groups of five bits, zeros behind the last.
func regroup(data []byte) []byte {
	var values []byte
	acc, bits := uint32(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			values = append(values, byte(acc>>bits)&31)
		}
	}
	if bits > 0 {
		values = append(values, byte(acc<<(5-bits))&31)
	}
	return values
}

func checksum(prefix string, values []byte) []byte {
	sum := uint32(1)
	feed := func(v byte) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range generator {
			sum ^= g & -(top >> i & 1)
		}
	}
	for _, c := range []byte(prefix) {
		feed(c >> 5)
	}
	feed(0)
	for _, c := range []byte(prefix) {
		feed(c & 31)
	}
	for _, v := range append(append([]byte{}, values...), 0, 0, 0, 0, 0, 0) {
		feed(v)
	}
	sum ^= 1
	out := make([]byte, 6)
	for i := range out {
		out[i] = byte(sum>>(5*(5-i))) & 31
	}
	return out
}
