package key

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) drill() *cobra.Command {
	var f findFlags
	cmd := &cobra.Command{
		Use:   "drill",
		Short: "rehearse: sign in to an anchor with a backup alone",
		Long: `Asks for the words or shares from the paper, finds with them and the anchor's public
list the device that they give, signs in as that device, and says what the anchor has
recorded. The key store is not opened: this is what is left when it is lost. Nothing
is kept. The call is one of that device, so it is its sign of life, too.`,
		Example: `  kedge key drill --anchor 10000
  kedge key drill --anchor 10000 --shares
  kedge key drill --anchor 10000 --words-file words.txt   # for scripts`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.rehearse(cmd.Context(), f) },
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&f.sites, "site", nil, "web origin to try names and handles with")
	cmd.Flags().StringArrayVar(&f.users, "user", nil, "user name to try; once for each")
	cmd.Flags().Uint64Var(&f.anchor, "anchor", 0, "number of the anchor")
	_ = cmd.MarkFlagRequired("anchor")
	f.gap, f.limit = 20, 10_000
	return cmd
}

func (a verbs) rehearse(ctx context.Context, f findFlags) error {
	p, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	list, _, err := listed(ctx, p, f.anchor)
	if err != nil {
		return err
	}
	roots, err := a.readRoots(f.backupFlags, true)
	if err != nil {
		return err
	}
	report, err := a.scan(ctx, roots, list, f, p)
	if err != nil {
		return err
	}
	if len(report.Matches) == 0 {
		return &ui.Error{
			Err:  fmt.Errorf("the backup is well formed, but gives no device of anchor %d", f.anchor),
			Hint: "it is the backup of another key, or --anchor is another's; kedge key find --words shows more", Code: ui.ExitSecret,
		}
	}
	m := report.Matches[0]
	signer, err := device.SignerOf(roots[m.Root], m, list[m.Listed])
	if err != nil {
		return err
	}
	caller, err := a.Delegated(p, signer)
	if err != nil {
		return err
	}
	s := &session.Session{Provider: caller, Signer: session.Signer{Name: "backup", Key: signer}, Anchor: f.anchor}
	a.Watch(ctx, s)
	// The first call is recorded, the second reads the record.
	if _, err := s.AnchorInfo(ctx, s.Anchor); err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	for _, d := range info.Devices {
		if !bytes.Equal(d.Pubkey, list[m.Listed].PublicKey) || d.LastUsage == nil {
			continue
		}
		at := time.Unix(0, int64(*d.LastUsage)).UTC()
		return a.Result(map[string]any{"anchor": f.anchor, "device": d.Alias, "kind": m.Kind, "recorded": at},
			fmt.Sprintf("signed in to anchor %d as %s (%s) with the backup alone; the anchor's record says %s",
				f.anchor, ui.Printable(d.Alias), m.Path, ui.When(at, a.Now())))
	}
	return fmt.Errorf("the calls were answered, but anchor %d has no record of them", f.anchor)
}
