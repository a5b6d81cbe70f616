// Package recovery is kedge recovery: the recovery phrase of an anchor.
package recovery

import (
	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

// Command returns kedge recovery.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	return ui.Group("recovery", "recovery methods",
		ui.Group("phrase", "the recovery phrase of an anchor", a.recoveryPhraseAdd()))
}
