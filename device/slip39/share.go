package slip39

import (
	"fmt"
	"io"
	"strings"
)

// A share is a number of 10 bits a word, most significant first:
//
//	identifier 15 │ extendable 1 │ exponent 4 │ group index 4 │ group threshold - 1  4 │ groups - 1  4 │
//	member index 4 │ member threshold - 1  4 │ padding 0 to 8, zero │ value │ checksum 30

// Share is one share of a set. It prints without its value; only [Share.Words] shows that.
type Share struct {
	Identifier      uint16 // 15 bits, the same in all shares of a set
	Extendable      bool   // more shares of the same secret can be made with other identifiers
	Exponent        uint8  // the passphrase takes 10000·2^Exponent rounds
	GroupIndex      int
	GroupThreshold  int
	Groups          int
	MemberIndex     int
	MemberThreshold int

	value []byte
}

// ParseShare reads the words of one share, in any case, with anything that is no letter between them; the
// first four letters of a word stand for it. The error is a [*WordError], a [*WordCountError], a
// [*ChecksumError] or [ErrPadding], or says what the numbers of the share contradict.
func ParseShare(text string) (Share, error) {
	words, err := parseWords(text)
	if err != nil {
		return Share{}, err
	}
	if !checksumFits(words) {
		return Share{}, &ChecksumError{Position: findTypo(words)}
	}
	head := uint64(0)
	for _, w := range words[:headWords] {
		head = head<<radixBits | uint64(w)
	}
	nibble := func(shift int) int { return int(head >> shift & 15) }
	s := Share{
		Identifier: uint16(head >> 25), Extendable: extendableBit(words), Exponent: uint8(nibble(20)),
		GroupIndex: nibble(16), GroupThreshold: nibble(12) + 1, Groups: nibble(8) + 1,
		MemberIndex: nibble(4), MemberThreshold: nibble(0) + 1,
	}
	if s.GroupThreshold > s.Groups {
		return Share{}, fmt.Errorf("the share asks for %d groups and says that there are %d", s.GroupThreshold, s.Groups)
	}
	if s.value, err = unpack(words[headWords : len(words)-checksumWords]); err != nil {
		return Share{}, err
	}
	return s, nil
}

// Words returns the words, 20 for a secret of 16 bytes and 33 for one of 32.
func (s Share) Words() []string {
	head := uint64(s.Identifier)<<25 | uint64(s.Exponent)<<20 | uint64(s.GroupIndex)<<16 | uint64(s.GroupThreshold-1)<<12 |
		uint64(s.Groups-1)<<8 | uint64(s.MemberIndex)<<4 | uint64(s.MemberThreshold-1)
	if s.Extendable {
		head |= 1 << 24
	}
	var numbers []uint16
	for shift := (headWords - 1) * radixBits; shift >= 0; shift -= radixBits {
		numbers = append(numbers, uint16(head>>shift&(radix-1)))
	}
	numbers = append(numbers, pack(s.value)...)
	sum := checksum(s.Extendable, numbers)
	words := make([]string, 0, len(numbers)+checksumWords)
	for _, n := range append(numbers, sum[:]...) {
		words = append(words, list[n])
	}
	return words
}

// String says which share of which set it is.
func (s Share) String() string {
	text := fmt.Sprintf("share %d of set %s", s.MemberIndex+1, s.Set())
	if s.Groups > 1 {
		text = fmt.Sprintf("share %d of group %d of set %s", s.MemberIndex+1, s.GroupIndex+1, s.Set())
	}
	return text
}

// Set returns what people see of a set: the first two words of each of its shares, which are the same in
// all.
func (s Share) Set() string { return strings.Join(s.Words()[:2], " ") }

// Format prints what [Share.String] says for every verb, %#v and %x included.
func (s Share) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// unpack reads bytes of numbers of 10 bits, behind zero bits that fill the first.
func unpack(words []uint16) ([]byte, error) {
	size := len(words) * radixBits / 16 * 2
	value := make([]byte, size)
	acc, bits, at := uint32(0), 0, 0
	padding := len(words)*radixBits - size*8
	for i, w := range words {
		if i == 0 {
			if w>>(radixBits-padding) != 0 {
				return nil, ErrPadding
			}
			acc, bits = uint32(w), radixBits-padding
		} else {
			acc, bits = acc<<radixBits|uint32(w), bits+radixBits
		}
		for bits >= 8 {
			bits -= 8
			value[at] = byte(acc >> bits)
			at++
		}
		acc &= 1<<bits - 1
	}
	return value, nil
}

// pack is the inverse of [unpack].
func pack(value []byte) []uint16 {
	words := make([]uint16, 0, valueWords(len(value)))
	acc, bits := uint32(0), valueWords(len(value))*radixBits-len(value)*8
	for _, b := range value {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= radixBits {
			bits -= radixBits
			words = append(words, uint16(acc>>bits&(radix-1)))
		}
		acc &= 1<<bits - 1
	}
	return words
}
