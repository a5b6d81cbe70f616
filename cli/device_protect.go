package cli

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) deviceProtect() *cobra.Command {
	return a.protectionVerb("protect", "protected", (*provider).protect, &cobra.Command{
		Use:   "protect DEVICE",
		Short: "protect a device: from then on it alone changes or removes itself",
		Long: `Marks a device as protected. While no device of the anchor is protected, a device
can only protect itself; afterwards any protected device can protect others.`,
		Example: `  kedge device protect phrase --as phrase
  kedge device protect "hardware key" --as "hardware key"`,
	})
}

func (a *app) deviceUnprotect() *cobra.Command {
	return a.protectionVerb("unprotect", "unprotected", (*provider).unprotect, &cobra.Command{
		Use:   "unprotect DEVICE",
		Short: "lift the protection of a device, which it does itself",
		Example: `  kedge device unprotect phrase --as phrase
  kedge device unprotect "hardware key" --as "hardware key"`,
	})
}

// deviceMarked is the result of commands about the protection of a device.
type deviceMarked struct {
	Anchor    uint64 `json:"anchor"`
	PublicKey string `json:"public_key"`
}

func (a *app) protectionVerb(verb, done string, change func(*provider, context.Context, uint64, []byte) error, cmd *cobra.Command) *cobra.Command {
	cmd.Args = argsError(cobra.ExactArgs(1))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := a.openSession(cmd.Context())
		if err != nil {
			return err
		}
		key, called, err := a.findKey(cmd.Context(), s, args[0])
		if err != nil {
			return err
		}
		if err := change(s.provider, cmd.Context(), s.anchor, key); err != nil {
			return fmt.Errorf("cannot %s %s: %w", verb, called, err)
		}
		return a.result(deviceMarked{s.anchor, hex.EncodeToString(key)}, fmt.Sprintf("%s of anchor %d is %s", called, s.anchor, done))
	}
	a.signerFlags(cmd)
	return cmd
}
