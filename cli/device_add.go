package cli

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/device"
	"kedge/ic/principal"
)

type deviceAdded struct {
	Anchor    uint64 `json:"anchor"`
	Alias     string `json:"alias"`
	PublicKey string `json:"public_key"`
	Principal string `json:"principal"`
}

func (a *app) deviceAdd() *cobra.Command {
	var n newDevice
	var publicKey, credentialID string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "add a device to the anchor",
		Long: `Makes a passkey with this name in the key store and adds it to the anchor of the
signer. With --public-key it adds a device whose key is elsewhere, as another
machine's kedge device list --keys-only prints it; NAME is then its alias.`,
		Example: `  kedge device add phone
  kedge device add "hardware key" --device-bound --as laptop
  kedge device add "Anna's phone" --public-key 305e300c… --credential-id 7f3a…`,
		Args: argsError(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.name = args[0]; publicKey != "" {
				return a.addForeign(cmd.Context(), n, publicKey, credentialID)
			}
			if credentialID != "" {
				return usagef("--credential-id goes with --public-key")
			}
			return a.addOwn(cmd.Context(), n)
		},
	}
	n.flags(cmd)
	cmd.Flags().StringVar(&publicKey, "public-key", "", "public key of a device elsewhere, DER in hexadecimal")
	cmd.Flags().StringVar(&credentialID, "credential-id", "", "its WebAuthn credential id, in hexadecimal")
	a.signerFlags(cmd)
	return cmd
}

func (a *app) addOwn(ctx context.Context, n newDevice) error {
	if err := device.CheckName(n.name); err != nil {
		return usagef("%w", err)
	}
	s, err := a.openSession(ctx)
	if err != nil {
		return err
	}
	passkey, err := n.make(a, s.provider)
	if err != nil {
		return err
	}
	data := passkeyData(n.alias, passkey)
	if err := s.add(ctx, s.anchor, data); err != nil {
		return n.discard(a, err)
	}
	if err := a.remember(s, n.name); err != nil {
		return err
	}
	return a.printAdded(s, data)
}

func (a *app) addForeign(ctx context.Context, n newDevice, publicKey, credentialID string) error {
	key, err := hex.DecodeString(publicKey)
	if err != nil || len(key) == 0 {
		return usagef("--public-key %q is not hexadecimal", publicKey)
	}
	id, err := hex.DecodeString(credentialID)
	if err != nil {
		return usagef("--credential-id %q is not hexadecimal", credentialID)
	}
	if n.deviceBound {
		return usagef("--device-bound is about a passkey that is made here, so it does not go with --public-key")
	}
	s, err := a.openSession(ctx)
	if err != nil {
		return err
	}
	data := kedge.DeviceData{
		Pubkey: key, Alias: n.name, Purpose: kedge.PurposeAuthentication,
		KeyType: kedge.KeyTypeUnknown, Protection: kedge.DeviceProtectionUnprotected,
	}
	if n.alias != "" {
		data.Alias = n.alias
	}
	if len(id) > 0 {
		data.CredentialID = id
	}
	if n.origin != "" {
		data.Origin = &n.origin
	}
	if err := s.add(ctx, s.anchor, data); err != nil {
		return err
	}
	return a.printAdded(s, data)
}

func (a *app) printAdded(s *session, d kedge.DeviceData) error {
	return a.result(deviceAdded{
		Anchor: s.anchor, Alias: d.Alias, PublicKey: hex.EncodeToString(d.Pubkey),
		Principal: principal.SelfAuthenticating(d.Pubkey).Text(),
	}, fmt.Sprintf("added %s to anchor %d", printable(d.Alias), s.anchor))
}
