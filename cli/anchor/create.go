package anchor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/devices"
	"kedge/cli/provider"
	"kedge/cli/recovery"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

type anchorCreated struct {
	Anchor uint64           `json:"anchor"`
	Device string           `json:"device"`
	Phrase *recovery.Phrase `json:"recovery_phrase,omitempty"`
}

func (a verbs) anchorCreate() *cobra.Command {
	var n devices.NewDevice
	var noPhrase bool
	var newPhraseFile string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "register an anchor with a new passkey, and go on to a recovery phrase",
		Long: `Makes a passkey, saves it in the key store, registers an anchor with it, and
goes on to a recovery phrase: the words are shown on the terminal, typed back,
added to the anchor and protected by the phrase itself, as kedge recovery phrase
add does. On an anchor without any protected device, whoever comes first wins;
so do not put the phrase off.`,
		Example: `  kedge anchor create
  kedge anchor create --device laptop --alias "Anna's laptop"
  kedge anchor create --device laptop --no-phrase --json
  kedge anchor create --device laptop --new-phrase-file words.txt   # for scripts: the words go to a new file`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.createAnchor(cmd.Context(), n, noPhrase, newPhraseFile)
		},
	}
	cmd.Flags().StringVar(&n.Name, "device", "", "name of the passkey in the key store (default: the name of this machine)")
	n.Flags(cmd)
	cmd.Flags().BoolVar(&noPhrase, "no-phrase", false, "leave the recovery phrase for later")
	cmd.Flags().StringVar(&newPhraseFile, "new-phrase-file", "", "write the new words to this new file in place of the terminal")
	return cmd
}

func (a verbs) createAnchor(ctx context.Context, n devices.NewDevice, noPhrase bool, newPhraseFile string) error {
	if noPhrase && newPhraseFile != "" {
		return ui.Usagef("--no-phrase and --new-phrase-file exclude each other")
	}
	if n.Name == "" {
		n.Name = machineName(a.Now())
	}
	if err := device.CheckName(n.Name); err != nil {
		return ui.Usagef("%w", err)
	}
	nobody, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	passkey, err := n.Make(a.App, nobody)
	if err != nil {
		return err
	}
	p, err := a.Delegated(nobody, passkey)
	if err != nil {
		return n.Undo(a.App, err)
	}
	anchor, err := a.register(ctx, p, session.PasskeyData(n.Alias, passkey))
	var unanswered *unansweredError
	switch {
	case errors.As(err, &unanswered):
		return n.Undo(a.App, unanswered.err)
	case err != nil:
		return n.Discard(a.App, err)
	}
	s := &session.Session{Provider: p, Anchor: anchor, Signer: session.Signer{Name: n.Name, Key: passkey}}
	if err := a.Remember(s, n.Name); err != nil {
		return err
	}
	created := anchorCreated{Anchor: anchor, Device: n.Name}
	text := fmt.Sprintf("anchor %d, device %q", anchor, n.Name)
	if noPhrase {
		a.Note("hint: kedge recovery phrase add protects the anchor against the loss of this device")
		return a.Result(created, text)
	}
	view, err := recovery.AddFirst(ctx, a.App, s, newPhraseFile)
	if err != nil {
		return ui.Hinted(fmt.Errorf("anchor %d is registered with device %q, but has no protected recovery phrase: %w", anchor, n.Name, err),
			"kedge recovery phrase add --anchor %d --as %s", anchor, ui.Quoted(n.Name))
	}
	created.Phrase = view
	return a.Result(created, text+", recovery phrase protected")
}

// captchaAttempts is how many captchas a person may try.
const captchaAttempts = 3

// unansweredError is a captcha that nobody answered, so that nothing was registered.
type unansweredError struct{ err error }

func (e *unansweredError) Error() string { return e.err.Error() }
func (e *unansweredError) Unwrap() error { return e.err }

// register registers an anchor, solving a captcha on the terminal if the canister wants one.
func (a verbs) register(ctx context.Context, p *provider.Provider, d kedge.DeviceData) (uint64, error) {
	var answer kedge.ChallengeResult
	for try := range captchaAttempts + 1 {
		response, err := p.Register(ctx, d, answer)
		if err != nil {
			return 0, err
		}
		switch response.Tag {
		case kedge.RegisterResponseTagRegistered:
			return response.Registered.UserNumber, nil
		case kedge.RegisterResponseTagCanisterFull:
			return 0, provider.Refused("the canister has no anchor numbers left")
		}
		if try == captchaAttempts {
			break
		}
		if try > 0 {
			a.Note("those are not the characters; here is another picture")
		}
		if answer, err = a.solveCaptcha(ctx, p); err != nil {
			return 0, &unansweredError{err}
		}
	}
	return 0, provider.Refused("the characters of the captcha were wrong")
}

// solveCaptcha puts a captcha's image into a file for the person to look at.
func (a verbs) solveCaptcha(ctx context.Context, p *provider.Provider) (kedge.ChallengeResult, error) {
	challenge, err := p.CreateChallenge(ctx)
	if err != nil {
		return kedge.ChallengeResult{}, err
	}
	image, err := base64.StdEncoding.DecodeString(challenge.PngBase64)
	if err != nil {
		return kedge.ChallengeResult{}, fmt.Errorf("the captcha is not base64: %w", err)
	}
	t, err := a.Ask()
	if err != nil {
		return kedge.ChallengeResult{}, err
	}
	path, err := temporary("kedge-captcha-*.png", image)
	if err != nil {
		return kedge.ChallengeResult{}, fmt.Errorf("saving the captcha: %w", err)
	}
	defer func() { _ = os.Remove(path) }()
	for {
		chars, err := t.Line(fmt.Sprintf("characters in the picture %s: ", path))
		// A blank answer would be a wrong one to the canister, and the picture another.
		if chars = strings.TrimSpace(chars); chars != "" || err != nil {
			return kedge.ChallengeResult{Key: challenge.ChallengeKey, Chars: chars}, err
		}
	}
}

// temporary writes a new file that only its owner reads.
func temporary(pattern string, data []byte) (path string, err error) {
	f, err := os.CreateTemp("", pattern)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// machineName returns the name of this machine, or if it has none that will do one with the date.
func machineName(now time.Time) string {
	name, err := os.Hostname()
	if err != nil || device.CheckName(name) != nil {
		return "device-" + now.UTC().Format(time.DateOnly)
	}
	return name
}
