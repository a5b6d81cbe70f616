// Package anchor makes and shows anchors, and changes their settings: kedge anchor, guard,
// device-bound, session-limit, report and history.
package anchor

import (
	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

// Commands returns the commands about an anchor as a whole.
func Commands(app *session.App) []*cobra.Command {
	a := verbs{app}
	return []*cobra.Command{
		ui.Group("anchor", "make and show anchors", a.anchorCreate(), a.anchorShow()),
		a.guardCommand(), a.deviceBoundCommand(), a.sessionLimitCommand(), a.reportCommand(), a.historyCommand(),
	}
}
