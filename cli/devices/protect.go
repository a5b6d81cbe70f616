package devices

import (
	"context"
	"encoding/hex"
	"fmt"

	"kedge/cli/provider"
	"kedge/cli/ui"

	"github.com/spf13/cobra"
)

func (a verbs) deviceProtect() *cobra.Command {
	return a.protectionVerb("protect", "protected", true, (*provider.Provider).Protect, &cobra.Command{
		Use:   "protect DEVICE",
		Short: "protect a device: from then on it alone changes or removes itself",
		Long: `Marks a device as protected. While no device of the anchor is protected, a device
can only protect itself; afterwards any protected device can protect others.

Protection is for ever, so it goes to a key and not to a name. DEVICE is the signer, a
name in the key store, or a principal or public key in full; for an alias, the key
is shown, with who added it and when, and asked about.`,
		Example: `  kedge device protect phrase --as phrase
  kedge device protect "hardware key" --as "hardware key"`,
	})
}

func (a verbs) deviceUnprotect() *cobra.Command {
	return a.protectionVerb("unprotect", "unprotected", false, (*provider.Provider).Unprotect, &cobra.Command{
		Use:   "unprotect DEVICE",
		Short: "lift the protection of a device, which it does itself",
		Example: `  kedge device unprotect phrase --as phrase
  kedge device unprotect "hardware key" --as "hardware key"`,
	})
}

// Marked is the result of commands about the protection of a device.
type Marked struct {
	Anchor    uint64 `json:"anchor"`
	PublicKey string `json:"public_key"`
}

func (a verbs) protectionVerb(verb, done string, grants bool, change func(*provider.Provider, context.Context, uint64, []byte) error, cmd *cobra.Command) *cobra.Command {
	cmd.Args = ui.Args(cobra.ExactArgs(1))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := a.OpenSession(cmd.Context())
		if err != nil {
			return err
		}
		found, err := a.FindKey(cmd.Context(), s, args[0])
		if err != nil {
			return err
		}
		if grants {
			if err := a.Vouch(cmd.Context(), s, found, verb); err != nil {
				return err
			}
		}
		key := found.Device.Pubkey
		if err := change(s.Provider, cmd.Context(), s.Anchor, key); err != nil {
			return fmt.Errorf("cannot %s %s: %w", verb, found, err)
		}
		return a.Result(Marked{s.Anchor, hex.EncodeToString(key)}, fmt.Sprintf("%s of anchor %d is %s", found, s.Anchor, done))
	}
	a.SignerFlags(cmd)
	return cmd
}
