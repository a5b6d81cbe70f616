package device

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tyler-smith/go-bip39"

	"kedge/device/internal/nearest"
)

// phraseEntropy is the size of a new phrase's entropy in bytes: 24 words, as Internet Identity has.
const phraseEntropy = 32

// wordCounts are the lengths of phrase that BIP-39 allows.
var wordCounts = []int{12, 15, 18, 21, 24}

// ErrPhraseChecksum says that every word is in the list and yet the phrase is wrong: two words
// changed places, or one was taken for another.
var ErrPhraseChecksum = errors.New("the words do not belong together, the checksum of the phrase is wrong")

// WordError is a word that is not in the BIP-39 list. Its text says which one and not what was typed,
// since errors end in logs; [WordError.Explain] is for the terminal.
type WordError struct {
	Position   int    // counted from 1, the leading anchor number not included
	Word       string // as typed, lower case
	Suggestion string // the nearest word of the list, or empty if none is near
}

func (e *WordError) Error() string {
	return fmt.Sprintf("word %d is not in the BIP-39 list", e.Position)
}

// Explain says what was typed and what may be meant. It is part of a secret: for the terminal of whoever
// typed it, and nothing else.
func (e *WordError) Explain() string { return nearest.Explain(e.Position, e.Word, e.Suggestion) }

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

// ParsePhrase reads a phrase as a person types or pastes it: any case, anything that is no letter between
// the words, words numbered from 1 or not, and the first four letters of a word for the word. It accepts
// the form that Internet Identity shows, with the anchor number before the words. The error is a
// [*WordError] for the first word that is not in the list, a [*WordCountError], or
// [ErrPhraseChecksum].
//
// Checking and deriving are one step on purpose: BIP-39 gives a key for any words at all, so a
// phrase that is not checked opens, in silence, an identity that nobody has.
func ParsePhrase(text string) (Phrase, error) {
	words := unnumbered(splitWords(text))
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
		if words[i] = completeWord(w); words[i] == "" {
			return Phrase{}, &WordError{Position: i + 1, Word: w, Suggestion: nearest.Word(w, bip39.GetWordList())}
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

// splitWords cuts a text at everything that is no part of a word, and makes it lower case.
func splitWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r < 0x80 && !(r >= 'a' && r <= 'z') && !(r >= '0' && r <= '9') || unicode.IsSpace(r) || r == '\ufeff'
	})
}

// unnumbered drops the numbers of words that are numbered from 1 throughout.
func unnumbered(words []string) []string {
	var plain []string
	for i, w := range words {
		if i%2 == 0 && w != strconv.Itoa(i/2+1) || i%2 == 1 && isDecimal(w) {
			return words
		}
		if i%2 == 1 {
			plain = append(plain, w)
		}
	}
	if len(plain) < 2 {
		return words
	}
	return plain
}

// completeWord returns the word of the list that is meant, or "". The first four letters tell all words
// apart; a word of three has only those.
func completeWord(w string) string {
	if _, known := bip39.GetWordIndex(w); known {
		return w
	}
	if len(w) != 4 {
		return ""
	}
	for _, candidate := range bip39.GetWordList() {
		if strings.HasPrefix(candidate, w) {
			return candidate
		}
	}
	return ""
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
