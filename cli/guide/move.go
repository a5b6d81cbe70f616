package guide

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// The ways to bring an anchor to another machine.
const (
	byCode   = "code"
	byPhrase = "phrase"
	byWords  = "words"

	confirmed, later = "look", "later"
)

func moving(app *session.App, root Root) *cobra.Command {
	var name, way string
	p := &path{App: app, root: root}
	cmd := &cobra.Command{
		Use:   "moving",
		Short: "use an anchor on another machine: run this on the new one",
		Long: `Run this on the new machine. Three ways bring an anchor there: a code that the old
machine confirms (code); the recovery phrase (phrase); or the words or shares of a
security key that was exported (words), which is then the same key on both machines.
It ends with the recovery report. Run it again to go on.`,
		Example: `  kedge guide moving
  kedge guide moving --anchor 10000 --way code --name laptop2
  kedge guide moving --anchor 10000 --way phrase --phrase-file words.txt --name laptop2 --yes`,
		Args: ui.Args(cobra.NoArgs),
		RunE: p.run(func(ctx context.Context, p *path) error { return p.moving(ctx, name, way) }),
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the key on this machine")
	cmd.Flags().StringVar(&way, "way", "", "code, phrase or words")
	_ = cmd.RegisterFlagCompletionFunc("way", cobra.FixedCompletions([]string{byCode, byPhrase, byWords}, cobra.ShellCompDirectiveNoFileComp))
	p.askFlags(cmd)
	app.SignerFlags(cmd)
	return cmd
}

func (p *path) moving(ctx context.Context, name, way string) error {
	nobody, err := p.OpenProvider(ctx)
	if err != nil {
		return err
	}
	if err := p.anchorAndName(&name); err != nil {
		return err
	}
	here, err := p.listed(ctx, nobody, name)
	if err != nil {
		return err
	}
	if here {
		p.note("key", there, "%q of this key store is a device of anchor %d", name, p.AnchorNumber)
	} else if here, err = p.bring(ctx, nobody, name, way); err != nil || !here {
		return err
	}
	s, err := p.openAs(ctx, nobody, name)
	if err != nil {
		return err
	}
	p.leave("old machine", "kedge guide lost-device", "if the old machine is given away, remove its key, from here")
	return p.report(ctx, s)
}

// anchorAndName asks for the number of the anchor and for the name of the key on this machine.
func (p *path) anchorAndName(name *string) error {
	key := question{flag: name, name: "name", title: "name of the key on this machine", check: func(answer string) error {
		if answer == "" {
			return ui.Usagef("--name says what the key is called on this machine")
		}
		if err := device.CheckName(answer); err != nil {
			return ui.Usagef("%w", err)
		}
		return nil
	}}
	var number string
	together := []question{key}
	if !p.AnchorGiven {
		together = append([]question{numberOfAnchor(&number)}, together...)
	}
	if err := p.form(together...); err != nil {
		return err
	}
	if err := p.whichAnchor(&number); err != nil {
		return err
	}
	if _, err := p.ask(key); err != nil {
		return err
	}
	return key.check(*name)
}

func numberOfAnchor(number *string) question {
	return question{flag: number, title: "number of the anchor", check: func(answer string) error {
		_, err := parseAnchor(answer)
		return err
	}}
}

func parseAnchor(text string) (uint64, error) {
	if text == "" {
		return 0, ui.Usagef("%w --anchor NUMBER says it", errNoAnchor)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, ui.Usagef("anchor %q is not a number", text)
	}
	return n, nil
}

// whichAnchor asks for the number of the anchor, unless a form has.
func (p *path) whichAnchor(number *string) error {
	if p.AnchorGiven {
		return nil
	}
	text, err := p.ask(numberOfAnchor(number))
	if err != nil {
		return err
	}
	n, err := parseAnchor(text)
	if err != nil {
		return err
	}
	p.AnchorNumber, p.AnchorGiven = n, true
	return nil
}

// keysOf returns the keys of the key store that a name means.
func (p *path) keysOf(name string) (found []device.StoredPasskey, err error) {
	if exists, err := p.KeysExist(); err != nil || !exists {
		return nil, err
	}
	keys, err := p.LoadKeys()
	if err != nil {
		return nil, err
	}
	for _, k := range keys.All() {
		if k.Name == name || k.Key == name {
			found = append(found, k)
		}
	}
	return found, nil
}

// listed reports whether a key of this name is a device of the anchor. Asking is a query, and so no sign of life.
func (p *path) listed(ctx context.Context, nobody *provider.Provider, name string) (bool, error) {
	key, err := p.listedKey(ctx, nobody, name)
	return key != nil, err
}

func (p *path) listedKey(ctx context.Context, nobody *provider.Provider, name string) (*device.StoredPasskey, error) {
	keys, err := p.keysOf(name)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	devices, err := nobody.Lookup(ctx, p.AnchorNumber)
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		if slices.ContainsFunc(devices, func(d kedge.LookupDevice) bool { return bytes.Equal(d.Pubkey, k.Passkey.PublicKey()) }) {
			return &keys[i], nil
		}
	}
	return nil, nil
}

