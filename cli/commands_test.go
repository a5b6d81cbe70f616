package cli

import (
	"testing"

	"kedge/cli/session"
	"kedge/cli/ui"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// Help is the manual, so every command says what it does, and every verb shows how it is used.
func TestEveryVerbHasAnExample(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		require.NotEmpty(t, cmd.Short, cmd.CommandPath())
		if !cmd.HasSubCommands() {
			require.NotEmpty(t, cmd.Example, cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand(&session.App{UI: &ui.UI{System: RealSystem()}}))
}
