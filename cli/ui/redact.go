package ui

import (
	"regexp"
	"strings"

	"github.com/tyler-smith/go-bip39"
)

// A recovery phrase that was given in the wrong place, as the value of a flag or in a file that is
// something else, must not come back in a message: standard error ends in logs.

// How many words of the BIP-39 list make a run a phrase: in a row, or with single other words between
// them, as a phrase with typing errors has. Sentences have words of the list, but not so many together.
const (
	inARow    = 7
	withTypos = 10
)

var wordOrGap = regexp.MustCompile(`[A-Za-z]+|[^A-Za-z]+`)

// Redact takes runs of words of a recovery phrase out of a message, whatever separates them, with the
// words beside them, which may be of it and mistyped.
func Redact(text string) string {
	tokens := wordOrGap.FindAllString(text, -1)
	var out strings.Builder
	for i := 0; i < len(tokens); {
		start := i
		if !inList(tokens[i]) && isLetter(tokens[i][0]) {
			start = i + 2 // the next word
		}
		end := phrase(tokens, start)
		if end <= start {
			out.WriteString(tokens[i])
			i++
			continue
		}
		out.WriteString("[words of a recovery phrase]")
		i = min(end+2, len(tokens))
	}
	return out.String()
}

// phrase returns the end of the phrase that begins at a token, or 0 if none does.
func phrase(tokens []string, start int) int {
	if end, words := run(tokens, start, 1); words >= withTypos {
		return end
	}
	if end, words := run(tokens, start, 0); words >= inARow {
		return end
	}
	return 0
}

// run returns the end of the run of words of the list that begins at a token, with at most so many other
// words in a row within it, and how many words of the list it has.
func run(tokens []string, start, typos int) (end, words int) {
	others := 0
	for i := start; i < len(tokens); i++ {
		switch {
		case inList(tokens[i]):
			words++
			end, others = i+1, 0
		case i == start:
			return start, 0
		case isLetter(tokens[i][0]):
			if others++; others > typos {
				return end, words
			}
		}
	}
	return end, words
}

// shortest is how many letters of a word people type: the first four tell all words of the list apart.
const shortest = 4

func inList(word string) bool {
	word = strings.ToLower(word)
	if _, whole := bip39.GetWordIndex(word); whole {
		return true
	}
	if len(word) < shortest {
		return false
	}
	for _, w := range bip39.GetWordList() {
		if strings.HasPrefix(w, word) {
			return true
		}
	}
	return false
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
