package device

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tyler-smith/go-bip39"
)

// phraseEntropy is the size of a new phrase's entropy in bytes: 24 words, as Internet Identity has.
const phraseEntropy = 32

// wordCounts are the lengths of phrase that BIP-39 allows.
var wordCounts = []int{12, 15, 18, 21, 24}

// ErrPhraseChecksum says that every word is in the list and yet the phrase is wrong: two words
// changed places, or one was taken for another.
var ErrPhraseChecksum = errors.New("the words do not belong together, the checksum of the phrase is wrong")

// WordError is a word that is not in the BIP-39 list. Its text shows the one word as typed and the
// nearest word of the list, which is a small part of the secret and what a person needs to mend it.
type WordError struct {
	Position   int    // counted from 1, the leading anchor number not included
	Word       string // as typed, lower case
	Suggestion string // the nearest word of the list, or empty if none is near
}

func (e *WordError) Error() string {
	if e.Suggestion == "" {
		return fmt.Sprintf("word %d %q is not in the BIP-39 list", e.Position, e.Word)
	}
	return fmt.Sprintf("word %d %q is not in the BIP-39 list, did you mean %q", e.Position, e.Word, e.Suggestion)
}

// WordCountError is a phrase of a length that BIP-39 does not have.
type WordCountError struct{ Count int }

func (e *WordCountError) Error() string {
	return fmt.Sprintf("a recovery phrase has 12, 15, 18, 21 or 24 words, this one has %d", e.Count)
}

// Phrase is a recovery phrase: English BIP-39 words that have been checked, without a BIP-39
// passphrase. The zero value is not a phrase; use [NewPhrase] or [ParsePhrase].
//
// It prints as a placeholder, so that it cannot slip into a log; only [Phrase.Words] shows it.
type Phrase struct {
	words     []string
	anchor    uint64
	hasAnchor bool
}

// NewPhrase makes a phrase of 24 words from 32 bytes of random, which must be a cryptographic source.
func NewPhrase(random io.Reader) (Phrase, error) {
	entropy := make([]byte, phraseEntropy)
	if _, err := io.ReadFull(random, entropy); err != nil {
		return Phrase{}, fmt.Errorf("drawing a recovery phrase: %w", err)
	}
	text, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return Phrase{}, fmt.Errorf("drawing a recovery phrase: %w", err)
	}
	return Phrase{words: strings.Fields(text)}, nil
}

// ParsePhrase reads a phrase as a person types it: any case, any white space. It accepts the form
// that Internet Identity shows, with the anchor number before the words. The error is a
// [*WordError] for the first word that is not in the list, a [*WordCountError], or
// [ErrPhraseChecksum].
//
// Checking and deriving are one step on purpose: BIP-39 gives a key for any words at all, so a
// phrase that is not checked opens, in silence, an identity that nobody has.
func ParsePhrase(text string) (Phrase, error) {
	words := strings.Fields(strings.ToLower(text))
	var p Phrase
	if len(words) > 0 && isDecimal(words[0]) {
		n, err := strconv.ParseUint(words[0], 10, 64)
		if err != nil {
			return Phrase{}, fmt.Errorf("the anchor number %q before the words is too large", words[0])
		}
		p.anchor, p.hasAnchor = n, true
		words = words[1:]
	}
	for i, w := range words {
		if _, known := bip39.GetWordIndex(w); !known {
			return Phrase{}, &WordError{Position: i + 1, Word: w, Suggestion: nearestWord(w)}
		}
	}
	if !slices.Contains(wordCounts, len(words)) {
		return Phrase{}, &WordCountError{Count: len(words)}
	}
	if _, err := bip39.EntropyFromMnemonic(strings.Join(words, " ")); err != nil {
		return Phrase{}, ErrPhraseChecksum
	}
	p.words = words
	return p, nil
}

// Words returns the words, lower case. It is the only way to see them.
func (p Phrase) Words() []string { return slices.Clone(p.words) }

// Anchor returns the anchor number that stood before the words, if one did.
func (p Phrase) Anchor() (number uint64, ok bool) { return p.anchor, p.hasAnchor }

// Equal reports whether both have the same words, in constant time for phrases of equal length.
// The anchor number does not count.
func (p Phrase) Equal(q Phrase) bool {
	a, b := strings.Join(p.words, " "), strings.Join(q.words, " ")
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// Seed returns the 64-byte BIP-39 seed of the phrase (PBKDF2-HMAC-SHA512, 2048 rounds).
func (p Phrase) Seed() []byte { return bip39.NewSeed(strings.Join(p.words, " "), "") }

// String returns a placeholder that says how many words there are.
func (p Phrase) String() string { return fmt.Sprintf("recovery phrase of %d words", len(p.words)) }

// Format prints the placeholder for every verb, %#v and %x included.
func (p Phrase) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, p.String()) }

func isDecimal(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
