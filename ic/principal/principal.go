// Package principal holds the identifiers of users, canisters, subnets and nodes of the Internet
// Computer (Interface Specification, "Principals").
//
// It is light on purpose: canisters import it.
package principal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// MaxLen is the greatest length of a principal in bytes.
const MaxLen = 29

// The last byte of a principal names its class.
const (
	classOpaque             = 0x01
	classSelfAuthenticating = 0x02
	classAnonymous          = 0x04
)

// Principal is an identifier of 0 to 29 bytes. It is a plain value: it can be compared with == and be
// the key of a map. The zero Principal is the management canister, aaaaa-aa.
type Principal struct {
	n uint8
	b [MaxLen]byte
}

var (
	// Management is the management canister, aaaaa-aa: the principal of no bytes.
	Management = Principal{}
	// Anonymous is the caller who did not sign, 2vxsx-fae.
	Anonymous = Principal{n: 1, b: [MaxLen]byte{classAnonymous}}
)

// FromBytes returns the principal with these bytes. It fails if there are more than 29.
func FromBytes(raw []byte) (Principal, error) {
	if len(raw) > MaxLen {
		return Principal{}, fmt.Errorf("a principal has at most %d bytes, got %d", MaxLen, len(raw))
	}
	if len(raw) == MaxLen { // as most have; a copy of fixed length takes a third of the instructions
		return Principal{n: MaxLen, b: [MaxLen]byte(raw)}, nil
	}
	p := Principal{n: uint8(len(raw))}
	copy(p.b[:], raw)
	return p, nil
}

// SelfAuthenticating returns the principal of the holder of a public key, given the key in DER:
// SHA-224(der) followed by 0x02.
func SelfAuthenticating(der []byte) Principal {
	sum := sha256.Sum224(der)
	p := Principal{n: sha256.Size224 + 1}
	copy(p.b[:], sum[:])
	p.b[sha256.Size224] = classSelfAuthenticating
	return p
}

// Canister returns the canister id with the given index as the network allocates them: the index as
// eight bytes big-endian, then 01 01.
func Canister(index uint64) Principal {
	p := Principal{n: 10}
	binary.BigEndian.PutUint64(p.b[:], index)
	p.b[8], p.b[9] = 0x01, classOpaque
	return p
}

// CanisterIndex is the inverse of Canister; ok is false for a principal of any other shape.
func (p Principal) CanisterIndex() (index uint64, ok bool) {
	if p.n != 10 || p.b[8] != 0x01 || p.b[9] != classOpaque {
		return 0, false
	}
	return binary.BigEndian.Uint64(p.b[:8]), true
}

// Bytes returns a copy of the principal's bytes; it is never nil.
func (p Principal) Bytes() []byte { return p.AppendTo(make([]byte, 0, p.n)) }

// AppendTo appends the principal's bytes to dst.
func (p Principal) AppendTo(dst []byte) []byte { return append(dst, p.b[:p.n]...) }

// Len returns the number of bytes, 0 to 29.
func (p Principal) Len() int { return int(p.n) }

// IsAnonymous tells whether p is the anonymous principal.
func (p Principal) IsAnonymous() bool { return p == Anonymous }

// IsManagement tells whether p is the management canister.
func (p Principal) IsManagement() bool { return p == Management }

// IsSelfAuthenticating tells whether p has the form that SelfAuthenticating makes.
func (p Principal) IsSelfAuthenticating() bool {
	return p.n == sha256.Size224+1 && p.b[sha256.Size224] == classSelfAuthenticating
}

// Compare orders principals as the network orders canister ids in ranges: bytewise, a prefix first.
func (p Principal) Compare(q Principal) int { return bytes.Compare(p.b[:p.n], q.b[:q.n]) }

// Lower-case base32 of RFC 4648 without padding.
var textEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	groupLen     = 5  // characters between dashes
	checksumLen  = 4  // bytes of CRC-32 before the principal's own
	maxTextChars = 63 // 33 bytes are 53 characters in 11 groups, so 10 dashes
)

// Text returns the textual form: base32 of the CRC-32 (big-endian) and the bytes, in groups of five
// characters joined by dashes, such as rwlgt-iiaaa-aaaaa-aaaaa-cai.
func (p Principal) Text() string {
	var raw [checksumLen + MaxLen]byte
	binary.BigEndian.PutUint32(raw[:], crc32.ChecksumIEEE(p.b[:p.n]))
	copy(raw[checksumLen:], p.b[:p.n])

	var chars [53]byte
	n := textEncoding.EncodedLen(checksumLen + int(p.n))
	textEncoding.Encode(chars[:n], raw[:checksumLen+int(p.n)])

	out := make([]byte, 0, maxTextChars)
	for i, c := range chars[:n] {
		if i > 0 && i%groupLen == 0 {
			out = append(out, '-')
		}
		out = append(out, c)
	}
	return string(out)
}

// String is Text, for fmt.
func (p Principal) String() string { return p.Text() }

// Parse reads the textual form. It is strict: the dashes, the case and the checksum must be as Text
// writes them; the error says which is not.
func Parse(text string) (Principal, error) {
	if text == "" {
		return Principal{}, fmt.Errorf("principal is empty: expected text such as %q", Management.Text())
	}
	if len(text) > maxTextChars {
		return Principal{}, fmt.Errorf("principal is too long: %d characters, at most %d", len(text), maxTextChars)
	}
	raw, err := textEncoding.DecodeString(strings.ToLower(strings.ReplaceAll(text, "-", "")))
	if err != nil {
		return Principal{}, fmt.Errorf("principal %q: expected groups of the characters a-z and 2-7 joined by dashes", text)
	}
	if len(raw) < checksumLen {
		return Principal{}, fmt.Errorf("principal %q is too short: no room for its checksum", text)
	}
	p, err := FromBytes(raw[checksumLen:])
	if err != nil {
		return Principal{}, fmt.Errorf("principal %q: %w", text, err)
	}
	if sum := crc32.ChecksumIEEE(p.b[:p.n]); binary.BigEndian.Uint32(raw) != sum {
		return Principal{}, fmt.Errorf("principal %q: checksum does not match: it was mistyped or cut", text)
	}
	if canonical := p.Text(); canonical != text {
		return Principal{}, fmt.Errorf("principal %q is not in its canonical form %q", text, canonical)
	}
	return p, nil
}

// MustParse is Parse for constants; it panics on an error.
func MustParse(text string) Principal {
	p, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return p
}
