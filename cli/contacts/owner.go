package contacts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

func (a verbs) setCommand() *cobra.Command {
	var threshold uint8
	var delay string
	cmd := &cobra.Command{
		Use:   "set ANCHOR...",
		Short: "name recovery contacts, by the numbers of their anchors",
		Long: `Names one to seven anchors of other people. The signer, a protected device, agrees
to them by this call; every other protected device agrees for itself with kedge
contacts agree. What there was ends: agreements, acceptances, approvals; so each
contact has to accept anew.

Ask each person for the number, by voice or face to face.`,
		Example: `  kedge contacts set 10001 10002 10003 --as phrase
  kedge contacts set 10001 10002 10003 --threshold 2 --delay 30d --as phrase`,
		Args: ui.Args(cobra.MinimumNArgs(1)),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := ui.ParseSpan(delay)
		if err != nil {
			return err
		}
		setting := kedge.ContactsSetting{Threshold: threshold, Delay: uint64(d / time.Second)}
		for _, text := range args {
			n, err := number(text)
			if err != nil {
				return err
			}
			setting.Anchors = append(setting.Anchors, n)
		}
		if !cmd.Flags().Changed("threshold") {
			setting.Threshold = uint8(min(2, len(args)))
		}
		s, err := a.OpenSession(cmd.Context())
		if err != nil {
			return err
		}
		if err := s.ContactsSet(cmd.Context(), s.Anchor, &setting); err != nil {
			return err
		}
		a.Note("hint: each contact accepts: kedge contact accept %d", s.Anchor)
		return a.print(cmd.Context(), s, "")
	}
	cmd.Flags().Uint8Var(&threshold, "threshold", 0, "how many must approve the same new key (default 2, or 1 of a single contact)")
	cmd.Flags().StringVar(&delay, "delay", "30d", "how long a veto is possible after that, in service time: at least 7d and the session limit of the anchor (30d, see kedge session-limit), at most 365d")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) showCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "show the recovery contacts, and what to know about them",
		Long: `Shows who the contacts are, who has accepted, which keys they approve with their six
words, and which devices agree. It is a signed call, so by a protected device it
vetoes what contacts approve, as any call of such a device does.`,
		Example: `  kedge contacts show
  kedge contacts show --as phrase   # also a veto`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(cmd.Context(), s, "")
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) endCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "end",
		Short: "have no recovery contacts any more",
		Long: `Ends the contacts, with all agreements and approvals. Any protected device may do
that. Nobody can then bring the anchor back when everything is lost.`,
		Example: `  kedge contacts end --as phrase
  kedge contacts end --as phrase --yes   # for scripts`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.Confirm(fmt.Sprintf("this ends the recovery contacts of anchor %d, so nobody brings it back if all is lost", s.Anchor)); err != nil {
				return err
			}
			if err := s.ContactsSet(cmd.Context(), s.Anchor, nil); err != nil {
				return err
			}
			return a.Result(ended{s.Anchor, true}, fmt.Sprintf("anchor %d has no recovery contacts", s.Anchor))
		},
	}
	a.YesFlag(cmd)
	a.SignerFlags(cmd)
	return cmd
}

type ended struct {
	Anchor uint64 `json:"anchor"`
	Ended  bool   `json:"ended"`
}

type agreed struct {
	Anchor uint64 `json:"anchor"`
	Agrees bool   `json:"agrees"`
}

func (a verbs) agreeCommand() *cobra.Command {
	var withdraw bool
	cmd := &cobra.Command{
		Use:   "agree",
		Short: "let the signing device be released by the contacts, or withdraw",
		Long: `A recovery by the contacts releases the devices that agreed, and no others: a
protected device that did not agree stays, in whoever's hands it is. So let every
protected device agree. The contacts are shown and asked about first; another
device may have named them.`,
		Example: `  kedge contacts agree --as phone
  kedge contacts agree --withdraw --as phrase`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			if withdraw {
				if err := s.ContactsAgree(cmd.Context(), s.Anchor, false); err != nil {
					return err
				}
				return a.Result(agreed{s.Anchor, false}, fmt.Sprintf("%s does not agree to the recovery contacts of anchor %d", s.Signer, s.Anchor))
			}
			return a.agree(cmd.Context(), s)
		},
	}
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "take the agreement back; without any, the contacts end")
	a.YesFlag(cmd)
	a.SignerFlags(cmd)
	return cmd
}

// agree shows to what, asks, agrees, and sees to it that it was that.
func (a verbs) agree(ctx context.Context, s *session.Session) error {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	protected := slices.ContainsFunc(info.Devices, func(d kedge.DeviceWithUsage) bool {
		return bytes.Equal(d.Pubkey, s.Signer.Key.PublicKey()) && d.Protection == kedge.DeviceProtectionProtected
	})
	if info.Contacts != nil && protected {
		if err := a.Confirm(fmt.Sprintf("%s\n%s would be released when %s", a.namedBy(ctx, s, info), s.Signer, terms(*info.Contacts))); err != nil {
			return err
		}
	}
	if err := s.ContactsAgree(ctx, s.Anchor, true); err != nil {
		return err
	}
	after, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	if info.Contacts == nil || after.Contacts == nil || terms(*info.Contacts) != terms(*after.Contacts) {
		return errors.Join(ui.Hinted(errors.New("the recovery contacts were changed meanwhile, so the agreement is taken back"),
			"kedge contacts show, then kedge contacts agree again"), s.ContactsAgree(ctx, s.Anchor, false))
	}
	return a.Result(agreed{s.Anchor, true}, fmt.Sprintf("%s agrees to the recovery contacts of anchor %d", s.Signer, s.Anchor))
}

// namedBy says when the contacts were named, and by which device, as far as the history still knows.
func (a verbs) namedBy(ctx context.Context, s *session.Session, info kedge.IdentityAnchorInfo) string {
	text := "the history does not know any more who named the contacts"
	_, err := s.EachEvent(ctx, 0, func(e kedge.HistoryEntry) {
		if e.Kind == nil || *e.Kind != kedge.EventKindContactsSet || e.By == nil {
			return
		}
		by := ui.ShortPrincipal(*e.By) + ", which is no device of the anchor any more"
		for _, d := range info.Devices {
			if principal.SelfAuthenticating(d.Pubkey) == *e.By {
				by = session.Label(d.Alias, d.Pubkey)
			}
		}
		text = fmt.Sprintf("the contacts were named %s by %s", ui.WhenNanos(e.At, a.Now()), by)
	})
	if err != nil {
		return "the history cannot be read: " + err.Error()
	}
	return text
}

// terms says to what one agrees.
func terms(c kedge.Contacts) string {
	var numbers []string
	for _, contact := range c.Contacts {
		numbers = append(numbers, fmt.Sprint(contact.Anchor))
	}
	return fmt.Sprintf("%d of the anchors %s approve a new key and %s pass without a call of any protected device", c.Threshold, strings.Join(numbers, ", "), ui.Seconds(c.DelayS))
}
