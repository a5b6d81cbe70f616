package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"kedge/device"
)

func (a *app) deviceReplace() *cobra.Command {
	var n newDevice
	cmd := &cobra.Command{
		Use:   "replace DEVICE NEW",
		Short: "put a new passkey in the place of a device, in one step",
		Long: `Makes the passkey NEW in the key store and puts it in the place of DEVICE. The new
device inherits nothing: no protection, no consent. For a recovery phrase there
is kedge recovery phrase add --replace.`,
		Example: `  kedge device replace laptop new-laptop
  kedge device replace "lost phone" phone2 --as laptop`,
		Args: argsError(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			n.name = args[1]
			if err := device.CheckName(n.name); err != nil {
				return usagef("%w", err)
			}
			s, err := a.openSession(ctx)
			if err != nil {
				return err
			}
			old, err := a.findDevice(ctx, s, args[0])
			if err != nil {
				return err
			}
			passkey, err := n.make(a, s.provider)
			if err != nil {
				return err
			}
			data := passkeyData(n.alias, passkey)
			if err := s.replace(ctx, s.anchor, old.Pubkey, data); err != nil {
				return n.discard(a, err)
			}
			a.warnSessions(old)
			if err := a.remember(s, n.name); err != nil {
				return err
			}
			if err := a.forget(s, old.Pubkey); err != nil {
				return err
			}
			return a.result(deviceChanged{s.anchor, data.Alias},
				fmt.Sprintf("%s took the place of %s on anchor %d", printable(data.Alias), printable(old.Alias), s.anchor))
		},
	}
	n.flags(cmd)
	a.signerFlags(cmd)
	return cmd
}
