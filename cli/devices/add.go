package devices

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

type deviceAdded struct {
	Anchor    uint64 `json:"anchor"`
	Alias     string `json:"alias"`
	PublicKey string `json:"public_key"`
	Principal string `json:"principal"`
}

func (a verbs) deviceAdd() *cobra.Command {
	var n NewDevice
	var publicKey, credentialID string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "add a device to the anchor",
		Long: `Makes a security key with this name in the key store, or takes the one that is there,
and adds a credential of it to the anchor of the signer. With --public-key it adds a device whose key is elsewhere, as another
machine's kedge device list --keys-only prints it; NAME is then its alias.`,
		Example: `  kedge device add phone
  kedge device add "spare key" --device-bound --as laptop
  kedge device add "Anna's phone" --public-key 305e300c… --credential-id 7f3a…`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.Name = args[0]; publicKey != "" {
				return a.addForeign(cmd.Context(), n, publicKey, credentialID)
			}
			if credentialID != "" {
				return ui.Usagef("--credential-id goes with --public-key")
			}
			return a.addOwn(cmd.Context(), n)
		},
	}
	n.Flags(cmd)
	cmd.Flags().StringVar(&publicKey, "public-key", "", "public key of a device elsewhere, DER in hexadecimal")
	cmd.Flags().StringVar(&credentialID, "credential-id", "", "its WebAuthn credential id, in hexadecimal")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) addOwn(ctx context.Context, n NewDevice) error {
	if err := device.CheckName(n.Name); err != nil {
		return ui.Usagef("%w", err)
	}
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	n.Anchor = &s.Anchor
	if n.Present, err = present(ctx, s.Provider, s.Anchor); err != nil {
		return err
	}
	passkey, err := n.Make(a.App, s.Provider)
	if err != nil {
		return err
	}
	data := session.PasskeyData(n.Alias, passkey)
	if err := s.Add(ctx, s.Anchor, data); err != nil {
		return n.Discard(a.App, err)
	}
	if err := a.Remember(s, n.Name); err != nil {
		return err
	}
	return a.printAdded(s, data)
}

// present returns a function that knows the keys of an anchor, which are public.
func present(ctx context.Context, p *provider.Provider, anchor uint64) (func(publicKey []byte) bool, error) {
	devices, err := p.Lookup(ctx, anchor)
	return func(key []byte) bool {
		return slices.ContainsFunc(devices, func(d kedge.LookupDevice) bool { return bytes.Equal(d.Pubkey, key) })
	}, err
}

func (a verbs) addForeign(ctx context.Context, n NewDevice, publicKey, credentialID string) error {
	key, err := hex.DecodeString(publicKey)
	if err != nil || len(key) == 0 {
		return ui.Usagef("--public-key %q is not hexadecimal", publicKey)
	}
	id, err := hex.DecodeString(credentialID)
	if err != nil {
		return ui.Usagef("--credential-id %q is not hexadecimal", credentialID)
	}
	if n.DeviceBound {
		return ui.Usagef("--device-bound is about a passkey that is made here, so it does not go with --public-key")
	}
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	data := kedge.DeviceData{
		Pubkey: key, Alias: n.Name, Purpose: kedge.PurposeAuthentication,
		KeyType: kedge.KeyTypeUnknown, Protection: kedge.DeviceProtectionUnprotected,
	}
	if n.Alias != "" {
		data.Alias = n.Alias
	}
	if len(id) > 0 {
		data.CredentialID = id
	}
	if n.Origin != "" {
		data.Origin = &n.Origin
	}
	if err := s.Add(ctx, s.Anchor, data); err != nil {
		return err
	}
	return a.printAdded(s, data)
}

func (a verbs) printAdded(s *session.Session, d kedge.DeviceData) error {
	return a.Result(deviceAdded{
		Anchor: s.Anchor, Alias: d.Alias, PublicKey: hex.EncodeToString(d.Pubkey),
		Principal: principal.SelfAuthenticating(d.Pubkey).Text(),
	}, fmt.Sprintf("added %s to anchor %d", ui.Printable(d.Alias), s.Anchor))
}
