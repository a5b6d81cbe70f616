package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type switched struct {
	Anchor uint64 `json:"anchor"`
	On     bool   `json:"on"`
}

func (a *app) guardCommand() *cobra.Command {
	return a.switchCommand("guard", (*provider).guardSet, &cobra.Command{
		Use:   "guard on|off",
		Short: "leave changes of the anchor's devices to protected devices",
		Long: `With the guard on, only a protected device adds, replaces or removes other devices,
changes them, or opens registration mode. Other devices still sign in, read, and
may change their own alias or remove themselves. A protected device switches it.`,
		Example: `  kedge guard on --as phrase
  kedge guard off --as "hardware key"`,
	})
}

func (a *app) deviceBoundCommand() *cobra.Command {
	return a.switchCommand("device-bound", (*provider).deviceBoundSet, &cobra.Command{
		Use:   "device-bound on|off",
		Short: "demand that passkeys are device-bound to become protected",
		Long: `With the demand on, a passkey becomes protected only if it has attested that it is
device-bound (kedge attest). It never lifts a protection, and recovery phrases
are not concerned. A protected device switches it.`,
		Example: `  kedge device-bound on --as phrase`,
	})
}

// switchCommand is a setting of the anchor that is on or off.
func (a *app) switchCommand(what string, set func(*provider, context.Context, uint64, bool) error, cmd *cobra.Command) *cobra.Command {
	cmd.Args = argsError(cobra.ExactArgs(1))
	cmd.ValidArgs = []string{"on", "off"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		on, err := onOff(args[0])
		if err != nil {
			return err
		}
		s, err := a.openSession(cmd.Context())
		if err != nil {
			return err
		}
		if err := set(s.provider, cmd.Context(), s.anchor, on); err != nil {
			return err
		}
		return a.result(switched{s.anchor, on}, fmt.Sprintf("%s of anchor %d is %s", what, s.anchor, args[0]))
	}
	a.signerFlags(cmd)
	return cmd
}