// openAs opens the session of the key that was brought here.
func (p *path) openAs(ctx context.Context, nobody *provider.Provider, name string) (*session.Session, error) {
	key, err := p.listedKey(ctx, nobody, name)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("anchor %d does not list the key %q", p.AnchorNumber, name)
	}
	p.As, p.PhraseFile = key.Name, ""
	return p.OpenSession(ctx)
}

// bring brings the anchor here in one of the ways, and reports whether it is.
func (p *path) bring(ctx context.Context, nobody *provider.Provider, name, way string) (bool, error) {
	way, err := p.ask(question{flag: &way, name: "way", title: "how?", choices: []ui.Choice{
		{Answer: byCode, Label: "the old machine is at hand and confirms a code"},
		{Answer: byPhrase, Label: "the recovery phrase is at hand"},
		{Answer: byWords, Label: "the words of a security key are at hand"},
	}})
	if err != nil {
		return false, err
	}
	anchor := strconv.FormatUint(p.AnchorNumber, 10)
	switch way {
	case byPhrase:
		return p.do(ctx, "key", "make a key on this machine and add it to the anchor; the recovery phrase signs that",
			append([]string{"device", "add", name}, p.asPhrase(p.AnchorNumber, p.PhraseFile)...)...)
	case byWords:
		keys, err := p.keysOf(name)
		if err != nil {
			return false, err
		}
		if len(keys) == 0 {
			if ok, err := p.do(ctx, "seed", "type the words of the security key, and keep their seed on this machine", "key", "restore", name); err != nil || !ok {
				return false, err
			}
		}
		return p.do(ctx, "key", "find the devices of the anchor that this seed gives", "key", "find", name, "--anchor", anchor)
	case byCode:
		return p.offer(ctx, nobody, name, anchor)
	}
	return false, ui.Usagef("--way says how: code, phrase or words")
}

// offer goes the way over a code: the key is offered here and confirmed on the old machine.
func (p *path) offer(ctx context.Context, nobody *provider.Provider, name, anchor string) (bool, error) {
	p.Note("key: on the old machine, first: kedge device register-mode on --anchor %s", anchor)
	if ok, err := p.do(ctx, "key", "make a key on this machine and offer it to the anchor", "device", "register-mode", "offer", name, "--anchor", anchor); err != nil || !ok {
		return false, err
	}
	for {
		if p.alone() {
			p.leave("key", p.name, "the old machine has to confirm the code")
			return false, nil
		}
		var answer string
		_, err := p.ask(question{
			flag: &answer, about: "Type the code on the old machine, then go on here.", title: "is it confirmed?", empty: "looks", otherwise: confirmed, offered: confirmed,
			choices: []ui.Choice{{Answer: confirmed, Label: "look whether the anchor lists the key now"}, {Answer: later, Label: "go on another time"}},
		})
		if err != nil {
			return false, err
		}
		if here, err := p.listed(ctx, nobody, name); err != nil || here {
			return here, err
		}
		if answer == later {
			p.leave("key", p.name, "the old machine has to confirm the code")
			return false, nil
		}
		p.Note("the anchor does not list the key yet")
	}
}

