package devices

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

func (a verbs) deviceReplace() *cobra.Command {
	var n NewDevice
	cmd := &cobra.Command{
		Use:   "replace DEVICE NEW",
		Short: "put a new passkey in the place of a device, in one step",
		Long: `Makes the passkey NEW in the key store and puts it in the place of DEVICE. The new
device inherits nothing: no protection, no consent; it asks first if no device is
protected afterwards. For a recovery phrase there is kedge recovery phrase add
--replace.`,
		Example: `  kedge device replace laptop new-laptop
  kedge device replace "lost phone" phone2 --as laptop`,
		Args: ui.Args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			n.Name = args[1]
			if err := device.CheckName(n.Name); err != nil {
				return ui.Usagef("%w", err)
			}
			s, err := a.OpenSession(ctx)
			if err != nil {
				return err
			}
			info, err := s.AnchorInfo(ctx, s.Anchor)
			if err != nil {
				return err
			}
			old, err := a.MatchDevice(s, info.Devices, args[0])
			if err != nil {
				return err
			}
			if slices.Contains(lossOf(s, info.Devices, old.Device), lastProtection) {
				if err := a.Confirm(fmt.Sprintf("the new device does not inherit the protection of %s: %s", old.Label(), lastProtection)); err != nil {
					return err
				}
			}
			n.Anchor = &s.Anchor
			n.Present = func(key []byte) bool {
				return slices.ContainsFunc(info.Devices, func(d kedge.DeviceWithUsage) bool { return bytes.Equal(d.Pubkey, key) })
			}
			passkey, err := n.Make(a.App, s.Provider)
			if err != nil {
				return err
			}
			data := session.PasskeyData(n.Alias, passkey)
			if err := s.Replace(ctx, s.Anchor, old.Device.Pubkey, data); err != nil {
				return n.Discard(a.App, err)
			}
			a.warnSessions(old.Device)
			if err := a.Remember(s, n.Name); err != nil {
				return err
			}
			if err := a.forget(s, old.Device.Pubkey); err != nil {
				return err
			}
			return a.Result(deviceChanged{s.Anchor, data.Alias, principal.SelfAuthenticating(data.Pubkey).Text()},
				fmt.Sprintf("%s took the place of %s on anchor %d", ui.Printable(data.Alias), old, s.Anchor))
		},
	}
	n.Flags(cmd)
	a.YesFlag(cmd)
	a.SignerFlags(cmd)
	return cmd
}
