package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/device"
)

// newDevice are the flags of commands that make a passkey.
type newDevice struct {
	name, alias, origin string
	deviceBound         bool
}

func (n *newDevice) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.alias, "alias", "", "what the anchor calls the device (default: its name)")
	cmd.Flags().StringVar(&n.origin, "origin", "", "web origin that the passkey is for (default: the canister's own page)")
	cmd.Flags().BoolVar(&n.deviceBound, "device-bound", false, "make a passkey that reports backup-eligible off")
}

// make makes the passkey and saves it before anybody else hears of it: an anchor whose key is lost
// is worse than a key without an anchor.
func (n *newDevice) make(a *app, p *provider) (*device.Passkey, error) {
	if n.origin == "" {
		n.origin = defaultOrigin(p.client.Network(), p.canister)
	}
	if n.alias == "" {
		n.alias = n.name
	}
	passkey, err := device.NewPasskey(a.Random, device.PasskeyOptions{Origin: n.origin, DeviceBound: n.deviceBound})
	if err != nil {
		return nil, err
	}
	err = a.changeKeys(func(k *device.Keys) error { return k.Add(n.name, passkey, a.Now()) })
	return passkey, err
}

// discard takes the passkey out of the store again after the canister refused it. If the answer is
// unknown, the key stays: the call may have succeeded.
func (n *newDevice) discard(a *app, cause error) error {
	var reject *client.Reject
	var refused *refusedError
	if errors.As(cause, &reject) || errors.As(cause, &refused) {
		return errors.Join(cause, a.changeKeys(func(k *device.Keys) error { return k.Remove(n.name) }))
	}
	a.warn("whether the canister took the passkey %q is not known, so it stays in the key store", n.name)
	return cause
}

type anchorCreated struct {
	Anchor uint64      `json:"anchor"`
	Device string      `json:"device"`
	Phrase *phraseView `json:"recovery_phrase,omitempty"`
}

func (a *app) anchorCreate() *cobra.Command {
	var n newDevice
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
		Args: argsError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.createAnchor(cmd.Context(), n, noPhrase, newPhraseFile)
		},
	}
	cmd.Flags().StringVar(&n.name, "device", "", "name of the passkey in the key store (default: the name of this machine)")
	n.flags(cmd)
	cmd.Flags().BoolVar(&noPhrase, "no-phrase", false, "leave the recovery phrase for later")
	cmd.Flags().StringVar(&newPhraseFile, "new-phrase-file", "", "write the new words to this new file in place of the terminal")
	return cmd
}

func (a *app) createAnchor(ctx context.Context, n newDevice, noPhrase bool, newPhraseFile string) error {
	if noPhrase && newPhraseFile != "" {
		return usagef("--no-phrase and --new-phrase-file exclude each other")
	}
	if n.name == "" {
		n.name = machineName(a.Now())
	}
	if err := device.CheckName(n.name); err != nil {
		return usagef("%w", err)
	}
	nobody, err := a.openProvider(ctx)
	if err != nil {
		return err
	}
	passkey, err := n.make(a, nobody)
	if err != nil {
		return err
	}
	p, err := a.delegated(nobody, passkey)
	if err != nil {
		return err
	}
	anchor, err := a.register(ctx, p, passkeyData(n.alias, passkey))
	if err != nil {
		return n.discard(a, err)
	}
	s := &session{provider: p, anchor: anchor, signer: signer{name: n.name, key: passkey}}
	if err := a.remember(s, n.name); err != nil {
		return err
	}
	created := anchorCreated{Anchor: anchor, Device: n.name}
	text := fmt.Sprintf("anchor %d, device %q", anchor, n.name)
	if noPhrase {
		a.note("hint: kedge recovery phrase add protects the anchor against the loss of this device")
		return a.result(created, text)
	}
	view, err := a.addPhraseFile(ctx, s, nil, newPhraseFile)
	if err != nil {
		return hinted(fmt.Errorf("anchor %d is registered with device %q, but has no protected recovery phrase: %w", anchor, n.name, err),
			"kedge recovery phrase add --anchor %d --as %q", anchor, n.name)
	}
	created.Phrase = view
	return a.result(created, text+", recovery phrase protected")
}

// remember notes in the key store that a device belongs to the session's anchor.
func (a *app) remember(s *session, name string) error {
	use := device.Use{Where: s.where(), Anchor: s.anchor}
	if err := a.changeKeys(func(k *device.Keys) error { return k.Note(name, use) }); err != nil {
		return hinted(fmt.Errorf("device %q belongs to anchor %d now, but the key store could not note it: %w", name, s.anchor, err),
			"give --anchor %d --as %q to later commands", s.anchor, name)
	}
	return nil
}

// captchaAttempts is how many captchas a person may try.
const captchaAttempts = 3

// register registers an anchor, solving a captcha on the terminal if the canister wants one.
func (a *app) register(ctx context.Context, p *provider, d kedge.DeviceData) (uint64, error) {
	var answer kedge.ChallengeResult
	for range captchaAttempts + 1 {
		response, err := p.register(ctx, d, answer)
		if err != nil {
			return 0, err
		}
		switch response.Tag {
		case kedge.RegisterResponseTagRegistered:
			return response.Registered.UserNumber, nil
		case kedge.RegisterResponseTagCanisterFull:
			return 0, &refusedError{"the canister has no anchor numbers left"}
		}
		if answer, err = a.solveCaptcha(ctx, p); err != nil {
			return 0, err
		}
	}
	return 0, &refusedError{"the characters of the captcha were wrong"}
}

// solveCaptcha puts a captcha's image into a file for the person to look at.
func (a *app) solveCaptcha(ctx context.Context, p *provider) (kedge.ChallengeResult, error) {
	challenge, err := p.createChallenge(ctx)
	if err != nil {
		return kedge.ChallengeResult{}, err
	}
	image, err := base64.StdEncoding.DecodeString(challenge.PngBase64)
	if err != nil {
		return kedge.ChallengeResult{}, fmt.Errorf("the captcha is not base64: %w", err)
	}
	t, err := a.ask()
	if err != nil {
		return kedge.ChallengeResult{}, err
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("kedge-captcha-%d.png", a.Now().UnixNano()))
	if err := os.WriteFile(path, image, 0o600); err != nil {
		return kedge.ChallengeResult{}, fmt.Errorf("saving the captcha: %w", err)
	}
	defer func() { _ = os.Remove(path) }()
	chars, err := t.Line(fmt.Sprintf("characters in the picture %s: ", path), false)
	return kedge.ChallengeResult{Key: challenge.ChallengeKey, Chars: chars}, err
}

// machineName returns the name of this machine, or if it has none that will do one with the date.
func machineName(now time.Time) string {
	name, err := os.Hostname()
	if err != nil || device.CheckName(name) != nil {
		return "device-" + now.UTC().Format(time.DateOnly)
	}
	return name
}
