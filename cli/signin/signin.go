// Package signin signs in to applications, and finds anchors and principals: kedge login, whoami,
// principal and lookup.
package signin

import (
	"github.com/spf13/cobra"

	"kedge/cli/session"
)

type verbs struct{ *session.App }

// Commands returns the commands.
func Commands(app *session.App) []*cobra.Command {
	a := verbs{app}
	return []*cobra.Command{a.lookupCommand(), a.loginCommand(), a.whoamiCommand(), a.principalCommand()}
}
