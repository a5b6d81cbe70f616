package guide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// none is the answer that leaves an optional step out.
const none = "none"

type setupAnswers struct {
	device, module, newPhraseFile, second, consent, contact string
	contacts                                                []string // given by a flag, each
}

func setup(app *session.App, root Root) *cobra.Command {
	var o setupAnswers
	p := &path{App: app, root: root}
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "be led through the first set-up: network, anchor, phrase, second key, consent, contacts",
		Long: `Asks plain questions and makes what is missing: a network that answers, a canister,
an anchor with a key of this machine, a protected recovery phrase, a second key,
consent to a timed release of the phrase, and recovery contacts. It ends with the
recovery report.

Each step looks at what is really there, says what it will do and by which command,
and asks. Ctrl-C leaves it at any question; kedge setup goes on from there. Flags
give the same answers. Without a terminal --yes is needed, and optional steps that no
flag answers are left and listed.`,
		Example: `  kedge setup
  kedge setup --network ic --canister rdmx6-jaaaa-aaaaa-aaadq-cai
  kedge setup --yes --device laptop --new-phrase-file words.txt --second none --consent 30d --contact none --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: p.run(func(ctx context.Context, p *path) error {
			o.contact = strings.Join(o.contacts, " ")
			return o.walk(ctx, p)
		}),
	}
	cmd.Flags().StringVar(&o.device, "device", "", "name of the key of this machine (default: the name of the machine)")
	cmd.Flags().StringVar(&o.module, "module", "", "module to deploy on a network of this machine (default: what make build made)")
	cmd.Flags().StringVar(&o.newPhraseFile, "new-phrase-file", "", "write the words of a new phrase to this new file in place of the terminal")
	cmd.Flags().StringVar(&o.second, "second", "", "name of a second key to make here, or none")
	cmd.Flags().StringVar(&o.consent, "consent", "", "delay after which this machine's key may release the phrase, such as 30d, or none")
	cmd.Flags().StringArrayVar(&o.contacts, "contact", nil, "anchor of a recovery contact, or none; may be given several times")
	p.askFlags(cmd)
	app.SignerFlags(cmd)
	return cmd
}

func (o *setupAnswers) walk(ctx context.Context, p *path) error {
	if err := p.judgeFlags(o.deviceName(), o.secondKey(), o.releaseDelay(p), o.whichContacts()); err != nil {
		return err
	}
	if ok, err := p.haveNetwork(ctx, o.module); err != nil || !ok {
		return err
	}
	s, err := o.haveAnchor(ctx, p)
	if err != nil || s == nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	if err := p.form(o.open(p, s, info)...); err != nil {
		return err
	}
	for _, next := range []func(context.Context, *path, *session.Session, kedge.IdentityAnchorInfo) error{
		o.havePhrase, o.haveSecond, o.haveConsent, o.haveContacts,
	} {
		info, err := s.AnchorInfo(ctx, s.Anchor)
		if err != nil {
			return err
		}
		if err := next(ctx, p, s, info); err != nil {
			return err
		}
	}
	return p.report(ctx, s)
}

// haveNetwork sees to a network that answers and a canister on it. On this machine it starts and deploys.
func (p *path) haveNetwork(ctx context.Context, module string) (bool, error) {
	network, err := p.OpenNetwork(ctx)
	local := p.NetworkName() == session.Local
	var unreachable *client.UnreachableError
	switch {
	case err == nil:
		p.note("network", there, "%s answers", network.URL)
	case errors.As(err, &unreachable) && local:
		if ok, err := p.do(ctx, "network", "start the local network, in the background", "network", "start", "--background"); err != nil || !ok {
			return false, err
		}
		if network, err = p.OpenNetwork(ctx); err != nil {
			return false, err
		}
	default:
		return false, err
	}
	id, err := p.FindCanister()
	if err == nil {
		err = p.answers(ctx, network, id)
	}
	var reject *client.Reject
	switch {
	case err == nil:
		p.note("canister", there, "%s", id.ID)
		return true, nil
	case network.IsLocal() && (errors.Is(err, session.ErrNoCanister) || errors.As(err, &reject) && reject.ErrorCode == "IC0301"):
		args := []string{"deploy"}
		if module != "" {
			args = append(args, module)
		}
		return p.do(ctx, "canister", "make a canister on this machine's network and install Kedge", args...)
	}
	return false, err
}

// answers asks whether the canister is there.
func (p *path) answers(ctx context.Context, network client.Network, id project.Known) error {
	c, err := client.New(network, client.Anonymous())
	if err != nil {
		return err
	}
	exists, err := c.Exists(ctx, id.ID)
	if err == nil && !exists {
		err = &client.Reject{Code: 3, ErrorCode: "IC0301", Message: fmt.Sprintf("there is no canister %s", id.ID)}
	}
	return err
}

// haveAnchor returns the session of the anchor that is there or was made; nil if it was left for later.
func (o *setupAnswers) haveAnchor(ctx context.Context, p *path) (*session.Session, error) {
	known, err := p.knowsAnchor(ctx)
	if err != nil {
		return nil, err
	}
	if !known {
		if err := p.form(o.deviceName(), o.secondKey(), o.releaseDelay(p), o.whichContacts()); err != nil {
			return nil, err
		}
		name, err := p.ask(o.deviceName())
		if err != nil {
			return nil, err
		}
		args := []string{"anchor", "create", "--no-phrase"}
		if name != "" {
			args = append(args, "--device", name)
		}
		if ok, err := p.do(ctx, "anchor", "make a key in the key store of this machine, and register an anchor with it", args...); err != nil || !ok {
			return nil, err
		}
	}
	s, err := p.OpenSession(ctx)
	if err == nil && known {
		p.note("anchor", there, "%d, and %s signs", s.Anchor, s.Signer)
	}
	return s, err
}

// knowsAnchor reports whether there is an anchor to go on with: one that was named, or that the key store has a
// key of.
func (p *path) knowsAnchor(ctx context.Context) (bool, error) {
	if p.AnchorGiven || p.Setting(p.As, "KEDGE_AS", "") != "" || p.PhraseFile != "" {
		return true, nil
	}
	if exists, err := p.KeysExist(); err != nil || !exists {
		return false, err
	}
	nobody, err := p.OpenProvider(ctx)
	if err != nil {
		return false, err
	}
	keys, err := p.LoadKeys()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(keys.All(), func(k device.StoredPasskey) bool {
		return slices.ContainsFunc(k.Uses, func(u device.Use) bool { return u.Where == nobody.Where() })
	}), nil
}

func (o *setupAnswers) deviceName() question {
	return question{flag: &o.device, name: "device", title: "name of the key of this machine", empty: "takes the name of the machine", check: func(answer string) error {
		if answer == "" {
			return nil
		}
		return device.CheckName(answer)
	}}
}

func (o *setupAnswers) secondKey() question {
	return question{
		flag: &o.second, name: "second", title: "name of a second key here", empty: "leaves it", otherwise: none,
		about: `A key on another machine or phone survives the loss of this one: there, kedge guide moving.
A second key here is lost together with this machine.`,
		check: device.CheckName,
	}
}

func (o *setupAnswers) releaseDelay(p *path) question {
	return question{
		flag: &o.consent, name: "consent", title: "delay of a release of the phrase, 30d or more", empty: "takes 30d, none leaves it", otherwise: p.unasked("30d"), offered: p.unasked("30d"),
		about: `If the paper is lost, this machine's key can end the protection of the phrase, after a
delay in which the phrase can stop it.`,
		check: func(answer string) error {
			if answer == none {
				return nil
			}
			_, err := ui.ParseSpan(answer)
			return err
		},
	}
}

func (o *setupAnswers) whichContacts() question {
	return question{
		flag: &o.contact, name: "contact", title: "anchors of recovery contacts, with blanks between", empty: "leaves it", otherwise: none,
		about: `If everything is lost, people whom you trust can bring the anchor back, slowly. Ask each for
the number of their anchor.`,
		check: func(answer string) error {
			for _, text := range strings.Fields(answer) {
				if _, err := parseAnchor(text); answer != none && err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// open are the questions that an anchor leaves open, once it has a phrase.
func (o *setupAnswers) open(p *path, s *session.Session, info kedge.IdentityAnchorInfo) (questions []question) {
	if len(o.others(s, info)) == 0 {
		questions = append(questions, o.secondKey())
	}
	if phrase := phraseOf(info.Devices); (phrase == nil || phrase.Release == nil) && !s.Signer.IsPhrase() {
		questions = append(questions, o.releaseDelay(p))
	}
	if info.Contacts == nil {
		questions = append(questions, o.whichContacts())
	}
	return questions
}

// others are the devices beside the signer and the phrase.
func (o *setupAnswers) others(s *session.Session, info kedge.IdentityAnchorInfo) []kedge.DeviceWithUsage {
	return slices.DeleteFunc(slices.Clone(info.Devices), func(d kedge.DeviceWithUsage) bool {
		return d.KeyType == kedge.KeyTypeSeedPhrase || bytes.Equal(d.Pubkey, s.Signer.Key.PublicKey())
	})
}

func (o *setupAnswers) havePhrase(ctx context.Context, p *path, s *session.Session, info kedge.IdentityAnchorInfo) error {
	phrase := phraseOf(info.Devices)
	switch {
	case phrase != nil && protected(*phrase):
		p.note("phrase", there, "the anchor has a recovery phrase, and it is protected")
		return nil
	case phrase != nil:
		_, err := p.do(ctx, "phrase", "have the recovery phrase protect itself, so that no other device can remove it",
			append([]string{"device", "protect", device.ReservedName}, p.asPhrase(s.Anchor, p.PhraseFile)...)...)
		return err
	}
	args := append([]string{"recovery", "phrase", "add"}, p.signer(s)...)
	if o.newPhraseFile != "" {
		args = append(args, "--new-phrase-file", o.newPhraseFile)
	}
	_, err := p.do(ctx, "phrase", "make a recovery phrase of 24 words to write on paper, and protect it", args...)
	return err
}

func (o *setupAnswers) haveSecond(ctx context.Context, p *path, s *session.Session, info kedge.IdentityAnchorInfo) error {
	if others := o.others(s, info); len(others) > 0 {
		p.note("second key", there, "the anchor has %d more", len(others))
		return nil
	}
	name, err := p.ask(o.secondKey())
	if err != nil {
		return err
	}
	if name == none {
		p.leave("second key", "kedge guide moving", "on the other machine")
		return nil
	}
	_, err = p.do(ctx, "second key", "make a second key in the key store of this machine; it is lost together with the first",
		append([]string{"device", "add", name}, p.signer(s)...)...)
	return err
}

func (o *setupAnswers) haveConsent(ctx context.Context, p *path, s *session.Session, info kedge.IdentityAnchorInfo) error {
	phrase := phraseOf(info.Devices)
	consent := fmt.Sprintf("kedge release consent --delay 30d --asker DEVICE --as phrase --anchor %d", s.Anchor)
	switch {
	case phrase == nil || !protected(*phrase):
		return nil // there is nothing to release
	case phrase.Release != nil:
		p.note("consent", there, "the phrase consented to its release after %s", ui.Seconds(phrase.Release.DelayS))
		return nil
	case s.Signer.IsPhrase():
		p.leave("consent", consent, "a device other than the phrase has to be named")
		return nil
	}
	delay, err := p.ask(o.releaseDelay(p))
	if err != nil {
		return err
	}
	if delay == none {
		p.leave("consent", consent, "the way back from a lost phrase")
		return nil
	}
	_, err = p.do(ctx, "consent", "have the phrase consent to its release, if this machine's key asks and nothing is heard of the phrase for "+delay,
		append([]string{"release", "consent", "--delay", delay, "--asker", s.Signer.Name}, o.phraseFlags(p, s.Anchor)...)...)
	return err
}

// unasked is what a question answers itself: a person is offered it, and nothing is taken for granted where
// nobody is.
func (p *path) unasked(offered string) string {
	if p.alone() {
		return none
	}
	return offered
}

// phraseFlags have the phrase sign, with the file that this run wrote it to if it did.
func (o *setupAnswers) phraseFlags(p *path, anchor uint64) []string {
	file := p.PhraseFile
	if file == "" {
		file = o.newPhraseFile
	}
	return p.asPhrase(anchor, file)
}

func (o *setupAnswers) haveContacts(ctx context.Context, p *path, s *session.Session, info kedge.IdentityAnchorInfo) error {
	phrase := phraseOf(info.Devices)
	switch {
	case phrase == nil || !protected(*phrase):
		return nil // only a protected device names contacts
	case info.Contacts != nil:
		p.note("contacts", there, "the anchor has %d recovery contacts", len(info.Contacts.Contacts))
		return nil
	}
	answer, err := p.ask(o.whichContacts())
	if err != nil {
		return err
	}
	if answer == none {
		p.leave("contacts", "kedge contacts set NUMBER NUMBER NUMBER --as phrase", "the way back where everything is lost")
		return nil
	}
	_, err = p.do(ctx, "contacts", "have the phrase name these anchors as recovery contacts",
		append(append([]string{"contacts", "set"}, strings.Fields(answer)...), o.phraseFlags(p, s.Anchor)...)...)
	return err
}
