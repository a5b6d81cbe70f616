package devices

import (
	"fmt"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
)

func (a verbs) deviceUpdate() *cobra.Command {
	var alias, purpose, origin string
	cmd := &cobra.Command{
		Use:   "update DEVICE",
		Short: "change the alias, purpose or origin of a device",
		Long: `Changes what the anchor knows of a device. DEVICE is a name in the key store, an
alias, a principal, a public key in hexadecimal, or phrase. Its key never changes; for that
there is kedge device replace.`,
		Example: `  kedge device update laptop --alias "old laptop"
  kedge device update phrase --alias "words in the safe" --as phrase
  kedge device update "spare key" --purpose recovery`,
		Args: ui.Args(cobra.ExactArgs(1)),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		flags := cmd.Flags()
		if !flags.Changed("alias") && !flags.Changed("purpose") && !flags.Changed("origin") {
			return ui.Usagef("nothing to change: give --alias, --purpose or --origin")
		}
		purposes := map[string]kedge.Purpose{"authentication": kedge.PurposeAuthentication, "recovery": kedge.PurposeRecovery}
		if _, known := purposes[purpose]; flags.Changed("purpose") && !known {
			return ui.Usagef("--purpose %q is neither authentication nor recovery", purpose)
		}
		s, err := a.OpenSession(cmd.Context())
		if err != nil {
			return err
		}
		found, err := a.FindDevice(cmd.Context(), s, args[0])
		if err != nil {
			return err
		}
		data := session.Classic(found.Device)
		if flags.Changed("alias") {
			data.Alias = alias
		}
		if flags.Changed("purpose") {
			data.Purpose = purposes[purpose]
		}
		if flags.Changed("origin") {
			if data.Origin = &origin; origin == "" {
				data.Origin = nil
			}
		}
		if err := s.Update(cmd.Context(), s.Anchor, data); err != nil {
			return err
		}
		return a.Result(deviceChanged{s.Anchor, data.Alias, found.Principal().Text()}, fmt.Sprintf("changed %s of anchor %d", ui.Printable(data.Alias), s.Anchor))
	}
	cmd.Flags().StringVar(&alias, "alias", "", "what the anchor calls it, at most 64 bytes")
	cmd.Flags().StringVar(&purpose, "purpose", "", "authentication or recovery")
	ui.OptionalOriginVar(cmd, &origin, "origin", "where it was registered; empty removes it")
	a.SignerFlags(cmd)
	return cmd
}

// deviceChanged is the result of commands that change one device.
type deviceChanged struct {
	Anchor    uint64 `json:"anchor"`
	Alias     string `json:"alias"`
	Principal string `json:"principal"`
}
