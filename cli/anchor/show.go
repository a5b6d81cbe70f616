package anchor

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/contacts"
	"kedge/cli/devices"
	"kedge/cli/session"
	"kedge/cli/ui"
)

type anchorView struct {
	Anchor uint64 `json:"anchor"`
	*devices.Settings
	Contacts *contacts.View `json:"contacts,omitempty"`
	Devices  []devices.View `json:"devices"`
}

func (a verbs) anchorShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [NUMBER]",
		Short: "show an anchor and its devices",
		Long: `Without a number, shows the anchor of the signer (--as), as its devices may see
it. With a number, shows what anybody may see of that anchor, unsigned; aliases
are not part of that.

A signer that is a device of several anchors gets the list of their numbers, and
nothing is chosen for it.`,
		Example: `  kedge anchor show
  kedge anchor show --as phrase
  kedge anchor show 10000 --json`,
		Args: ui.Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.showPublic(cmd.Context(), args[0])
			}
			return a.showOwn(cmd.Context())
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) showOwn(ctx context.Context) error {
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	settings, views, err := devices.Read(a.App, s, info)
	if err != nil {
		return err
	}
	view := anchorView{Anchor: s.Anchor, Settings: &settings, Contacts: contacts.Of(s.Anchor, info), Devices: views}
	created := ""
	if settings.CreatedAt != nil {
		created = ", made " + ui.When(*settings.CreatedAt, a.Now())
	}
	return a.Result(view, fmt.Sprintf("anchor %d%s\n%s\n%s\n\n%s", view.Anchor, created, settings.Text(a.Now()), contacts.Text(s.Anchor, info), devices.Table(view.Devices, a.Now())))
}

func (a verbs) showPublic(ctx context.Context, text string) error {
	anchor, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return ui.Usagef("anchor %q is not a number", text)
	}
	if a.As != "" || a.PhraseFile != "" || a.AnchorFlag {
		return ui.Usagef("a number shows what anybody may see; leave --as, --phrase-file and --anchor out")
	}
	p, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	found, err := p.Lookup(ctx, anchor)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return ui.Hinted(fmt.Errorf("there is no anchor %d here", anchor), "kedge anchor show without a number shows your own")
	}
	view := anchorView{Anchor: anchor, Devices: []devices.View{}}
	for _, d := range found {
		view.Devices = append(view.Devices, devices.ViewOf(kedge.DeviceWithUsage{
			Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Purpose: d.Purpose,
			KeyType: d.KeyType, Protection: d.Protection, Origin: d.Origin, Proven: d.Proven,
		}, session.OwnKeys{}, nil))
	}
	rows := [][]string{{"KIND", "PURPOSE", "PROTECTED", "PROVEN", "PRINCIPAL"}}
	for i, v := range view.Devices {
		proven := "-"
		if v.Proven != nil {
			proven = ui.YesNo(*v.Proven)
		}
		rows = append(rows, []string{session.Kind(found[i].KeyType), v.Purpose, ui.YesNo(v.Protected), proven, v.Principal})
	}
	return a.Result(view, fmt.Sprintf("anchor %d\n%s", anchor, ui.Table(rows)))
}
