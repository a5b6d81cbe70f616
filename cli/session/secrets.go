package session

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"kedge/cli/ui"
	"kedge/device"
)

// store opens the key store, asking for its passphrase once a run.
func (a *App) store() (*device.Store, error) {
	if a.opened != nil {
		return a.opened, nil
	}
	path, err := a.KeysPath()
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

func (a *App) keysExist() (bool, error) {
	path, err := a.KeysPath()
	if err != nil {
		return false, err
	}
	return device.StoreExists(path)
}

func (a *App) readPassphrase(path string) (string, error) {
	if file := a.Getenv("KEDGE_PASSPHRASE_FILE"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", ui.Secretf("", "reading KEDGE_PASSPHRASE_FILE: %w", err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			return "", ui.Secretf("", "the first line of KEDGE_PASSPHRASE_FILE %q is empty", file)
		}
		return line, nil
	}
	exists, err := device.StoreExists(path)
	if err != nil {
		return "", err
	}
	t, err := a.Ask()
	if err != nil {
		return "", err
	}
	if exists {
		passphrase, err := t.Secret(fmt.Sprintf("passphrase of the key store %s: ", path))
		if err == nil && passphrase == "" {
			err = ui.Secretf("", "no passphrase was typed")
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
		return "", ui.Secretf("", "no passphrase was typed")
	case passphrase != again:
		return "", ui.Secretf("", "the two passphrases are not the same")
	}
	return passphrase, nil
}

// ReadPhrase reads the recovery phrase that exists: from --phrase-file, or by asking for it.
func (a *App) ReadPhrase() (device.Phrase, error) {
	if a.PhraseFile != "" {
		return readPhraseFile(a.PhraseFile)
	}
	t, err := a.Ask()
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
		return device.Phrase{}, ui.Secretf("", "reading the recovery phrase: %w", err)
	}
	if info.Size() > phraseFileLimit {
		return device.Phrase{}, ui.Secretf("", "the phrase file %q has %d bytes, that is no recovery phrase", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return device.Phrase{}, ui.Secretf("", "reading the recovery phrase: %w", err)
	}
	phrase, err := device.ParsePhrase(string(data))
	if err != nil {
		return device.Phrase{}, fmt.Errorf("the recovery phrase in %q: %w", path, err)
	}
	return phrase, nil
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
