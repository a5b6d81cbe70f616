package slip39

import (
	_ "embed" // the list of words
	"errors"
	"fmt"
	"strings"
	"unicode"

	"kedge/device/internal/nearest"
)

const (
	radixBits     = 10   // bits of a word
	radix         = 1024 // words of the list
	headWords     = 4    // identifier, exponent, groups and members
	checksumWords = 3
	minSecret     = 16 // bytes
	maxSecret     = 64
	maxPadding    = 8 // bits in front of the value
)

//go:embed wordlist.txt
var listText string

// list has 1024 words in alphabetical order; the first four letters tell them apart.
var list, indexOf = readList()

func readList() ([]string, map[string]uint16) {
	words := strings.Fields(listText)
	index := make(map[string]uint16, 2*radix)
	for i, w := range words {
		index[w], index[w[:4]] = uint16(i), uint16(i)
	}
	return words, index
}

// WordError is a word that is not in the list. Its text says which one and not what was typed, since
// errors end in logs; [WordError.Explain] is for the terminal.
type WordError struct {
	Position   int    // counted from 1
	Word       string // as typed, lower case
	Suggestion string // the nearest word of the list, or empty if none is near
}

func (e *WordError) Error() string {
	return fmt.Sprintf("word %d is not in the list of SLIP-0039", e.Position)
}

// Explain says what was typed and what may be meant. It is part of a secret: for the terminal of whoever
// typed it, and nothing else.
func (e *WordError) Explain() string { return nearest.Explain(e.Position, e.Word, e.Suggestion) }

// WordCountError is a share of a length that SLIP-0039 does not have.
type WordCountError struct{ Count int }

func (e *WordCountError) Error() string {
	return fmt.Sprintf("a share has 20, 33 or 59 words as a rule, this one has %d", e.Count)
}

// ChecksumError says that the words are all in the list and yet no share.
type ChecksumError struct {
	// Position is the only word whose change would mend the share, counted from 1, or 0: more than one word
	// is wrong, or their order. What it should be is not said, so that nobody takes a guess for the paper.
	Position int
}

func (e *ChecksumError) Error() string {
	if e.Position == 0 {
		return "the words do not belong together, the checksum of the share is wrong: a word is missing, two changed places or several are wrong"
	}
	return fmt.Sprintf("the checksum of the share is wrong, and word %d is most likely the one", e.Position)
}

// ErrPadding says that a share has the right checksum and no right form.
var ErrPadding = errors.New("the share has bits set that are always zero, it was not made as SLIP-0039 says")

// parseWords returns the numbers of the words of one share.
func parseWords(text string) ([]uint16, error) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 0x80 && (r < 'a' || r > 'z') || unicode.IsSpace(r) })
	numbers := make([]uint16, len(words))
	for i, w := range words {
		n, known := indexOf[w]
		if !known {
			return nil, &WordError{Position: i + 1, Word: w, Suggestion: nearest.Word(w, list)}
		}
		numbers[i] = n
	}
	if !wordCount(len(words)) {
		return nil, &WordCountError{len(words)}
	}
	return numbers, nil
}

// wordCount reports whether a share can have so many words: its value is a multiple of 16 bits behind at
// most 8 bits of padding.
func wordCount(n int) bool {
	bits := (n - headWords - checksumWords) * radixBits
	return bits >= minSecret*8 && bits%16 <= maxPadding && bits/16*2 <= maxSecret
}

// valueWords returns how many words hold a value of size bytes.
func valueWords(size int) int { return (size*8 + radixBits - 1) / radixBits }

// RS1024 is a Reed-Solomon code over GF(1024) that finds any three wrong words (SLIP-0039, "Checksum").
var generator = [10]uint32{0xe0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009, 0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890, 0x3f3f120}

func polymod(sum uint32, values ...uint16) uint32 {
	for _, v := range values {
		top := sum >> 20
		sum = (sum&0xfffff)<<10 ^ uint32(v)
		for i, g := range generator {
			sum ^= g & -(top >> i & 1)
		}
	}
	return sum
}

// customized is the state after the customization string, which differs for extendable sets.
func customized(extendable bool) uint32 {
	text := "shamir"
	if extendable {
		text = "shamir_extendable"
	}
	sum := uint32(1)
	for _, c := range []byte(text) {
		sum = polymod(sum, uint16(c))
	}
	return sum
}

func checksum(extendable bool, data []uint16) [checksumWords]uint16 {
	sum := polymod(polymod(customized(extendable), data...), 0, 0, 0) ^ 1
	return [checksumWords]uint16{uint16(sum >> 20 & 1023), uint16(sum >> 10 & 1023), uint16(sum & 1023)}
}

// extendableBit is the flag "ext" among the first two words.
func extendableBit(words []uint16) bool { return words[1]>>4&1 == 1 }

func checksumFits(words []uint16) bool {
	return polymod(customized(extendableBit(words)), words...) == 1
}

// findTypo returns the position, from 1, of the only word whose change makes the checksum right, or 0.
func findTypo(words []uint16) int {
	position := 0
	for i, was := range words {
		for other := range uint16(radix) {
			words[i] = other
			if other == was || !checksumFits(words) {
				continue
			}
			if position != 0 && position != i+1 {
				words[i] = was
				return 0
			}
			position = i + 1
		}
		words[i] = was
	}
	return position
}
