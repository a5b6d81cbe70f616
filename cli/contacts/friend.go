package contacts

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/sixwords"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// acted is the result of what a contact does.
type acted struct {
	Anchor   uint64               `json:"anchor"` // the owner's
	As       uint64               `json:"as"`
	Accepted bool                 `json:"accepted"`
	Approves *principal.Principal `json:"approves"`
	Listed   bool                 `json:"listed"`
}

func (a verbs) acceptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accept OWNER",
		Short: "accept to be a recovery contact",
		Long: `Accepts once, after the owner has named you; so the owner knows that the number was
right. Nothing of it is written on your own anchor.`,
		Example: `  kedge contact accept 10000
  kedge contact accept 10000 --as laptop --anchor 10001`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, owner, err := a.friend(cmd, args[0])
			if err != nil {
				return err
			}
			if err := s.ContactAccept(cmd.Context(), owner, s.Anchor); err != nil {
				return about(owner, err)
			}
			return a.Result(acted{Anchor: owner, As: s.Anchor, Accepted: true, Listed: true},
				fmt.Sprintf("anchor %d is a recovery contact of anchor %d; one day its owner may call you: believe the voice and nothing in writing", s.Anchor, owner))
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

// friend opens the session of a contact and reads the number of the owner's anchor.
func (a verbs) friend(cmd *cobra.Command, text string) (*session.Session, uint64, error) {
	owner, err := number(text)
	if err != nil {
		return nil, 0, err
	}
	s, err := a.OpenSession(cmd.Context())
	return s, owner, err
}

// about says of a number that was never registered that it is the owner's, and not the contact's own.
func about(owner uint64, err error) error {
	var refused *provider.RefusedError
	if errors.As(err, &refused) && refused.Coded && refused.Code == kedge.ErrorCodeNoSuchAnchor {
		return ui.Hinted(err, "%d is meant to be the owner's anchor; ask the owner for its number, --anchor is your own", owner)
	}
	return err
}

// attempts is how often words that cannot be read may be typed.
const attempts = 3

func (a verbs) approveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "approve OWNER [KEY]",
		Short: "approve the owner's new key, whose six words you have heard",
		Long: `KEY is the principal of the new key, as the owner sent it; it may come by any way,
since it proves nothing. Without it, the six words are compared with the keys that
other contacts approve.

Call the owner, or be called, so that you know the voice, and type the six words
as you hear them. Whoever sends you words in writing may be somebody else. If
they are not those of the key, nothing is sent.

A new key takes the place of one that you approved before.`,
		Example: `  kedge contact approve 10000 sujxp-xpuw2-ot6w5-af6uq-5wgtw-khvph-ciq7n-ga5dq-q63oi-c6wev-pqe
  kedge contact approve 10000 sujxp-xpuw2-ot6w5-af6uq-5wgtw-khvph-ciq7n-ga5dq-q63oi-c6wev-pqe --words-file -`,
		Args: ui.Args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.approve(cmd, args, file) },
	}
	cmd.Flags().StringVar(&file, "words-file", "", "file with the six words in place of the terminal, - for standard input; for scripts")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) approve(cmd *cobra.Command, args []string, file string) error {
	var keys []principal.Principal
	if len(args) == 2 {
		key, err := principal.Parse(args[1])
		if err != nil {
			return ui.Usagef("%q is not the principal of a key: %w", args[1], err)
		}
		keys = append(keys, key)
	}
	s, owner, err := a.friend(cmd, args[0])
	if err != nil {
		return err
	}
	status, err := s.ContactStatus(cmd.Context(), owner, &s.Anchor)
	if err != nil {
		return about(owner, err)
	}
	if status.Accepted != nil && !*status.Accepted {
		code := kedge.ErrorCodeNotAccepted
		return provider.Refusal(kedge.Error{Code: &code, Message: fmt.Sprintf("anchor %d has not accepted to be a recovery contact of anchor %d yet", s.Anchor, owner)})
	}
	if len(keys) == 0 {
		for _, approval := range status.Approvals {
			keys = append(keys, approval.Key)
		}
		if len(keys) == 0 {
			return ui.Hinted(fmt.Errorf("no contact of anchor %d approves a key yet, so the words have nothing to be compared with", owner),
				"ask the owner for the principal of the new key and give it: kedge contact approve %d PRINCIPAL", owner)
		}
	}
	if status.Approves != nil && !slices.Contains(keys, *status.Approves) {
		a.Warn("anchor %d approves the key %s for anchor %d now; another takes its place", s.Anchor, *status.Approves, owner)
	}
	words, err := a.hear(owner, file)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !sixwords.Match(words, owner, key) {
			continue
		}
		if err := s.ContactApprove(cmd.Context(), owner, s.Anchor, key); err != nil {
			return err
		}
		return a.Result(acted{Anchor: owner, As: s.Anchor, Accepted: true, Approves: &key, Listed: true},
			fmt.Sprintf("anchor %d approves the key %s for anchor %d", s.Anchor, key, owner))
	}
	return ui.Hinted(errors.New("these are not the six words of the key, and nothing was sent"),
		"call the owner, by a number that you have known for long, and compare again; if a stranger sent you the key, tell the owner")
}

