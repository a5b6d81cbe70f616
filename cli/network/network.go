// Package network runs the local network: kedge network.
package network

import (
	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

// Command returns kedge network.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	return ui.Group("network", "run the local network", a.networkStart(), a.networkStatus(), a.networkStop(), a.networkReset(), a.networkLauncher())
}
