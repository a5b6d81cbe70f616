package hashtree

import "errors"

// EncodeNat returns a natural number as leaves hold it: shortest unsigned LEB128.
func EncodeNat(n uint64) []byte {
	out := make([]byte, 0, 10)
	for n >= 0x80 {
		out = append(out, byte(n)|0x80)
		n >>= 7
	}
	return append(out, byte(n))
}

// DecodeNat is the inverse of EncodeNat, for numbers of up to 64 bits in any number of bytes up to ten.
func DecodeNat(raw []byte) (uint64, error) {
	var n uint64
	for i, b := range raw {
		if i == 9 && b > 1 {
			return 0, errors.New("number of more than 64 bits")
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if i != len(raw)-1 {
				return 0, errors.New("bytes after the end of a number")
			}
			return n, nil
		}
	}
	return 0, errors.New("number without an end")
}
