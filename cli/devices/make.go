package devices

import (
	"errors"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/device"
)

// NewDevice is a passkey to be made: the flags of commands that make one.
type NewDevice struct {
	Name, Alias, Origin string
	DeviceBound         bool
}

// Flags adds them, but the name.
func (n *NewDevice) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.Alias, "alias", "", "what the anchor calls the device (default: its name)")
	cmd.Flags().StringVar(&n.Origin, "origin", "", "web origin that the passkey is for (default: the canister's own page)")
	cmd.Flags().BoolVar(&n.DeviceBound, "device-bound", false, "make a passkey that reports backup-eligible off")
}

// Make makes the passkey and saves it before anybody else hears of it: an anchor whose key is lost
// is worse than a key without an anchor.
func (n *NewDevice) Make(a *session.App, p *provider.Provider) (*device.Passkey, error) {
	if n.Origin == "" {
		n.Origin = session.DefaultOrigin(p.Client.Network(), p.Canister)
	}
	if n.Alias == "" {
		n.Alias = n.Name
	}
	passkey, err := device.NewPasskey(a.Random, device.PasskeyOptions{Origin: n.Origin, DeviceBound: n.DeviceBound})
	if err != nil {
		return nil, err
	}
	err = a.ChangeKeys(func(k *device.Keys) error { return k.Add(n.Name, passkey, a.Now()) })
	return passkey, err
}

// Discard takes the passkey out of the store again after the canister refused it. If the answer is
// unknown, the key stays: the call may have succeeded.
func (n *NewDevice) Discard(a *session.App, cause error) error {
	var reject *client.Reject
	var refused *provider.RefusedError
	if errors.As(cause, &reject) || errors.As(cause, &refused) {
		return errors.Join(cause, a.ChangeKeys(func(k *device.Keys) error { return k.Remove(n.Name) }))
	}
	a.Warn("whether the canister took the passkey %q is not known, so it stays in the key store", n.Name)
	return cause
}
