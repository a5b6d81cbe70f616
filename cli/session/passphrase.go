package session

import (
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"

	"github.com/trustelem/zxcvbn"
	"github.com/tyler-smith/go-bip39/wordlists"

	"kedge/cli/ui"
)

// madeWords is how many words a passphrase has that is made here: 66 bits.
const madeWords = 6

// strongGuesses is how many guesses a passphrase should stand, by the estimate of zxcvbn. The key store makes each
// guess cost about half a second of a processor, so that this is some ten thousand processor years.
const strongGuesses = 1e12

// NewPassphrase asks for a new passphrase twice. Left empty, it makes one of words, shows it once, on a screen of
// its own, and has it typed back. A weak one is warned of, and taken.
func (a *App) NewPassphrase(prompt string) (string, error) {
	t, err := a.Ask()
	if err != nil {
		return "", err
	}
	first, err := t.Secret(prompt + " (leave it empty for a made-up one): ")
	if err != nil {
		return "", err
	}
	again := "the same passphrase again: "
	made := strings.TrimSpace(first) == ""
	if made {
		if first, err = makePassphrase(a.Random); err != nil {
			return "", err
		}
		if err := t.Show(func(width int) string { return passphraseSheet(first, width) }); err != nil {
			return "", err
		}
		again = "the made-up passphrase, typed back: "
	}
	second, err := t.Secret(again)
	switch {
	case err != nil:
		return "", err
	case made && strings.Join(strings.Fields(second), " ") != first:
		return "", ui.Secretf("", "that is not the passphrase that was shown, and nothing was done")
	case !made && first != second:
		return "", ui.Secretf("", "the two passphrases are not the same")
	case !made:
		a.WarnIfWeak(first)
	}
	return first, nil
}

// WarnIfWeak warns of a passphrase that a program would guess.
func (a *App) WarnIfWeak(passphrase string) {
	if guesses := zxcvbn.PasswordStrength(shortened(passphrase), []string{"kedge", "internet identity", "icp"}).Guesses; guesses < strongGuesses {
		a.Warn("this passphrase is weak: a program finds it in about 10^%.0f guesses; kedge key passphrase changes it, and makes one up if it is left empty",
			math.Ceil(math.Log10(max(guesses, 1))))
	}
}

// shortened bounds the work of the estimate, which grows with the square of the length.
func shortened(passphrase string) string {
	if r := []rune(passphrase); len(r) > 100 {
		return string(r[:100])
	}
	return passphrase
}

// makePassphrase draws words of the English list of BIP-39, with a blank between them.
func makePassphrase(random io.Reader) (string, error) {
	words := make([]string, madeWords)
	for i := range words {
		n, err := rand.Int(random, big.NewInt(int64(len(wordlists.English))))
		if err != nil {
			return "", fmt.Errorf("drawing a passphrase: %w", err)
		}
		words[i] = wordlists.English[n.Int64()]
	}
	return strings.Join(words, " "), nil
}

// passphraseSheet is what the screen shows: each word on a line of its own where they do not fit on one.
func passphraseSheet(passphrase string, width int) string {
	if len(passphrase) > width {
		passphrase = strings.ReplaceAll(passphrase, " ", "\n")
	}
	return "your new passphrase, six words with a blank between them; it is no recovery phrase\nand is not shown again: write it down, or learn it\n\n" + passphrase + "\n"
}
