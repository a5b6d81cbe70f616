package migrate

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
)

// losses are what a step back may lose, by the names that --accept knows.
var losses = map[string]kedge.Loss{
	"protections": kedge.LossProtections, "guards": kedge.LossGuards,
	"consents": kedge.LossConsents, "demands": kedge.LossDemands, "contacts": kedge.LossContacts,
}

func (a verbs) migrateStep() *cobra.Command {
	var version uint16
	var accept []string
	var once bool
	cmd := &cobra.Command{
		Use:   "step",
		Short: "go on with a change of layout, to the newest or to --to",
		Long: `Sends batch after batch until the change of layout is done; each is one message. It
may be interrupted at any time and goes on where it was.

A step back that would lose a protection, a guard, a consent or a demand is
refused unless what is lost is named: --accept protections.`,
		Example: `  kedge migrate step
  kedge migrate step --once
  kedge migrate step --to 1 --accept guards --accept consents`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var to *uint16
			if cmd.Flags().Changed("to") {
				to = &version
			}
			var accepted []kedge.Loss
			for _, name := range accept {
				loss, known := losses[name]
				if !known {
					return ui.Usagef("--accept %q is none of protections, guards, consents, demands, contacts", name)
				}
				accepted = append(accepted, loss)
			}
			return a.runMigration(cmd.Context(), to, accepted, once)
		},
	}
	cmd.Flags().Uint16Var(&version, "to", 0, "layout to go to (default: the newest)")
	cmd.Flags().StringArrayVar(&accept, "accept", nil, "what a step back may lose: protections, guards, consents, demands or contacts")
	cmd.Flags().BoolVar(&once, "once", false, "send one batch only")
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) runMigration(ctx context.Context, to *uint16, accepted []kedge.Loss, once bool) error {
	p, err := a.OpenController(ctx)
	if err != nil {
		return err
	}
	bar := a.NewBar()
	defer bar.Clear()
	for {
		reply, err := p.Call(ctx, "migration_step", kedge.EncodeMigrationStepArgs(to, accepted))
		status, err := migration("migration_step", reply, err)
		if err != nil {
			if now, unknown := statusOf(ctx, p); unknown == nil && now.State != nil && *now.State == kedge.MigrationStatePaused {
				err = ui.Hinted(err, "kedge migrate resume lets it go on")
			}
			return err
		}
		view := viewMigration(status)
		if status.State == nil || *status.State != kedge.MigrationStateRunning || once {
			bar.Clear()
			return a.Result(view, migrationText(view))
		}
		if view.Step != nil {
			bar.Show(view.Step.Done, view.Step.Total)
		}
	}
}
