package session

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"kedge/cli/ui"
	"kedge/device"
)

// KeepPhrase has a recovery phrase that is typed serve for the rest of the run, of commands that [App.Again] runs,
// too, so that a person types it once. ForgetPhrase ends that for the one that was typed.
func (a *App) KeepPhrase() { a.keep = true }

// ForgetPhrase has the recovery phrase asked for again.
func (a *App) ForgetPhrase() { a.typed = nil }

// ReadPhrase reads the recovery phrase that exists: from --phrase-file, or by asking for it.
func (a *App) ReadPhrase() (device.Phrase, error) {
	if a.PhraseFile != "" || !a.keep {
		return a.readPhrase()
	}
	if a.typed == nil {
		phrase, err := a.readPhrase()
		if err != nil {
			return device.Phrase{}, err
		}
		a.typed = &phrase
	}
	return *a.typed, nil
}

func (a *App) readPhrase() (device.Phrase, error) {
	text, from := "", "the recovery phrase"
	if a.PhraseFile != "" {
		from = fmt.Sprintf("the recovery phrase in %q", a.PhraseFile)
		var err error
		if text, err = readPhraseFile(a.PhraseFile); err != nil {
			return device.Phrase{}, err
		}
	} else {
		t, err := a.Ask()
		if err != nil {
			return device.Phrase{}, err
		}
		if text, err = t.Words("recovery phrase: ", WholePhrase); err != nil {
			return device.Phrase{}, err
		}
	}
	text, err := a.onePhrase(text)
	if err != nil {
		return device.Phrase{}, err
	}
	phrase, err := device.ParsePhrase(text)
	if err != nil {
		if a.PhraseFile == "" {
			a.Explain(err)
		}
		return device.Phrase{}, fmt.Errorf("%s: %w", from, err)
	}
	return phrase, nil
}

// Explain shows the word that is wrong, and what may be meant, to the person who typed it: on the terminal alone,
// from which it leaves again. An error without such a word shows nothing.
func (a *App) Explain(err error) {
	var wrong interface{ Explain() string }
	if !errors.As(err, &wrong) {
		return
	}
	if t, e := a.Ask(); e == nil {
		_ = t.Show(func(int) string { return wrong.Explain() + "\n" })
	}
}

// mostWords is the length of the longest phrase.
const mostWords = 24

// WholePhrase reports whether a text is a phrase, or too long to become one by another line and no phrase
// with something pasted behind it.
func WholePhrase(text string) bool {
	if _, err := device.ParsePhrase(text); err == nil {
		return true
	}
	if ui.WordCount(text) < mostWords {
		return false
	}
	for end := strings.LastIndexByte(strings.TrimRight(text, "\n"), '\n'); end > 0; end = strings.LastIndexByte(text[:end], '\n') {
		if _, err := device.ParsePhrase(text[:end]); err == nil && ui.WordCount(text[:end]) == mostWords {
			return false // that is the phrase
		}
	}
	return true
}

// onePhrase asks what two lines of twelve words are: one phrase of 24 words, or two of twelve. Each of
// them can be well formed, and each is then somebody else.
func (a *App) onePhrase(text string) (string, error) {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	lines = slices.DeleteFunc(lines, func(line string) bool { return ui.WordCount(line) == 0 })
	if len(lines) != 2 || ui.WordCount(lines[0]) != mostWords/2 || ui.WordCount(lines[1]) != mostWords/2 {
		return text, nil
	}
	const problem = "two lines of twelve words may be one recovery phrase of 24 words, or two of 12"
	t, err := a.Ask()
	if err != nil {
		return "", ui.Secretf("put the words of the one phrase that is meant on one line", problem)
	}
	answer, err := t.Line(problem + "\ntype 24 if they are one, 1 or 2 if that line alone is meant: ")
	if err != nil {
		return "", err
	}
	switch strings.TrimSpace(answer) {
	case "24":
		return text, nil
	case "1":
		return lines[0], nil
	case "2":
		return lines[1], nil
	}
	return "", ui.Secretf("", "that is neither 24, 1 nor 2, so no phrase was used")
}

// phraseFileLimit bounds a phrase file in bytes; 24 words take at most 220.
const phraseFileLimit = 4096

func readPhraseFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", ui.Secretf("name a file that holds the words", "reading the recovery phrase: %w", WithoutPath(err))
	}
	if info.Size() > phraseFileLimit {
		return "", ui.Secretf("", "the phrase file %q has %d bytes, that is no recovery phrase", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", ui.Secretf("name a file that holds the words", "reading the recovery phrase: %w", WithoutPath(err))
	}
	return string(data), nil
}

// WritePhraseFile puts new words into a file that must not exist yet.
func WritePhraseFile(path string, phrase device.Phrase) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return ui.Hinted(fmt.Errorf("the phrase file %q exists, and words in it are not overwritten", path),
			"name another file with --new-phrase-file, or none to write the words on paper")
	}
	if err != nil {
		return fmt.Errorf("writing the recovery phrase: %w", err)
	}
	_, err = f.WriteString(strings.Join(phrase.Words(), " ") + "\n")
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
