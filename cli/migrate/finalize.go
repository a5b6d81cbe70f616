package migrate

import (
	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
)

func (a verbs) migrateFinalize() *cobra.Command {
	var empty bool
	var confirmed string
	cmd := &cobra.Command{
		Use:   "finalize",
		Short: "end the trial: there is no way back to the old module afterwards",
		Long: `Gives up the old bytes that the trial kept beside Kedge's own. It asks for the id of
the canister, and refuses while there are anchors that nobody could use. Look at
kedge migrate status first, and take a snapshot of the canister.`,
		Example: `  kedge migrate finalize
  kedge migrate finalize --anchors-without-devices --confirm rdmx6-jaaaa-aaaaa-aaadq-cai`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.OpenController(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.confirmCanister(p, confirmed, "after this there is no way back to the old module"); err != nil {
				return err
			}
			reply, err := p.Call(cmd.Context(), "finalize_migration",
				kedge.EncodeFinalizeMigrationArgs(&kedge.FinalizeOptions{AnchorsWithoutDevices: empty}))
			status, err := migration("finalize_migration", reply, err)
			if err != nil {
				return err
			}
			view := viewMigration(status)
			return a.Result(view, migrationText(view))
		},
	}
	cmd.Flags().BoolVar(&empty, "anchors-without-devices", false, "go on although there are anchors that nobody can use")
	cmd.Flags().StringVar(&confirmed, "confirm", "", "id of the canister, in place of typing it")
	a.IdentityFlag(cmd)
	return cmd
}
