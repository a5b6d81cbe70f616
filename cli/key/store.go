package key

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) importCommand() *cobra.Command {
	var replace bool
	cmd := &cobra.Command{
		Use:   "import NAME FILE",
		Short: "take passkeys in from an exchange file (CXF) of kedge or a password manager",
		Long: `Reads an exchange file that is encrypted with age and a passphrase, and keeps its
passkeys as stored credentials of the security key NAME, which is made without a seed
if it is not there: no words bring them back. All of them are taken in or none. What
the file has beside passkeys is named and left alone. A credential for the same user
of the same relying party stays, and the import is refused, unless --replace is given.`,
		Example: `  kedge key import imported passkeys.age
  kedge key import laptop passkeys.age --replace`,
		Args: ui.Args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error { return a.importCXF(args[0], args[1], replace) },
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "let a passkey of the file take the place of a credential for the same user")
	return cmd
}

func (a verbs) importCXF(name, path string, replace bool) error {
	sealed, err := readExchange(path)
	if err != nil {
		return err
	}
	if _, err := a.OpenKeys(); err != nil { // the passphrase of the store first
		return err
	}
	passphrase, err := a.exchangePassphrase(false)
	if err != nil {
		return err
	}
	plain, err := device.OpenExchange(sealed, passphrase)
	if errors.Is(err, device.ErrWrongPassphrase) {
		return ui.Secretf("the one that the file was encrypted with, not the key store's", "opening %q: %w", path, err)
	}
	if err != nil {
		return err
	}
	var report device.ImportReport
	err = a.ChangeKeys(func(keys *device.Keys) error {
		k, err := keys.Key(name)
		if err != nil {
			if k, err = keys.AddKey(name, device.Root{}, a.Now()); err != nil {
				return err
			}
		}
		report, err = k.ImportCXF(plain, replace, a.Now())
		return err
	})
	var inTheWay *device.StoredInTheWayError
	if errors.As(err, &inTheWay) {
		return ui.Hinted(err, "--replace gives that one up; another NAME keeps both")
	}
	if err != nil {
		return err
	}
	for _, what := range report.Skipped {
		a.Note("not taken in: %s", what)
	}
	return a.Result(map[string]any{"name": name, "added": list(report.Added), "same": list(report.Same), "skipped": list(report.Skipped)},
		fmt.Sprintf("%s stored with security key %s, %d there before", ui.Count(len(report.Added), "passkey"), ui.Printable(name), len(report.Same)))
}

func readExchange(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the exchange file: %w", err)
	}
	if info.Size() > backupLimit {
		return nil, fmt.Errorf("the exchange file %q has %d bytes, the limit is %d", path, info.Size(), backupLimit)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the exchange file: %w", err)
	}
	return data, nil
}

func (a verbs) passphrase() *cobra.Command {
	return &cobra.Command{
		Use:   "passphrase",
		Short: "change the passphrase of the key store",
		Long: `Encrypts the key store with another passphrase, in one step. Copies of the file, in
backups for instance, keep the old passphrase.

For scripts, KEDGE_NEW_PASSPHRASE_FILE names a file whose first line is the new one.`,
		Example: `  kedge key passphrase
  KEDGE_NEW_PASSPHRASE_FILE=new.txt kedge key passphrase --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			store, err := a.Store()
			if err != nil {
				return err
			}
			if _, err := store.Load(); err != nil {
				return err
			}
			passphrase, err := a.nextPassphrase()
			if err != nil {
				return err
			}
			if err := store.ChangePassphrase(passphrase); err != nil {
				return err
			}
			return a.Result(map[string]bool{"changed": true}, "the key store has another passphrase now")
		},
	}
}

func (a verbs) nextPassphrase() (string, error) {
	if file := a.Getenv("KEDGE_NEW_PASSPHRASE_FILE"); file != "" {
		line, err := session.FirstLine("KEDGE_NEW_PASSPHRASE_FILE", file)
		if err != nil {
			return "", err
		}
		a.WarnIfWeak(line)
		return line, nil
	}
	return a.NewPassphrase("new passphrase of the key store")
}
