package guide

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

func lostDevice(app *session.App, root Root) *cobra.Command {
	var lost, seen string
	p := &path{App: app, root: root}
	cmd := &cobra.Command{
		Use:   "lost-device",
		Short: "a device was lost or stolen: remove it, and replace the phrase if it may have been read",
		Long: `Asks which device is lost, removes it as a device that you still have or as the
recovery phrase (--as), and says how long its sessions at applications go on. If
somebody may have read the recovery phrase, it puts a new one in its place. It ends
with the recovery report. A device that is gone already is no failure, so it can be
run again.`,
		Example: `  kedge guide lost-device
  kedge guide lost-device --as phrase --anchor 10000
  kedge guide lost-device --device "old phone" --phrase-read no --yes`,
		Args: ui.Args(cobra.NoArgs),
		RunE: p.run(func(ctx context.Context, p *path) error { return p.lostDevice(ctx, lost, seen) }),
	}
	cmd.Flags().StringVar(&lost, "device", "", "the lost device: an alias, a name in the key store, a principal or a public key")
	cmd.Flags().StringVar(&seen, "phrase-read", "", "yes or no: may somebody have read the recovery phrase?")
	p.askFlags(cmd)
	app.SignerFlags(cmd)
	return cmd
}

func (p *path) lostDevice(ctx context.Context, lost, seen string) error {
	s, err := p.someSession(ctx)
	if err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	which := p.whichLost(s, info.Devices, &lost)
	wasRead := question{
		flag: &seen, name: "phrase-read", title: "may somebody have read the recovery phrase?", empty: "is no", otherwise: ui.AnswerNo, offered: ui.AnswerNo, choices: yesOrNo,
	}
	var together []question
	if lost == "" {
		together = append(together, which)
	}
	if phraseOf(info.Devices) != nil {
		together = append(together, wasRead)
	}
	if err := p.form(together...); err != nil {
		return err
	}
	if err := p.removeLost(ctx, s, info, which); err != nil {
		return err
	}
	if phrase := phraseOf(info.Devices); phrase != nil {
		read, err := p.ask(wasRead)
		if err != nil {
			return err
		}
		if read == ui.AnswerYes {
			if err := p.replaceRead(ctx, s); err != nil {
				return err
			}
		}
	}
	return p.report(ctx, s)
}

// replaceRead puts a new recovery phrase in the place of one that somebody may have read.
func (p *path) replaceRead(ctx context.Context, s *session.Session) error {
	args := append([]string{"recovery", "phrase", "add", "--replace"}, p.asPhrase(s.Anchor, p.PhraseFile)...)
	ok, err := p.do(ctx, "phrase", "put a new recovery phrase in the place of the one that was read; the old one signs that", args...)
	if ok && s.Signer.IsPhrase() { // the words that were typed are no device any more
		p.ForgetPhrase()
	}
	return err
}

func (p *path) removeLost(ctx context.Context, s *session.Session, info kedge.IdentityAnchorInfo, which question) error {
	found, err := p.chooseLost(s, info.Devices, which)
	if err != nil || found == nil {
		return err
	}
	name := session.Label(found.Alias, found.Pubkey)
	key := principal.SelfAuthenticating(found.Pubkey).Text()
	switch {
	case bytes.Equal(found.Pubkey, s.Signer.Key.PublicKey()):
		return ui.Hinted(fmt.Errorf("%s is the device that signs", name), "sign with one that you still have: --as NAME, or --as phrase")
	case protected(*found):
		return p.releaseLost(ctx, s, *found)
	}
	_, err = p.do(ctx, "removal", fmt.Sprintf("remove %s from the anchor; sessions that it opened at applications end by themselves", name),
		append([]string{"device", "remove", key}, p.signer(s)...)...)
	return err
}

// whichLost asks which device is lost, by its place in a list. The flag names it instead.
func (p *path) whichLost(s *session.Session, devices []kedge.DeviceWithUsage, lost *string) question {
	q := question{flag: lost, title: "which device is lost?", empty: "is none of them", otherwise: none, offered: none}
	for i, d := range devices {
		label := session.Label(d.Alias, d.Pubkey) + ", " + session.Kind(d.KeyType)
		if protected(d) {
			label += ", protected"
		}
		if bytes.Equal(d.Pubkey, s.Signer.Key.PublicKey()) {
			label += ", signs now"
		}
		q.choices = append(q.choices, ui.Choice{Answer: strconv.Itoa(i + 1), Label: label})
	}
	q.choices = append(q.choices, ui.Choice{Answer: none, Label: "none of these"})
	return q
}

// chooseLost returns the device that the flag names, or that the person chooses; nil if there is none of that
// name any more.
func (p *path) chooseLost(s *session.Session, devices []kedge.DeviceWithUsage, which question) (*kedge.DeviceWithUsage, error) {
	lost := *which.flag
	if lost == "" || p.answered(which) {
		if p.alone() {
			return nil, ui.Usagef("--device says which device is lost")
		}
		answer, err := p.ask(which)
		if err != nil {
			return nil, err
		}
		if answer == none {
			p.note("removal", there, "none of the devices is lost")
			return nil, nil
		}
		i, err := strconv.Atoi(answer)
		if err != nil {
			return nil, err
		}
		return &devices[i-1], nil
	}
	found, err := p.MatchDevice(s, devices, lost)
	if err != nil {
		for _, d := range devices {
			if d.Alias == lost {
				return nil, err // several are called so
			}
		}
		p.note("removal", there, "the anchor has no device %q (any more)", lost)
		return nil, nil
	}
	return &found.Device, nil
}

