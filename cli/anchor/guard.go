package anchor

import (
	"context"
	"fmt"

	"kedge/cli/provider"
	"kedge/cli/ui"

	"github.com/spf13/cobra"
)

type switched struct {
	Anchor uint64 `json:"anchor"`
	On     bool   `json:"on"`
}

func (a verbs) guardCommand() *cobra.Command {
	return a.switchCommand("guard", (*provider.Provider).GuardSet, &cobra.Command{
		Use:   "guard on|off",
		Short: "leave changes of the anchor's devices to protected devices",
		Long: `With the guard on, only a protected device adds, replaces or removes other devices,
changes them, or opens registration mode. Other devices still sign in, read, and
may change their own alias or remove themselves. A protected device switches it.`,
		Example: `  kedge guard on --as phrase
  kedge guard off --as "spare key"`,
	})
}

func (a verbs) deviceBoundCommand() *cobra.Command {
	return a.switchCommand("device-bound", (*provider.Provider).DeviceBoundSet, &cobra.Command{
		Use:   "device-bound on|off",
		Short: "demand that passkeys are device-bound to become protected",
		Long: `With the demand on, a passkey becomes protected only if it has attested that it is
device-bound (kedge attest). It never lifts a protection, and recovery phrases
are not concerned. A protected device switches it.`,
		Example: `  kedge device-bound on --as phrase
  kedge device-bound off --as phrase --json`,
	})
}

// switchCommand is a setting of the anchor that is on or off.
func (a verbs) switchCommand(what string, set func(*provider.Provider, context.Context, uint64, bool) error, cmd *cobra.Command) *cobra.Command {
	cmd.Args = ui.Args(cobra.ExactArgs(1))
	cmd.ValidArgs = []string{"on", "off"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		on, err := ui.ParseOnOff(args[0])
		if err != nil {
			return err
		}
		s, err := a.OpenSession(cmd.Context())
		if err != nil {
			return err
		}
		if err := set(s.Provider, cmd.Context(), s.Anchor, on); err != nil {
			return err
		}
		return a.Result(switched{s.Anchor, on}, fmt.Sprintf("%s of anchor %d is %s", what, s.Anchor, args[0]))
	}
	a.SignerFlags(cmd)
	return cmd
}
