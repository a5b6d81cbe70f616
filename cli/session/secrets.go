package session

import (
	"errors"
	"fmt"
	"io/fs"
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
	done := a.Working("opening the key store")
	a.opened, err = device.OpenStore(path, passphrase)
	done()
	if err != nil {
		return nil, err
	}
	if a.WorkFactor != 0 {
		a.opened.SetWorkFactor(a.WorkFactor)
	}
	return a.opened, nil
}

// KeysExist reports whether there is a key store, without opening it.
func (a *App) KeysExist() (bool, error) {
	path, err := a.KeysPath()
	if err != nil {
		return false, err
	}
	return device.StoreExists(path)
}

func (a *App) readPassphrase(path string) (string, error) {
	if file := a.PassphraseFile(); file != "" {
		return FirstLine("KEDGE_PASSPHRASE_FILE", file)
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
	return a.NewPassphrase(fmt.Sprintf("passphrase for the new key store %s", path))
}

// FirstLine reads the passphrase in the file that a variable of the environment names: its first line.
func FirstLine(variable, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", ui.Secretf("it names a file whose first line is the passphrase", "reading %s: %w", variable, WithoutPath(err))
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", ui.Secretf("", "the first line of %s %q is empty", variable, path)
	}
	return line, nil
}

// WithoutPath takes the path out of an error of reading a file: a person may have given the secret itself in its
// place.
func WithoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
