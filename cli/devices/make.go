package devices

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// NewDevice is a passkey to be made: the flags of commands that make one.
type NewDevice struct {
	Name, Alias, Origin string
	DeviceBound         bool
	Anchor              *uint64 // that it is for, nil if there is none yet

	// Present reports whether the anchor has a device with the key; nil if nobody has looked. What the key store
	// noted may be out of date: another device may have removed it.
	Present func(publicKey []byte) bool

	undo string // what Discard removes from the key store
}

// Flags adds them, but the name.
func (n *NewDevice) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.Alias, "alias", "", "what the anchor calls the device (default: its name)")
	ui.OriginVar(cmd, &n.Origin, "origin", "web origin that the passkey is for (default: the canister's own page)")
	cmd.Flags().BoolVar(&n.DeviceBound, "device-bound", false, "make a passkey that reports backup-eligible off")
}

// Make makes the passkey and saves it before anybody else hears of it: an anchor whose key is lost
// is worse than a key without an anchor.
//
// It makes a security key of that name with a seed, or takes the one that is there: a credential of it for
// the origin that no anchor here has yet, else a new one. A device-bound passkey is never derived from a seed, whose words
// would restore it elsewhere, so it gets a key without one. Afterwards the name is what the key store calls the
// passkey.
func (n *NewDevice) Make(a *session.App, p *provider.Provider) (*device.Passkey, error) {
	if n.Origin == "" {
		n.Origin = session.DefaultOrigin(p.Client.Network(), p.Canister)
	}
	if key, _, named := strings.Cut(n.Name, "/"); named && strings.Contains(n.Name, "://") {
		return n.named(a, key)
	}
	if n.Alias == "" {
		n.Alias = n.Name
	}
	if n.DeviceBound {
		passkey, err := n.spareBound(a, p.Where())
		if passkey != nil || err != nil {
			return passkey, err
		}
		passkey, err = device.NewPasskey(a.Random, device.PasskeyOptions{Origin: n.Origin, DeviceBound: true})
		if err != nil {
			return nil, err
		}
		n.undo = n.Name
		return passkey, a.ChangeKeys(func(k *device.Keys) error { return k.Add(n.Name, passkey, a.Now()) })
	}
	var passkey *device.Passkey
	name := n.Name
	err := a.ChangeKeys(func(keys *device.Keys) error {
		k, err := n.securityKey(keys, a)
		if err != nil {
			return err
		}
		c, err := n.credential(k, a, p.Where())
		if err != nil {
			return err
		}
		passkey = c.Passkey
		if len(k.Credentials()) > 1 {
			name = k.Name() + "/" + c.Label
		}
		return nil
	})
	if err == nil {
		n.Name = name
	}
	return passkey, err
}

// spareBound returns the device-bound passkey of the name if the store has one that is a device nowhere here, nil
// if the name is free.
func (n *NewDevice) spareBound(a *session.App, where string) (*device.Passkey, error) {
	keys, err := a.LoadKeys()
	if err != nil {
		return nil, err
	}
	k, err := keys.Key(n.Name)
	if err != nil {
		return nil, nil
	}
	for _, c := range k.Credentials() {
		if c.DeviceBound() && c.Origin() == n.Origin && !n.used(c, where) {
			if len(k.Credentials()) > 1 {
				n.Name = k.Name() + "/" + c.Label
			}
			return c.Passkey, nil
		}
	}
	return nil, &device.ExistsError{Name: n.Name}
}

// used reports whether a credential is a device at the provider already: of the anchor, as far as somebody has
// looked, or of another by what the key store noted.
func (n *NewDevice) used(c *device.Credential, where string) bool {
	return slices.ContainsFunc(c.Uses, func(u device.Use) bool { return u.Where == where && !n.stale(c, u) })
}

// stale reports whether the note that a credential is a device of the anchor is out of date.
func (n *NewDevice) stale(c *device.Credential, u device.Use) bool {
	return n.Anchor != nil && u.Anchor == *n.Anchor && n.Present != nil && !n.Present(c.PublicKey())
}

// named returns the credential of a site and a user name, of which nothing is kept.
func (n *NewDevice) named(a *session.App, key string) (*device.Passkey, error) {
	if n.DeviceBound {
		return nil, ui.Usagef("--device-bound does not go with a name: its key is derived from a seed, whose words restore it elsewhere")
	}
	if n.Alias == "" {
		n.Alias = key
	}
	keys, err := a.LoadKeys()
	if err != nil {
		return nil, err
	}
	stored, err := keys.Get(n.Name)
	return stored.Passkey, err
}

// securityKey returns the security key of the name, new if there is none.
func (n *NewDevice) securityKey(keys *device.Keys, a *session.App) (*device.SecurityKey, error) {
	if k, err := keys.Key(n.Name); err == nil {
		return k, nil
	}
	root, err := device.NewRoot(a.Random)
	if err != nil {
		return nil, err
	}
	n.undo = n.Name
	return keys.AddKey(n.Name, root, a.Now())
}

// credential returns a credential of the key for the origin that no anchor at where has.
func (n *NewDevice) credential(k *device.SecurityKey, a *session.App, where string) (*device.Credential, error) {
	rpID, err := device.RelyingParty(n.Origin)
	if err != nil {
		return nil, err
	}
	usedHere := false
	for _, c := range k.Credentials() {
		here := n.used(c, where)
		onAnchor := slices.ContainsFunc(c.Uses, func(u device.Use) bool {
			return u.Where == where && n.Anchor != nil && u.Anchor == *n.Anchor && !n.stale(c, u)
		})
		switch {
		case onAnchor:
			return nil, ui.Hinted(fmt.Errorf("security key %q is a device of anchor %d already", k.Name(), *n.Anchor), "choose another name")
		case !here && c.RelyingParty() == rpID && c.Origin() == n.Origin:
			return c, nil
		}
		usedHere = usedHere || here
	}
	if usedHere && n.Anchor == nil || !k.HasSeed() {
		return nil, &device.ExistsError{Name: k.Name()}
	}
	userID, err := device.NewUserID(a.Random)
	if err != nil {
		return nil, err
	}
	c, err := k.Create(device.CreateRequest{
		Kind: device.Discoverable, RPID: rpID, Origin: n.Origin, User: device.User{ID: userID, Name: n.Alias}, HMACSecret: true,
	}, a.Random, a.Now())
	if err == nil && n.undo == "" {
		n.undo = k.Name() + "/" + c.Label
	}
	return c, err
}

// Undo takes the passkey out of the store again, if it was made for this: it was not offered to the canister in the end.
func (n *NewDevice) Undo(a *session.App, cause error) error {
	if n.undo == "" {
		return cause
	}
	return errors.Join(cause, a.ChangeKeys(func(k *device.Keys) error { return k.Remove(n.undo) }))
}

// Discard takes the passkey out of the store again after the canister refused it, if it was made for
// this. If the answer is unknown, the key stays: the call may have succeeded.
func (n *NewDevice) Discard(a *session.App, cause error) error {
	var reject *client.Reject
	var refused *provider.RefusedError
	if errors.As(cause, &reject) || errors.As(cause, &refused) {
		return n.Undo(a, cause)
	}
	a.Warn("whether the canister took the passkey %q is not known, so it stays in the key store", n.Name)
	return cause
}
