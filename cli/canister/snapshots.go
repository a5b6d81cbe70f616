package canister

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/spf13/cobra"

	"kedge/cli/provider"
	"kedge/cli/ui"
	"kedge/ic/management"
)

type snapshotView struct {
	ID    string `json:"id"`
	Taken string `json:"taken"`
	Size  uint64 `json:"bytes"`
}

func viewSnapshot(s management.SnapshotInfo) snapshotView {
	return snapshotView{hex.EncodeToString(s.ID), ui.Time(s.TakenAtTimestamp), s.TotalSize}
}

func (a verbs) snapshots() *cobra.Command {
	cmd := ui.Group("snapshot", "keep the canister as it is, and go back to that",
		a.snapshotList(), a.snapshotCreate(), a.snapshotRestore(), a.snapshotDelete())
	cmd.Long = `A snapshot is the module with all of its memory. A canister has at most ten, and
pays for the memory. kedge deploy takes one before every upgrade.`
	return cmd
}

func (a verbs) snapshotList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the snapshots",
		Long: `Lists the snapshots that the network keeps of the canister: id, when it was taken,
and size. The one of the last deployment is among them.`,
		Example: `  kedge canister snapshot list
  kedge canister snapshot list --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			list, err := p.Client.Snapshots(cmd.Context(), p.Canister)
			if err != nil {
				return err
			}
			views, rows := []snapshotView{}, [][]string{{"SNAPSHOT", "TAKEN", "SIZE"}}
			for _, s := range list {
				v := viewSnapshot(s)
				views = append(views, v)
				rows = append(rows, []string{v.ID, ui.WhenNanos(s.TakenAtTimestamp, a.Now()), bytesText(new(big.Int).SetUint64(v.Size))})
			}
			text := ui.Table(rows)
			if len(list) == 0 {
				text = "there is no snapshot"
			}
			return a.Result(views, text)
		},
	}
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) snapshotCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "take a snapshot",
		Long:  `Stops the canister, takes a snapshot and starts it again, if it ran.`,
		Example: `  kedge canister snapshot create
  kedge canister snapshot create --json --identity controller.pem`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			var taken management.SnapshotInfo
			if err := a.WhileStopped(cmd.Context(), p.Client, p.Canister, true, func() (err error) {
				done := a.Working("taking a snapshot")
				defer done()
				taken, err = p.Client.TakeSnapshot(cmd.Context(), p.Canister, nil)
				return err
			}); err != nil {
				return err
			}
			v := viewSnapshot(taken)
			return a.Result(v, "snapshot "+v.ID)
		},
	}
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) snapshotRestore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore SNAPSHOT",
		Short: "go back to a snapshot: module, anchors and all",
		Long: `Gives the canister the module and the memory of a snapshot. Everything since is
lost: devices removed since are back and can sign in, those added since are gone,
and so are protections and anchors made since. It asks; --yes is for scripts.`,
		Example: `  kedge canister snapshot list
  kedge canister snapshot restore 0000000000000000ffffffffff9000010101
  kedge canister snapshot restore ID --yes --identity controller.pem`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, id, err := a.openSnapshot(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			list, err := p.Client.Snapshots(cmd.Context(), p.Canister)
			if err != nil {
				return err
			}
			var taken, at string // for people, and for programs
			for _, s := range list {
				if string(s.ID) == string(id) {
					taken, at = ui.WhenNanos(s.TakenAtTimestamp, a.Now()), ui.Time(s.TakenAtTimestamp)
				}
			}
			if taken == "" {
				return noSnapshot(args[0])
			}
			if err := a.Confirm(fmt.Sprintf("everything since %s is lost: devices removed since can sign in again, and devices, protections and anchors made since are gone", taken)); err != nil {
				return err
			}
			if err := a.WhileStopped(cmd.Context(), p.Client, p.Canister, true, func() error {
				done := a.Working("loading the snapshot")
				defer done()
				return p.Client.LoadSnapshot(cmd.Context(), p.Canister, id)
			}); err != nil {
				return err
			}
			return a.Result(map[string]string{"canister": p.Canister.Text(), "restored": args[0], "taken": at},
				fmt.Sprintf("canister %s is as it was at %s", p.Canister, taken))
		},
	}
	a.YesFlag(cmd)
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) snapshotDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete SNAPSHOT",
		Short: "delete a snapshot",
		Long: `Deletes a snapshot for ever, so that its memory is no longer paid for. It asks;
--yes is for scripts.`,
		Example: `  kedge canister snapshot delete 0000000000000000ffffffffff9000010101
  kedge canister snapshot delete ID --yes`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, id, err := a.openSnapshot(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := a.Confirm("there is no way back to a deleted snapshot"); err != nil {
				return err
			}
			if err := p.Client.DeleteSnapshot(cmd.Context(), p.Canister, id); err != nil {
				return err
			}
			return a.Result(map[string]string{"canister": p.Canister.Text(), "deleted": args[0]}, "deleted snapshot "+args[0])
		},
	}
	a.YesFlag(cmd)
	a.IdentityFlag(cmd)
	return cmd
}

func noSnapshot(text string) error {
	return ui.Hinted(fmt.Errorf("there is no snapshot %q", text), "kedge canister snapshot list shows those there are")
}

func (a verbs) openSnapshot(ctx context.Context, text string) (*provider.Provider, []byte, error) {
	id, err := hex.DecodeString(text)
	if err != nil || len(id) == 0 {
		return nil, nil, ui.Usagef("%q is not the id of a snapshot, in hexadecimal", text)
	}
	p, err := a.open(ctx)
	return p, id, err
}
