package migrate

import (
	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
)

func (a verbs) migratePause() *cobra.Command {
	return a.migrationVerb("migration_pause", kedge.EncodeMigrationPauseArgs, &cobra.Command{
		Use: "pause", Short: "stop a change of layout between two batches",
		Long: `Stops after the batch under way. The canister serves everything meanwhile, and reads
and writes both layouts; kedge migrate resume goes on.`,
		Example: `  kedge migrate pause
  kedge migrate pause --identity controller.pem --json`,
	})
}

func (a verbs) migrateResume() *cobra.Command {
	return a.migrationVerb("migration_resume", kedge.EncodeMigrationResumeArgs, &cobra.Command{
		Use: "resume", Short: "let a paused change of layout go on",
		Long: `Lets the change of layout go on where kedge migrate pause stopped it.`,
		Example: `  kedge migrate resume
  kedge migrate resume --identity controller.pem --json`,
	})
}

// migrationVerb is a method about migrations that takes nothing and answers with the status.
func (a verbs) migrationVerb(method string, arg func() []byte, cmd *cobra.Command) *cobra.Command {
	cmd.Args = ui.Args(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		p, err := a.OpenController(cmd.Context())
		if err != nil {
			return err
		}
		reply, err := p.Call(cmd.Context(), method, arg())
		status, err := migration(method, reply, err)
		if err != nil {
			return err
		}
		view := viewMigration(status)
		return a.Result(view, migrationText(view))
	}
	a.IdentityFlag(cmd)
	return cmd
}
