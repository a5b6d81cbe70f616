package migrate

import (
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/candid/wire"
	"kedge/cli/deploy"
	"kedge/cli/provider"
	"kedge/cli/ui"
)

func (a verbs) migrateRollback() *cobra.Command {
	var argument, confirmed string
	var noSnapshot bool
	cmd := &cobra.Command{
		Use:   "rollback OLD.wasm",
		Short: "go back to the Internet Identity module that the anchors came from",
		Long: `While a migration from Internet Identity is on trial, its old bytes are valid. This
checks that it is, says which anchors lose a protection that the old module does
not know, and which would get removed devices back under a build that reads
virtual memory 16, takes a snapshot as kedge deploy does, and upgrades the canister to
the old module. Its memory is kept.`,
		Example: `  kedge migrate rollback internet_identity.wasm.gz
  kedge migrate rollback internet_identity.wasm.gz --confirm rdmx6-jaaaa-aaaaa-aaadq-cai`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			module, err := deploy.ReadModule(args[0])
			if err != nil {
				return err
			}
			// (null) with a type that every init argument of the old module agrees with.
			arg := []byte("DIDL\x00\x01" + string(byte(wire.Null&0x7f)))
			if argument != "" {
				if arg, err = hex.DecodeString(argument); err != nil {
					return ui.Usagef("--arg is not hexadecimal")
				}
			}
			p, err := a.OpenController(ctx)
			if err != nil {
				return err
			}
			status, err := statusOf(ctx, p)
			if err != nil {
				return err
			}
			view := viewMigration(status)
			if status.State == nil || *status.State != kedge.MigrationStateTrial {
				return ui.Hinted(provider.Refused("the canister is not on trial (layout %s, %s), so its memory is not one that the old module knows", view.Layout, view.State),
					"there is no way back once the migration is finalised")
			}
			for _, n := range view.Weakened {
				a.Warn("anchor %d has a protection that the old module does not enforce", n)
			}
			if rest := more(len(view.Weakened), view.WeakenedTotal); rest != "" {
				a.Warn("%s", rest[2:])
			}
			for _, n := range view.Outdated {
				a.Warn("anchor %d: its devices have changed, and virtual memory 16 does not know: a build that reads devices there (since January 2026) would bring removed ones back", n)
			}
			if rest := more(len(view.Outdated), view.OutdatedTotal); rest != "" {
				a.Warn("%s whose devices virtual memory 16 does not know", rest[len(", and "):])
			}
			if !view.OutdatedAll {
				a.Warn("there may be more of these: not all anchors could be looked at")
			}
			if err := a.confirmCanister(p, confirmed, fmt.Sprintf("the rollback weakens %s anchors", weakenedCount(view))); err != nil {
				return err
			}
			var snapshot []byte
			if err := a.WhileStopped(ctx, p.Client, p.Canister, false, func() error {
				if !noSnapshot {
					var err error
					if snapshot, err = deploy.TakeSnapshot(ctx, a.UI, p.Client, p.Canister); err != nil {
						return err
					}
				}
				done := a.Working("upgrading to the old module")
				defer done()
				if err := p.Client.Install(ctx, p.Canister, true, module, arg); err != nil {
					return fmt.Errorf("cannot go back: %w", err)
				}
				return deploy.ConfirmModule(ctx, p.Client, p.Canister, module)
			}); err != nil {
				return err
			}
			result := map[string]any{"canister": p.Canister, "weakened_total": view.WeakenedTotal, "weakened_complete": view.WeakenedAll,
				"outdated_total": view.OutdatedTotal, "outdated_complete": view.OutdatedAll}
			text := fmt.Sprintf("canister %s runs the old module", p.Canister)
			if snapshot != nil {
				result["snapshot"] = hex.EncodeToString(snapshot)
				text += fmt.Sprintf("; kedge canister snapshot restore %x brings back what was there", snapshot)
			}
			return a.Result(result, text)
		},
	}
	cmd.Flags().StringVar(&argument, "arg", "", "argument for the old module, Candid in hexadecimal (default: (null))")
	cmd.Flags().StringVar(&confirmed, "confirm", "", "id of the canister, in place of typing it")
	cmd.Flags().BoolVar(&noSnapshot, "no-snapshot", false, "take no snapshot before: kedge deploy alone comes back then")
	a.IdentityFlag(cmd)
	return cmd
}
