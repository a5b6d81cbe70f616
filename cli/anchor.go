package cli

import "github.com/spf13/cobra"

func (a *app) anchorCommand() *cobra.Command {
	return a.group("anchor", "make and show anchors", a.anchorCreate(), a.anchorShow())
}