// hear asks for the six words, or reads them from a file.
func (a verbs) hear(owner uint64, file string) ([]string, error) {
	if file != "" {
		words, err := a.readWords(file)
		if err != nil {
			return nil, ui.Hinted(fmt.Errorf("--words-file %q: %w", file, err), "the file has the six words and nothing else")
		}
		return words, nil
	}
	t, err := a.OpenTerminalOnce()
	if err != nil {
		return nil, &ui.Error{Err: fmt.Errorf("nobody is there to type the six words: %w", err), Hint: "--words-file - reads them from standard input", Code: ui.ExitNotAsked}
	}
	prompt := fmt.Sprintf("type the six words only as you hear them from the owner of anchor %d, whose voice you know\nsix words: ", owner)
	for try := 1; ; try++ {
		typed, err := t.Line(prompt)
		if err != nil {
			return nil, err
		}
		words, err := sixwords.Parse(typed)
		if err == nil {
			return words, nil
		}
		if try == attempts {
			return nil, ui.Hinted(fmt.Errorf("%w; nothing was sent", err), "ask for the words again, one by one")
		}
		a.Warn("%v; ask for the words again", err)
		prompt = "six words: "
	}
}

// wordsLimit bounds a file of words in bytes; six take at most 54.
const wordsLimit = 1024

func (a verbs) readWords(path string) ([]string, error) {
	in := a.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, wordsLimit))
	if err != nil {
		return nil, err
	}
	return sixwords.Parse(string(data))
}

func (a verbs) withdrawCommand() *cobra.Command {
	var resign bool
	cmd := &cobra.Command{
		Use:   "withdraw OWNER",
		Short: "take your approval back, or resign as a contact",
		Long: `Takes back that you approve a new key; it then lacks an approval, and its delay begins
anew if another contact takes your place. What a protected device approved, only a
protected one takes back.`,
		Example: `  kedge contact withdraw 10000
  kedge contact withdraw 10000 --resign   # and be no contact any more`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, owner, err := a.friend(cmd, args[0])
			if err != nil {
				return err
			}
			if err := s.ContactWithdraw(cmd.Context(), owner, s.Anchor, resign); err != nil {
				return about(owner, err)
			}
			text := fmt.Sprintf("anchor %d approves no key for anchor %d", s.Anchor, owner)
			if resign {
				text = fmt.Sprintf("anchor %d is no recovery contact of anchor %d any more", s.Anchor, owner)
			}
			return a.Result(acted{Anchor: owner, As: s.Anchor, Accepted: !resign, Listed: !resign}, text)
		},
	}
	cmd.Flags().BoolVar(&resign, "resign", false, "be no contact any more; if too few are left, the owner has none")
	a.SignerFlags(cmd)
	return cmd
}

type statusView struct {
	Anchor    uint64               `json:"anchor"` // the owner's
	As        uint64               `json:"as"`
	Accepted  bool                 `json:"accepted"`
	Approves  *principal.Principal `json:"approves"`
	Words     []string             `json:"words,omitempty"` // of the key that the contact itself approves
	Approvals []approvalView       `json:"approvals"`
}

type approvalView struct {
	Key          principal.Principal `json:"key"`
	Count        uint8               `json:"count"`
	CompletesInS *uint64             `json:"completes_in_s"` // null while too few approve it
}

func (a verbs) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status OWNER",
		Short: "show whether you are a contact, and which keys are approved",
		Long: `Shows the keys that the contacts of OWNER approve, with counts and times. The six
words of a key are shown once you approve it yourself: before, you hear them.`,
		Example: `  kedge contact status 10000
  kedge contact status 10000 --json`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, owner, err := a.friend(cmd, args[0])
			if err != nil {
				return err
			}
			status, err := s.ContactStatus(cmd.Context(), owner, &s.Anchor)
			if err != nil {
				return about(owner, err)
			}
			view := statusView{Anchor: owner, As: s.Anchor, Accepted: status.Accepted != nil && *status.Accepted, Approves: status.Approves, Approvals: []approvalView{}}
			if view.Approves != nil {
				view.Words = sixwords.Of(owner, *view.Approves)
			}
			for _, approval := range status.Approvals {
				view.Approvals = append(view.Approvals, approvalView(approval))
			}
			return a.Result(view, view.text())
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func (v statusView) text() string {
	text := fmt.Sprintf("anchor %d is a recovery contact of anchor %d and has accepted", v.As, v.Anchor)
	if !v.Accepted {
		text = fmt.Sprintf("anchor %d is named as a recovery contact of anchor %d and has not accepted yet: kedge contact accept %d", v.As, v.Anchor, v.Anchor)
	}
	if len(v.Approvals) == 0 {
		return text + "\nno contact approves a key"
	}
	for _, approval := range v.Approvals {
		text += fmt.Sprintf("\nthe key %s has %s; %s", approval.Key, ui.Count(int(approval.Count), "approval"), timeLeft(approval.CompletesInS))
		if v.Approves != nil && approval.Key == *v.Approves {
			text += "\n  yours is among them; six words: " + strings.Join(v.Words, " ")
		}
	}
	return text
}

// timeLeft says when a key may complete.
func timeLeft(seconds *uint64) string {
	switch {
	case seconds == nil:
		return "that is not enough yet"
	case *seconds == 0:
		return "it may complete now"
	}
	return "it may complete in " + ui.Remaining(*seconds)
}