// releaseLost goes the way of a protected device that is lost: nobody removes it but itself, unless it
// consented to its release.
func (p *path) releaseLost(ctx context.Context, s *session.Session, lost kedge.DeviceWithUsage) error {
	name := session.Label(lost.Alias, lost.Pubkey)
	key := principal.SelfAuthenticating(lost.Pubkey).Text()
	own := ownAsker(lost.Release, s.Signer.Key.PublicKey())
	switch {
	case own == nil:
		p.leave("release", "", "%s is protected, so it alone removes itself, and it did not consent to its release by %s; whoever has it needs its passphrase, pin or words to use it", name, s.Signer)
		return nil
	case own.CompletesInS == nil:
		if ok, err := p.do(ctx, "release", fmt.Sprintf("ask for the release of %s, which takes %s if nothing is heard of it", name, ui.Seconds(lost.Release.DelayS)),
			append([]string{"release", "request", key}, p.signer(s)...)...); err != nil || !ok {
			return err
		}
		p.leave("removal", p.name, "when the delay is over, in %s", ui.Seconds(lost.Release.DelayS))
		return nil
	case *own.CompletesInS > 0:
		p.leave("removal", p.name, "the release was asked for; %s of service time are left", ui.Seconds(*own.CompletesInS))
		return nil
	}
	if ok, err := p.do(ctx, "release", fmt.Sprintf("complete the release of %s", name), append([]string{"release", "complete", key}, p.signer(s)...)...); err != nil || !ok {
		return err
	}
	if lost.KeyType == kedge.KeyTypeSeedPhrase {
		return nil // its replacement comes next
	}
	_, err := p.do(ctx, "removal", fmt.Sprintf("remove %s from the anchor", name), append([]string{"device", "remove", key}, p.signer(s)...)...)
	return err
}

// ownAsker returns the asker of a consent that has a key, nil if none has.
func ownAsker(r *kedge.Release, key []byte) *kedge.Asker {
	if r == nil {
		return nil
	}
	for i, a := range r.Askers {
		if bytes.Equal(a.Pubkey, key) {
			return &r.Askers[i]
		}
	}
	return nil
}

func lostPhrase(app *session.App, root Root) *cobra.Command {
	var newFile string
	p := &path{App: app, root: root}
	cmd := &cobra.Command{
		Use:   "lost-phrase",
		Short: "the recovery phrase was lost: release it and put a new one in its place",
		Long: `Says which way back there is while you still have a device, and takes it: a phrase
that is not protected is replaced at once; a protected one that consented to its
release is asked for, and replaced when its delay is over; recovery contacts bring
the anchor back otherwise. Where there is none of these, nobody can replace the
phrase, and it says so. Run it again to go on.`,
		Example: `  kedge guide lost-phrase
  kedge guide lost-phrase --as laptop --yes
  kedge guide lost-phrase --new-phrase-file words.txt --yes --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: p.run(func(ctx context.Context, p *path) error { return p.lostPhrase(ctx, newFile) }),
	}
	cmd.Flags().StringVar(&newFile, "new-phrase-file", "", "write the words of the new phrase to this new file in place of the terminal")
	p.askFlags(cmd)
	app.SignerFlags(cmd)
	return cmd
}

func (p *path) lostPhrase(ctx context.Context, newFile string) error {
	s, err := p.OpenSession(ctx)
	if err != nil {
		return err
	}
	if s.Signer.IsPhrase() {
		return ui.Hinted(fmt.Errorf("the phrase signs, so it is not lost"), "to replace one that somebody may have read: kedge recovery phrase add --replace --as phrase")
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	phrase := phraseOf(info.Devices)
	if phrase != nil && protected(*phrase) {
		own := ownAsker(phrase.Release, s.Signer.Key.PublicKey())
		if own == nil && info.Contacts != nil {
			p.leave("contacts", fmt.Sprintf("kedge recover --anchor %d", s.Anchor), "the phrase named no device of this key store; your recovery contacts can bring the anchor back with a new key, and the phrase is released then")
			return p.report(ctx, s)
		}
		if err := p.releaseLost(ctx, s, *phrase); err != nil {
			return err
		}
		if info, err = s.AnchorInfo(ctx, s.Anchor); err != nil {
			return err
		}
		if phrase = phraseOf(info.Devices); phrase != nil && protected(*phrase) {
			return p.report(ctx, s)
		}
	}
	args := append([]string{"recovery", "phrase", "add"}, p.signer(s)...)
	says := "make a recovery phrase and protect it"
	if phrase != nil {
		args, says = append(args, "--replace"), "put a new recovery phrase in the place of the lost one, and protect it"
	}
	if newFile != "" {
		args = append(args, "--new-phrase-file", newFile)
	}
	if _, err := p.do(ctx, "phrase", says, args...); err != nil {
		return err
	}
	return p.report(ctx, s)
}
