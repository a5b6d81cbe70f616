// Package sixwords writes a key as six words that two people compare by voice, before a recovery contact
// approves the key.
package sixwords

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"kedge/ic/principal"
)

const (
	// Count is how many words there are.
	Count = 6

	// domain keeps the hash apart from others of the same key; its length stands before it.
	domain = "\x0ekedge contacts"

	bitsPerWord = 11
	shortest    = 4 // letters that tell any two words of the list apart
)

// Of returns the six words of a new key for an anchor: the first 66 bits, 11 each, as places in the English
// list of BIP-39, of the SHA-256 over a domain, the number of the anchor (8 bytes, big-endian), the length of
// the key's principal (1 byte) and the principal, as candid/kedge/kedge.did says.
func Of(anchor uint64, key principal.Principal) []string {
	data := binary.BigEndian.AppendUint64([]byte(domain), anchor)
	data = append(data, byte(key.Len()))
	hash := sha256.Sum256(key.AppendTo(data))
	bits := new(big.Int).SetBytes(hash[:])
	list := bip39.GetWordList()
	words := make([]string, Count)
	for i := range words {
		shifted := new(big.Int).Rsh(bits, uint(8*len(hash)-bitsPerWord*(i+1)))
		words[i] = list[shifted.Uint64()&(1<<bitsPerWord-1)]
	}
	return words
}

// ErrCount says that a text has another number of words than six.
var ErrCount = errors.New("the new key has six words")

// WordError is a word that is not in the list.
type WordError struct {
	Position int    // from 1
	Word     string // as typed, lower case
}

func (e *WordError) Error() string {
	return fmt.Sprintf("word %d %q is not in the list", e.Position, e.Word)
}

// Parse reads six words as a person types them: any case, anything that is no letter between them, the first
// four letters for a word. The error is [ErrCount], which does not quote what might be a recovery phrase, or a
// [*WordError].
func Parse(text string) ([]string, error) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' })
	if len(words) != Count {
		return nil, fmt.Errorf("%w, and these are %d", ErrCount, len(words))
	}
	for i, w := range words {
		if words[i] = complete(w); words[i] == "" {
			return nil, &WordError{Position: i + 1, Word: w}
		}
	}
	return words, nil
}

// complete returns the word of the list that a typed one means, or "".
func complete(word string) string {
	if _, known := bip39.GetWordIndex(word); known {
		return word
	}
	if len(word) < shortest {
		return ""
	}
	for _, candidate := range bip39.GetWordList() {
		if strings.HasPrefix(candidate, word) {
			return candidate
		}
	}
	return ""
}

// Match reports whether words that [Parse] returned are those of a key.
func Match(words []string, anchor uint64, key principal.Principal) bool {
	return slices.Equal(words, Of(anchor, key))
}
