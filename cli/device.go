package cli

import "github.com/spf13/cobra"

func (a *app) deviceCommand() *cobra.Command {
	return a.group("device", "add, list, change, protect and remove the devices of an anchor",
		a.deviceAdd(), a.deviceList(), a.deviceUpdate(), a.deviceReplace(), a.deviceRemove(),
		a.deviceProtect(), a.deviceUnprotect(), a.deviceRegisterMode())
}
