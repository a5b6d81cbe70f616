package devices

import (
	"bytes"
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
  kedge device protect "spare key" --as "spare key"`,
	})
}

func (a verbs) deviceUnprotect() *cobra.Command {
	return a.protectionVerb("unprotect", "unprotected", false, (*provider.Provider).Unprotect, &cobra.Command{
		Use:   "unprotect DEVICE",
		Short: "lift the protection of a device, which it does itself",
		Long: `Lifts the protection of a device, which a protected device does itself. It asks first:
whoever holds another device of the anchor can remove the device afterwards, and where
no other device is protected, whoever comes first protects his own.`,
		Example: `  kedge device unprotect phrase --as phrase
  kedge device unprotect "spare key" --as "spare key" --yes`,
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
		} else if self := bytes.Equal(found.Device.Pubkey, s.Signer.Key.PublicKey()); self || !locked(found.Device) {
			// What the canister will refuse is not asked about.
			if err := a.Confirm(fmt.Sprintf("this lifts the protection of %s on anchor %d: other devices can change and remove it afterwards", found, s.Anchor)); err != nil {
				return err
			}
		}
		key := found.Device.Pubkey
		if err := change(s.Provider, cmd.Context(), s.Anchor, key); err != nil {
			return fmt.Errorf("cannot %s %s: %w", verb, found, err)
		}
		return a.Result(Marked{s.Anchor, hex.EncodeToString(key)}, fmt.Sprintf("%s of anchor %d is %s", found, s.Anchor, done))
	}
	if !grants {
		a.YesFlag(cmd)
	}
	a.SignerFlags(cmd)
	return cmd
}
