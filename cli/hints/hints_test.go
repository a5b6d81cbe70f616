package hints_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/hints"
	"kedge/cli/project"
	"kedge/cli/provider"
	"kedge/cli/ui"
)

func TestExitCodes(t *testing.T) {
	refused := provider.Refusal(kedge.Error{Message: "no"})
	for want, err := range map[int]error{
		ui.ExitFailed:  project.ErrNoNetwork,
		ui.ExitUsage:   ui.Usagef("what"),
		ui.ExitNetwork: &client.UnreachableError{},
		ui.ExitRefused: ui.Hinted(refused, "hint"),
		ui.ExitSecret:  ui.Secretf("", "what"),
	} {
		require.Equal(t, want, hints.ExitCode(err))
	}
}
