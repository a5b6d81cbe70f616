package key

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/ctap"
)

// plugged is a security key while it is plugged in: what the authenticator keeps it in, and whom it asks.
type plugged struct {
	verbs
	name     string
	seed     device.Fingerprint // as it was when it was plugged in
	store    *device.Store
	terminal ui.Keypad
	wait     time.Duration
	unplug   context.CancelFunc
}

// Load reads the key, which other processes may have changed.
func (p *plugged) Load() (*device.SecurityKey, error) {
	keys, err := p.store.Load()
	if err != nil {
		return nil, err
	}
	return p.find(keys)
}

// Change changes the key in the store at once, whoever else works on the store.
func (p *plugged) Change(change func(*device.SecurityKey) error) error {
	return p.ChangeKeys(func(keys *device.Keys) error {
		k, err := p.find(keys)
		if err != nil {
			return err
		}
		return change(k)
	})
}

func (p *plugged) find(keys *device.Keys) (*device.SecurityKey, error) {
	k, err := keys.Key(p.name)
	if err != nil {
		return nil, err
	}
	if p.seed != (device.Fingerprint{}) && k.Fingerprint() != p.seed {
		return nil, fmt.Errorf("security key %q has another seed since it was plugged in; plug it in again", p.name)
	}
	return k, nil
}

// report says what went wrong in words that the protocol has no code for.
func (p *plugged) report(err error) { p.Warn("%v", err) }

// present asks for a key press.
func (p *plugged) present(ctx context.Context, prompt ctap.Prompt) error {
	yes, err := p.terminal.Press(ctx, p.question(prompt)+fmt.Sprintf("Press y to do it, n to refuse (%s): ", p.wait))
	if err != nil {
		return p.unanswered(err)
	}
	if !yes {
		return ctap.ErrDeclined
	}
	return nil
}

// verify asks for the passphrase of the key store.
func (p *plugged) verify(ctx context.Context, prompt ctap.Prompt) error {
	text, err := p.terminal.SecretUntil(ctx, p.question(prompt)+fmt.Sprintf("Passphrase of the key store, or nothing to refuse (%s): ", p.wait))
	switch {
	case err != nil:
		return p.unanswered(err)
	case text == "":
		return ctap.ErrDeclined
	case !p.store.IsPassphrase(text):
		p.Note("that is not the passphrase of the key store")
		return ctap.ErrNotVerified
	}
	return nil
}

// unanswered says why a question has no answer.
func (p *plugged) unanswered(err error) error {
	switch {
	case errors.Is(err, ui.ErrInterrupted):
		p.unplug()
		return ctap.ErrDeclined
	case errors.Is(err, context.DeadlineExceeded):
		p.Note("nobody pressed a key, so nothing was done")
	case errors.Is(err, context.Canceled):
		p.Note("the program gave up, so nothing was done")
	default:
		p.unplug() // a key without a terminal cannot ask
	}
	return err
}

// mostUsers is how many users a question names.
const mostUsers = 8

// question lays a request out. What the site chose is made visible: characters that
// are not seen, and what would steer the terminal.
func (p *plugged) question(prompt ctap.Prompt) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("")
	switch prompt.Action {
	case ctap.Register:
		line("REGISTER security key %s", ui.Printable(p.name))
	case ctap.SignIn:
		line("SIGN IN with security key %s", ui.Printable(p.name))
	case ctap.Reset:
		line("RESET security key %s: every credential is forgotten, and the PIN. Stored credentials are lost for ever.", ui.Printable(p.name))
	default:
		line("A program asks: %s (%s)?", prompt.Action, ui.Printable(p.name))
	}
	if prompt.RPID != "" {
		line("  site  %s", shown(prompt.RPID))
	}
	for i, user := range prompt.Users {
		if i == mostUsers {
			line("        and %d more", len(prompt.Users)-i)
			break
		}
		if user == "" {
			line("  user  without a name")
		} else {
			line("  user  %s", shown(user))
		}
	}
	if prompt.Known {
		line("  The site has this key already and will not register it twice.")
	}
	if prompt.Replaces != "" {
		line("  The stored credential %s is replaced, and its private key is nowhere else: it is lost for ever.", ui.Printable(prompt.Replaces))
	}
	if prompt.Verified {
		line("  It was verified that you are the owner.")
	}
	return b.String()
}

// longestShown is how many characters of a name a question shows.
const longestShown = 200

func shown(text string) string {
	if characters := []rune(text); len(characters) > longestShown {
		return ui.Printable(string(slices.Clip(characters[:longestShown]))) + "… (cut off)"
	}
	return ui.Printable(text)
}
