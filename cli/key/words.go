package key

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/slip39"
)

// backupFlags say in what form a backup of a seed is given.
type backupFlags struct {
	shares, trezor, sharePassphrase, prime bool
	files                                  []string

	every bool // ask for more shares than are needed, until there are no more
}

func (b *backupFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&b.shares, "shares", false, "the backup is SLIP-0039 shares")
	cmd.Flags().BoolVar(&b.trezor, "trezor-shares", false, "the backup is shares that a Trezor made: they give the secret of its keys, not words")
	cmd.Flags().BoolVar(&b.sharePassphrase, "share-passphrase", false, "the shares need a passphrase, which is asked for")
	cmd.Flags().BoolVar(&b.prime, "passport-prime", false, "the backup is the application seed of a Passport Prime, 64 hexadecimal digits")
	cmd.Flags().StringArrayVar(&b.files, "words-file", nil, "file with the words, in place of typing them; again for each share")
}

func (b *backupFlags) isShares() bool { return b.shares || b.trezor }

func (b *backupFlags) check() error {
	n := 0
	for _, set := range []bool{b.shares, b.trezor, b.prime} {
		if set {
			n++
		}
	}
	switch {
	case n > 1:
		return ui.Usagef("--shares, --trezor-shares and --passport-prime exclude each other")
	case b.sharePassphrase && !b.isShares():
		return ui.Usagef("--share-passphrase goes with --shares or --trezor-shares")
	case len(b.files) > 1 && !b.isShares():
		return ui.Usagef("more than one --words-file goes with --shares or --trezor-shares")
	}
	return nil
}

