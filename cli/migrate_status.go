package cli

import "github.com/spf13/cobra"

func (a *app) migrateStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show the layout, the step under way, and what a rollback would weaken",
		Example: `  kedge migrate status
  kedge migrate status --json`,
		Args: argsError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.openController(cmd.Context())
			if err != nil {
				return err
			}
			status, err := p.migrationStatus(cmd.Context())
			if err != nil {
				return err
			}
			view := viewMigration(status)
			return a.result(view, migrationText(view))
		},
	}
	a.identityFlag(cmd)
	return cmd
}
