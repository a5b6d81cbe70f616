package cli

//go:generate go run ../cmd/clidoc markdown ../docs/cli.md

import (
	"slices"

	"github.com/spf13/cobra"

	"kedge/cli/anchor"
	"kedge/cli/canister"
	"kedge/cli/complete"
	"kedge/cli/config"
	"kedge/cli/contacts"
	"kedge/cli/deploy"
	"kedge/cli/devices"
	"kedge/cli/guide"
	"kedge/cli/help"
	"kedge/cli/key"
	"kedge/cli/migrate"
	"kedge/cli/network"
	"kedge/cli/recovery"
	"kedge/cli/release"
	"kedge/cli/schemas"
	"kedge/cli/session"
	"kedge/cli/sheet"
	"kedge/cli/signin"
	"kedge/cli/status"
	"kedge/cli/ui"
	"kedge/cli/version"
)

const rootLong = `Kedge is an identity provider for the Internet Computer whose recovery methods
survive a stolen laptop, a lost phone, a leaked phrase and a bad upgrade.

Passkeys are kept in one file, encrypted with a passphrase (--keys). A recovery
phrase is never kept: it is on paper and asked for when it has to sign.`

const rootExample = `  kedge setup
  kedge network start --background
  kedge deploy
  kedge anchor create --device laptop
  kedge device list`

func rootCommand(app *session.App) *cobra.Command {
	root := ui.Group("kedge", "an identity provider for the Internet Computer", slices.Concat(
		[]*cobra.Command{
			network.Command(app), deploy.Command(app), deploy.Open(app), canister.Command(app), devices.Command(app), devices.Attest(app), key.Command(app),
			recovery.Command(app), release.Command(app), version.Command(app), status.Command(app), config.Command(app), complete.Command(app), sheet.Command(app), schemas.Command(app.UI),
		},
		anchor.Commands(app), contacts.Commands(app), guide.Commands(app, rootCommand), signin.Commands(app), migrate.Commands(app))...)
	root.Long, root.Example = rootLong, rootExample
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		for c := cmd; c != nil; c = c.Parent() {
			if slices.Contains([]string{"help", "version", "completion"}, c.Name()) {
				return nil
			}
		}
		return app.LoadSettings()
	}
	refuse := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return refuse(cmd, args)
		}
		return status.Show(cmd.Context(), app)
	}
	root.CompletionOptions.DisableDefaultCmd = true
	app.GlobalFlags(root)
	version.Flag(root)
	help.Arrange(root, app)
	complete.Register(root, app)
	return root
}
