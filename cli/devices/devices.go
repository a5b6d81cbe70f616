// Package devices is kedge device and kedge attest: the devices of an anchor.
package devices

import (
	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

// Command returns kedge device.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	return ui.Group("device", "add, list, change, protect and remove the devices of an anchor",
		a.deviceAdd(), a.deviceList(), a.deviceUpdate(), a.deviceReplace(), a.deviceRemove(),
		a.deviceProtect(), a.deviceUnprotect(), a.deviceRegisterMode())
}

// Attest returns kedge attest.
func Attest(app *session.App) *cobra.Command { return verbs{app}.attestCommand() }