func fromInternetIdentity(app *session.App, root Root) *cobra.Command {
	var name string
	p := &path{App: app, root: root}
	cmd := &cobra.Command{
		Use:   "from-internet-identity",
		Short: "come from Internet Identity with an anchor of a canister that was upgraded to Kedge",
		Long: `For a canister that was an Internet Identity and was upgraded to Kedge in place: the
anchor, its number and its principal at every application are as before, and so is
the recovery phrase. The passkeys of a browser keep working on the page; this machine
has none of them. So the phrase signs, a key of this machine is added, and the phrase
is protected if it is not yet. It ends with the recovery report.

An anchor of another canister, such as identity.ic0.app, cannot be taken along: its
principals belong to that canister. Operators upgrade a canister with kedge deploy;
kedge migrate plan says what that would do.`,
		Example: `  kedge guide from-internet-identity
  kedge guide from-internet-identity --network ic --canister rdmx6-jaaaa-aaaaa-aaadq-cai --anchor 10000
  kedge guide from-internet-identity --anchor 10000 --phrase-file words.txt --name laptop --yes`,
		Args: ui.Args(cobra.NoArgs),
		RunE: p.run(func(ctx context.Context, p *path) error { return p.fromInternetIdentity(ctx, name) }),
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the key on this machine")
	p.askFlags(cmd)
	app.SignerFlags(cmd)
	return cmd
}

func (p *path) fromInternetIdentity(ctx context.Context, name string) error {
	nobody, err := p.OpenProvider(ctx)
	if err != nil {
		return err
	}
	if err := p.anchorAndName(&name); err != nil {
		return err
	}
	devices, err := nobody.Lookup(ctx, p.AnchorNumber)
	if err != nil {
		return err
	}
	if len(devices) == 0 {
		return ui.Hinted(fmt.Errorf("this canister has no anchor %d", p.AnchorNumber), "the number is right only for the canister that it is from; --canister names another")
	}
	phrase := slices.IndexFunc(devices, func(d kedge.LookupDevice) bool { return d.KeyType == kedge.KeyTypeSeedPhrase })
	if phrase < 0 {
		return ui.Hinted(fmt.Errorf("anchor %d has no recovery phrase that could sign here", p.AnchorNumber),
			"kedge guide moving --way code adds a key of this machine with a browser's confirmation; kedge open opens the page")
	}
	p.note("anchor", there, "%d has %d devices, its recovery phrase among them", p.AnchorNumber, len(devices))
	phraseFile := p.PhraseFile
	here, err := p.listed(ctx, nobody, name)
	if err != nil {
		return err
	}
	if here {
		p.note("key", there, "%q of this key store is a device of the anchor", name)
	} else if ok, err := p.do(ctx, "key", "make a key on this machine and add it to the anchor; the recovery phrase signs that",
		append([]string{"device", "add", name}, p.asPhrase(p.AnchorNumber, phraseFile)...)...); err != nil || !ok {
		return err
	}
	if devices[phrase].Protection == kedge.DeviceProtectionProtected {
		p.note("phrase", there, "the recovery phrase is protected")
	} else if _, err := p.do(ctx, "phrase", "have the recovery phrase protect itself, so that no other device can remove it",
		append([]string{"device", "protect", device.ReservedName}, p.asPhrase(p.AnchorNumber, phraseFile)...)...); err != nil {
		return err
	}
	s, err := p.openAs(ctx, nobody, name)
	if err != nil {
		return err
	}
	return p.report(ctx, s)
}
