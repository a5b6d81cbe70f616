package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"kedge/device"
)

const noTerminalHint = "KEDGE_PASSPHRASE_FILE gives the passphrase to scripts, --phrase-file a recovery phrase"

// ask returns the terminal, opened once.
func (a *app) ask() (Terminal, error) {
	if a.terminal == nil {
		t, err := a.OpenTerminal()
		if err != nil {
			return nil, secretf(noTerminalHint, "asking for a secret: %w", err)
		}
		a.terminal = t
	}
	return a.terminal, nil
}

// store opens the key store, asking for its passphrase once a run.
func (a *app) store() (*device.Store, error) {
	if a.opened != nil {
		return a.opened, nil
	}
	path, err := a.keysPath()
	if err != nil {
		return nil, err
	}
	passphrase, err := a.readPassphrase(path)
	if err != nil {
		return nil, err
	}
	if a.opened, err = device.OpenStore(path, passphrase); err != nil {
		return nil, err
	}
	if a.WorkFactor != 0 {
		a.opened.SetWorkFactor(a.WorkFactor)
	}
	return a.opened, nil
}

func (a *app) readPassphrase(path string) (string, error) {
	if file := a.Getenv("KEDGE_PASSPHRASE_FILE"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", secretf("", "reading KEDGE_PASSPHRASE_FILE: %w", err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			return "", secretf("", "the first line of KEDGE_PASSPHRASE_FILE %q is empty", file)
		}
		return line, nil
	}
	exists, err := device.StoreExists(path)
	if err != nil {
		return "", err
	}
	t, err := a.ask()
	if err != nil {
		return "", err
	}
	if exists {
		passphrase, err := t.Secret(fmt.Sprintf("passphrase of the key store %s: ", path))
		if err == nil && passphrase == "" {
			err = secretf("", "no passphrase was typed")
		}
		return passphrase, err
	}
	passphrase, err := t.Secret(fmt.Sprintf("passphrase for the new key store %s: ", path))
	if err != nil {
		return "", err
	}
	again, err := t.Secret("the same passphrase again: ")
	if err != nil {
		return "", err
	}
	switch {
	case passphrase == "":
		return "", secretf("", "no passphrase was typed")
	case passphrase != again:
		return "", secretf("", "the two passphrases are not the same")
	}
	return passphrase, nil
}

// readPhrase reads the recovery phrase that exists: from --phrase-file, or by asking for it.
func (a *app) readPhrase() (device.Phrase, error) {
	if a.phraseFile != "" {
		return readPhraseFile(a.phraseFile)
	}
	t, err := a.ask()
	if err != nil {
		return device.Phrase{}, err
	}
	text, err := t.Line("recovery phrase: ", true)
	if err != nil {
		return device.Phrase{}, err
	}
	phrase, err := device.ParsePhrase(text)
	if err != nil {
		return device.Phrase{}, fmt.Errorf("the recovery phrase: %w", err)
	}
	return phrase, nil
}

// phraseFileLimit bounds a phrase file in bytes; 24 words take at most 220.
const phraseFileLimit = 4096

func readPhraseFile(path string) (device.Phrase, error) {
	info, err := os.Stat(path)
	if err != nil {
		return device.Phrase{}, secretf("", "reading the recovery phrase: %w", err)
	}
	if info.Size() > phraseFileLimit {
		return device.Phrase{}, secretf("", "the phrase file %q has %d bytes, that is no recovery phrase", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return device.Phrase{}, secretf("", "reading the recovery phrase: %w", err)
	}
	phrase, err := device.ParsePhrase(string(data))
	if err != nil {
		return device.Phrase{}, fmt.Errorf("the recovery phrase in %q: %w", path, err)
	}
	return phrase, nil
}

// writePhraseFile puts new words into a file that must not exist yet.
func writePhraseFile(path string, phrase device.Phrase) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return hinted(fmt.Errorf("the phrase file %q exists, and words in it are not overwritten", path),
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
