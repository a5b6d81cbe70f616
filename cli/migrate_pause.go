package cli

import (
	"github.com/spf13/cobra"

	"kedge/candid/kedge"
)

func (a *app) migratePause() *cobra.Command {
	return a.migrationVerb("migration_pause", kedge.EncodeMigrationPauseArgs, &cobra.Command{
		Use: "pause", Short: "stop a change of layout between two batches", Example: `  kedge migrate pause`,
	})
}

func (a *app) migrateResume() *cobra.Command {
	return a.migrationVerb("migration_resume", kedge.EncodeMigrationResumeArgs, &cobra.Command{
		Use: "resume", Short: "let a paused change of layout go on", Example: `  kedge migrate resume`,
	})
}

// migrationVerb is a method about migrations that takes nothing and answers with the status.
func (a *app) migrationVerb(method string, arg func() []byte, cmd *cobra.Command) *cobra.Command {
	cmd.Args = argsError(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		p, err := a.openController(cmd.Context())
		if err != nil {
			return err
		}
		reply, err := p.call(cmd.Context(), method, arg())
		status, err := migration(method, reply, err)
		if err != nil {
			return err
		}
		view := viewMigration(status)
		return a.result(view, migrationText(view))
	}
	a.identityFlag(cmd)
	return cmd
}
