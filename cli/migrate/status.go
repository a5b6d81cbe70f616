package migrate

import (
	"github.com/spf13/cobra"

	"kedge/cli/ui"
)

func (a verbs) migrateStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show the layout, the step under way, and what a rollback would weaken",
		Example: `  kedge migrate status
  kedge migrate status --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.OpenController(cmd.Context())
			if err != nil {
				return err
			}
			status, err := statusOf(cmd.Context(), p)
			if err != nil {
				return err
			}
			view := viewMigration(status)
			return a.Result(view, migrationText(view))
		},
	}
	a.IdentityFlag(cmd)
	return cmd
}
