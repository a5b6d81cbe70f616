// Package key is kedge key: the security keys of the key store, their credentials and their backup.
package key

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

type verbs struct{ *session.App }

// Command returns kedge key.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	cmd := ui.Group("key", "make, back up, find again and pair the security keys of the key store",
		a.initCommand(), a.list(), a.show(), a.rename(), a.remove(),
		a.export(), a.check(), a.finalize(), a.restore(), a.status(), a.backup(),
		a.plug(), a.pair(), a.prove(), a.drill(), a.lost(), a.find(),
		a.credentials(), a.importCommand(), a.passphrase(),
		a.unlock(), a.lock(), a.agent())
	cmd.Long = `A security key of the key store is a seed of 24 words and the credentials that are
derived from it. The words, on paper or as shares, bring all of them back, so write
them down, have them checked, and finalize the key:

  init → export → check → finalize            and one day:  restore, find

Where a command wants NAME it is the name of a security key. Where one signs
(--as), NAME is enough if the key has one credential; NAME/LABEL says which of
several, and NAME/https://user@host one that nothing is kept of.`
	return cmd
}

// sure asks a question whose answer is yes, unless the flag --yes gave it.
func (a verbs) sure(yes bool, question string) error {
	if yes {
		return nil
	}
	t, err := a.OpenTerminalOnce()
	if err != nil {
		return ui.Hinted(fmt.Errorf("%w, so nothing was done: %s", err, question), "--yes answers the question")
	}
	answer, err := t.Line(question + " Type yes: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(strings.ToLower(answer)) != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// typed asks for a text that has to be typed whole, unless the flag --confirm gave it.
func (a verbs) typed(given, want, question string) error {
	if given == "" {
		t, err := a.OpenTerminalOnce()
		if err != nil {
			return ui.Hinted(fmt.Errorf("%w, so nothing was done: %s", err, question), "--confirm %s says it in place of typing", want)
		}
		if given, err = t.Line(fmt.Sprintf("%s Type %s: ", question, want)); err != nil {
			return err
		}
	}
	if strings.TrimSpace(given) != want {
		return fmt.Errorf("%q is not %q, so nothing was done", strings.TrimSpace(given), want)
	}
	return nil
}

// open reads one security key with its secrets, which asks for the passphrase whatever an agent holds.
func (a verbs) open(name string) (*device.SecurityKey, error) {
	keys, err := a.OpenKeys()
	if err != nil {
		return nil, err
	}
	return keys.Key(name)
}

// load reads one security key, perhaps without its secrets.
func (a verbs) load(name string) (*device.SecurityKey, error) {
	keys, err := a.LoadKeys()
	if err != nil {
		return nil, err
	}
	return keys.Key(name)
}

// change changes one security key in the store.
func (a verbs) change(name string, change func(*device.SecurityKey) error) error {
	return a.ChangeKeys(func(keys *device.Keys) error {
		k, err := keys.Key(name)
		if err != nil {
			return err
		}
		return change(k)
	})
}
