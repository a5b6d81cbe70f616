package signin

import (
	"encoding/hex"
	"fmt"
	"slices"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"

	"github.com/spf13/cobra"
)

type matchView struct {
	Anchor    uint64 `json:"anchor"`
	PublicKey string `json:"public_key,omitempty"`
	Proven    *bool  `json:"proven"`
	Contacts  *bool  `json:"recovery_contacts,omitempty"` // whether there are any; for the signer's own anchors
}

func (a verbs) lookupCommand() *cobra.Command {
	var credentialID string
	cmd := &cobra.Command{
		Use:   "lookup",
		Short: "find the anchors of the signer, or those that list a credential id",
		Long: `Anybody can list anybody's public key or credential id on an anchor of their own,
so every match is shown and none is chosen. Proven means that the device has
itself signed a call on that anchor.`,
		Example: `  kedge lookup --as phrase
  kedge lookup --as laptop --anchor 10000    # is it a device of that one?
  kedge lookup --credential-id 7f3a…`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if credentialID != "" {
				return a.lookupCredential(cmd, credentialID)
			}
			return a.lookupSigner(cmd)
		},
	}
	cmd.Flags().StringVar(&credentialID, "credential-id", "", "WebAuthn credential id in hexadecimal; needs no signer")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) lookupCredential(cmd *cobra.Command, text string) error {
	id, err := hex.DecodeString(text)
	if err != nil || len(id) == 0 {
		return ui.Usagef("--credential-id %q is not hexadecimal", text)
	}
	if a.As != "" || a.PhraseFile != "" {
		return ui.Usagef("--credential-id needs no signer; leave --as and --phrase-file out")
	}
	p, err := a.OpenProvider(cmd.Context())
	if err != nil {
		return err
	}
	matches, err := p.LookupByCredential(cmd.Context(), id)
	if err != nil {
		return err
	}
	views := []matchView{}
	rows := [][]string{{"ANCHOR", "PROVEN"}}
	if a.AnchorGiven {
		matches = slices.DeleteFunc(matches, func(m kedge.CredentialMatch) bool { return m.Anchor != a.AnchorNumber })
	}
	for _, m := range matches {
		views = append(views, matchView{Anchor: m.Anchor, PublicKey: hex.EncodeToString(m.Pubkey), Proven: &m.Proven})
		rows = append(rows, []string{fmt.Sprint(m.Anchor), ui.YesNo(m.Proven)})
	}
	if len(matches) > 1 {
		a.Warn("%d anchors list this credential id; only its owner knows which is the right one", len(matches))
	}
	if len(matches) == 0 {
		return a.Result(views, fmt.Sprintf("this credential id is not listed on %s", a.AnyAnchor()))
	}
	return a.Result(views, ui.Table(rows))
}

func (a verbs) lookupSigner(cmd *cobra.Command) error {
	nobody, err := a.OpenProvider(cmd.Context())
	if err != nil {
		return err
	}
	who, err := a.ChooseSigner(nobody.Where())
	if err != nil {
		return err
	}
	p, err := a.Delegated(nobody, who.Key)
	if err != nil {
		return err
	}
	listings, err := a.Listings(cmd.Context(), p, who.Key.PublicKey())
	if err != nil {
		return err
	}
	views := []matchView{}
	rows := [][]string{{"ANCHOR", "PROVEN"}}
	contacts := false
	for _, l := range listings {
		if a.AnchorGiven && l.Anchor != a.AnchorNumber {
			continue
		}
		view := matchView{Anchor: l.Anchor, Proven: &l.Proven}
		row := []string{fmt.Sprint(l.Anchor), ui.YesNo(l.Proven)}
		// The report is a query, which is no sign of life.
		if report, err := p.RecoveryReport(cmd.Context(), l.Anchor); err == nil && l.Proven {
			has := report.Warnings != nil
			view.Contacts = &has
			row = append(row, ui.YesNo(has))
			contacts = contacts || has
			if has {
				a.Watch(cmd.Context(), &session.Session{Provider: p, Signer: who, Anchor: l.Anchor})
			}
		}
		views = append(views, view)
		rows = append(rows, row)
	}
	if contacts {
		rows[0] = append(rows[0], "RECOVERY CONTACTS")
	} else {
		for i := range rows {
			rows[i] = rows[i][:2]
		}
	}
	if len(views) == 0 {
		return a.Result(views, fmt.Sprintf("%s is not a device of %s", who, a.AnyAnchor()))
	}
	return a.Result(views, ui.Table(rows))
}
