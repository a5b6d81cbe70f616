package cli

import (
	"github.com/spf13/cobra"

	"kedge/candid/kedge"
)

func (a *app) migrateFinalize() *cobra.Command {
	var empty bool
	var confirmed string
	cmd := &cobra.Command{
		Use:   "finalize",
		Short: "end the trial: there is no way back to the old module afterwards",
		Example: `  kedge migrate finalize
  kedge migrate finalize --anchors-without-devices --confirm rdmx6-jaaaa-aaaaa-aaadq-cai`,
		Args: argsError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.openController(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.confirm(p, confirmed, "after this there is no way back to the old module"); err != nil {
				return err
			}
			reply, err := p.call(cmd.Context(), "finalize_migration",
				kedge.EncodeFinalizeMigrationArgs(&kedge.FinalizeOptions{AnchorsWithoutDevices: empty}))
			status, err := migration("finalize_migration", reply, err)
			if err != nil {
				return err
			}
			view := viewMigration(status)
			return a.result(view, migrationText(view))
		},
	}
	cmd.Flags().BoolVar(&empty, "anchors-without-devices", false, "go on although there are anchors that nobody can use")
	cmd.Flags().StringVar(&confirmed, "confirm", "", "id of the canister, in place of typing it")
	a.identityFlag(cmd)
	return cmd
}