// readRoots reads a backup and returns the seeds that it may be: one, but for shares that do not say what
// they hold (see both).
func (a verbs) readRoots(b backupFlags, both bool) ([]device.Root, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if b.prime {
		return a.readPrime(b)
	}
	if !b.isShares() {
		return a.readWords(b)
	}
	secret, err := a.readShares(b)
	if err != nil {
		return nil, err
	}
	kinds := []device.RootKind{device.RootWords}
	if b.trezor {
		kinds = []device.RootKind{device.RootSecret}
	} else if both {
		kinds = append(kinds, device.RootSecret)
	}
	var roots []device.Root
	for _, kind := range kinds {
		r, err := device.ParseRoot(kind, secret)
		if err != nil && both {
			continue
		}
		if err != nil {
			return nil, err
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// readRoot reads a backup of one seed.
func (a verbs) readRoot(b backupFlags) (device.Root, error) {
	roots, err := a.readRoots(b, false)
	if err != nil {
		return device.Root{}, err
	}
	return roots[0], nil
}

func (a verbs) readWords(b backupFlags) ([]device.Root, error) {
	text, from := "", "the words"
	if len(b.files) == 1 {
		from = fmt.Sprintf("the words in %q", b.files[0])
		data, err := readWordsFile(b.files[0])
		if err != nil {
			return nil, err
		}
		text = data
	} else {
		t, err := a.Ask()
		if err != nil {
			return nil, ui.Hinted(err, "--words-file FILE gives the words to scripts")
		}
		enough := func(text string) bool {
			return session.WholePhrase(text) && ui.WordCount(text) != 12 // which may be half of 24
		}
		if text, err = t.Words("words of the seed, an empty line ends them: ", enough); err != nil {
			return nil, err
		}
	}
	p, err := device.ParsePhrase(text)
	if err != nil {
		a.Explain(err)
		return nil, ui.Secretf("compare the words with the paper", "%s: %w", from, err)
	}
	if _, numbered := p.Anchor(); numbered {
		return nil, ui.Secretf("a security key has words of its own", "%s: a number before the words is how a recovery phrase of an anchor is written", from)
	}
	r, err := device.RootFromPhrase(p)
	return []device.Root{r}, err
}

func (a verbs) readPrime(b backupFlags) ([]device.Root, error) {
	text := ""
	if len(b.files) == 1 {
		data, err := readWordsFile(b.files[0])
		if err != nil {
			return nil, err
		}
		text = data
	} else {
		t, err := a.Ask()
		if err != nil {
			return nil, ui.Hinted(err, "--words-file FILE gives the seed to scripts")
		}
		if text, err = t.Secret("application seed: "); err != nil {
			return nil, err
		}
	}
	secret, err := unhex(strings.TrimSpace(text))
	if err != nil {
		return nil, ui.Secretf("", "the application seed is not hexadecimal")
	}
	r, err := device.ParseRoot(device.RootPrime, secret)
	if err != nil {
		return nil, ui.Secretf("", "%w", err)
	}
	return []device.Root{r}, nil
}

// readShares reads shares one by one until there are enough, and joins them.
func (a verbs) readShares(b backupFlags) ([]byte, error) {
	var set slip39.Set
	for _, file := range b.files {
		text, err := readWordsFile(file)
		if err != nil {
			return nil, err
		}
		s, err := slip39.ParseShare(text)
		if err == nil {
			err = set.Add(s)
		}
		if err != nil {
			a.Explain(err)
			return nil, ui.Secretf("compare the words with the paper", "the share in %q: %w", file, err)
		}
	}
	if len(b.files) == 0 {
		if err := a.typeShares(&set, b.every); err != nil {
			return nil, err
		}
	}
	passphrase := ""
	if b.sharePassphrase {
		t, err := a.Ask()
		if err != nil {
			return nil, err
		}
		if passphrase, err = t.Secret("passphrase of the shares: "); err != nil {
			return nil, err
		}
	}
	secret, err := set.Secret(passphrase)
	if err != nil {
		return nil, ui.Secretf("", "%w", err)
	}
	return secret, nil
}

// typeShares asks for shares until there are enough, or until there are no more. A slip costs one share, not those
// before it.
func (a verbs) typeShares(set *slip39.Set, every bool) error {
	t, err := a.Ask()
	if err != nil {
		return ui.Hinted(err, "--words-file FILE, once for each share, gives them to scripts")
	}
	for slips := 0; every || set.Missing() != ""; {
		prompt := "first share: "
		switch {
		case set.Len() > 0 && set.Missing() == "":
			prompt = fmt.Sprintf("there are enough with %d; the next share to check, or an empty line: ", set.Len())
		case set.Len() > 0:
			prompt = fmt.Sprintf("next share, there is %s: ", set.Missing())
		}
		text, err := t.Words(prompt, wholeShare)
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) == "" && set.Missing() == "" {
			return nil
		}
		s, err := slip39.ParseShare(text)
		if err == nil {
			err = set.Add(s)
		}
		if err == nil {
			continue
		}
		a.Explain(err)
		if slips++; slips == attempts || strings.TrimSpace(text) == "" {
			return ui.Secretf("compare the words with the paper", "the share: %w", err)
		}
		a.Warn("the share: %v", err)
	}
	return nil
}

// attempts is how often a person may type something again.
const attempts = 3

func wholeShare(text string) bool {
	_, err := slip39.ParseShare(text)
	return err == nil || ui.WordCount(text) >= 33
}

// wordsFileLimit bounds a file of words in bytes; 59 words take at most 540.
const wordsFileLimit = 4096

func readWordsFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", ui.Secretf("name a file that holds the words", "reading the words: %w", session.WithoutPath(err))
	}
	if info.Size() > wordsFileLimit {
		return "", ui.Secretf("", "the file %q has %d bytes, these are no words of a seed", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", ui.Secretf("name a file that holds the words", "reading the words: %w", session.WithoutPath(err))
	}
	return string(data), nil
}

// sheet lays words out for copying, with their numbers: as many in a row as fit, at most four.
func sheet(title string, words []string, width int) string {
	const cell = 15 // two blanks, the number, a blank, and the longest word with two behind it
	columns := min(4, max(1, width/cell))
	var b strings.Builder
	b.WriteString(title + "\n\n")
	for i, w := range words {
		fmt.Fprintf(&b, "  %2d %-10s", i+1, w)
		if i%columns == columns-1 || i == len(words)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// quizWords is how many words of a sheet are asked for.
const quizWords = 3

// teach shows words and asks for some of them from the paper, until they are right.
func (a verbs) teach(title string, words []string) error {
	t, err := a.Ask()
	if err != nil {
		return ui.Hinted(err, "words of a seed are shown on a terminal and nowhere else")
	}
	for range attempts {
		if err := t.Show(func(width int) string { return sheet(title, words, width) }); err != nil {
			return err
		}
		right, err := a.quiz(t, words)
		if err != nil {
			return err
		}
		if right {
			return nil
		}
		a.Warn("that is not the word on the sheet; here it is again")
	}
	return ui.Secretf("start again and write the words down once more", "the words were not read back correctly")
}

func (a verbs) quiz(t ui.Terminal, words []string) (right bool, err error) {
	positions, err := a.draw(len(words))
	if err != nil {
		return false, err
	}
	for _, at := range positions {
		typed, err := t.Secret(fmt.Sprintf("word %d, from the paper: ", at+1))
		if err != nil {
			return false, err
		}
		typed = strings.ToLower(strings.TrimSpace(typed))
		if typed != words[at] && !(len(typed) == 4 && strings.HasPrefix(words[at], typed)) {
			return false, nil
		}
	}
	return true, nil
}

// draw picks the positions that are asked for, in order. The first words of a share are the same in all
// shares of its set, so they prove little.
func (a verbs) draw(n int) ([]int, error) {
	first := 0
	if n == 20 || n == 33 {
		first = 4
	}
	var list []int
	for len(list) < quizWords {
		at, err := rand.Int(a.Random, big.NewInt(int64(n-first)))
		if err != nil {
			return nil, fmt.Errorf("drawing the words to ask for: %w", err)
		}
		if p := first + int(at.Int64()); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return list, nil
}
