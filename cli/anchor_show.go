package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
)

type anchorView struct {
	Anchor  uint64       `json:"anchor"`
	Devices []deviceView `json:"devices"`
}

func (a *app) anchorShow() *cobra.Command {
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
		Args: argsError(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.showPublic(cmd.Context(), args[0])
			}
			return a.showOwn(cmd.Context())
		},
	}
	a.signerFlags(cmd)
	return cmd
}

func (a *app) showOwn(ctx context.Context) error {
	s, err := a.openSession(ctx)
	if err != nil {
		return err
	}
	view, err := a.viewAnchor(ctx, s)
	if err != nil {
		return err
	}
	return a.result(view, fmt.Sprintf("anchor %d\n%s", view.Anchor, deviceTable(view.Devices)))
}

func (a *app) viewAnchor(ctx context.Context, s *session) (anchorView, error) {
	info, err := s.anchorInfo(ctx, s.anchor)
	if err != nil {
		return anchorView{}, err
	}
	own, err := a.ownKeys(s)
	if err != nil {
		return anchorView{}, err
	}
	view := anchorView{Anchor: s.anchor, Devices: []deviceView{}}
	for _, d := range info.Devices {
		view.Devices = append(view.Devices, viewDevice(d, own, s.signer.key.PublicKey()))
	}
	return view, nil
}

func (a *app) showPublic(ctx context.Context, text string) error {
	anchor, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return usagef("anchor %q is not a number", text)
	}
	if a.as != "" || a.phraseFile != "" || a.anchorGiven {
		return usagef("a number shows what anybody may see; leave --as, --phrase-file and --anchor out")
	}
	p, err := a.openProvider(ctx)
	if err != nil {
		return err
	}
	devices, err := p.lookup(ctx, anchor)
	if err != nil {
		return err
	}
	if len(devices) == 0 {
		return hinted(fmt.Errorf("there is no anchor %d here", anchor), "kedge anchor show without a number shows your own")
	}
	view := anchorView{Anchor: anchor, Devices: []deviceView{}}
	for _, d := range devices {
		view.Devices = append(view.Devices, viewDevice(kedge.DeviceWithUsage{
			Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Purpose: d.Purpose,
			KeyType: d.KeyType, Protection: d.Protection, Origin: d.Origin,
		}, nil, nil))
	}
	rows := [][]string{{"KIND", "PURPOSE", "PROTECTED", "PRINCIPAL"}}
	for _, v := range view.Devices {
		rows = append(rows, []string{v.KeyType, v.Purpose, yesNo(v.Protected), v.Principal})
	}
	return a.result(view, fmt.Sprintf("anchor %d\n%s", anchor, table(rows)))
}
