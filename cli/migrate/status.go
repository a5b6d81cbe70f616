package migrate

import (
	"github.com/spf13/cobra"

	"kedge/cli/ui"
)

func (a verbs) migrateStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show the layout, the step under way, and what a rollback would weaken",
		Long: `Shows the layout of stable memory, how far a change of it has come, and in a trial
which anchors would be less protected after going back to the old module. Only a
controller may ask.`,
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
