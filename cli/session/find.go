package session

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

// Found is a device of the anchor that a person named.
//
// A name is not a key: whoever has any device of the anchor chooses its alias, and may list a recovery
// phrase of his own. What identifies a device is its key: the signer's own, one of this key store, or
// one that was typed whole.
type Found struct {
	Device kedge.DeviceWithUsage
	Known  bool   // by its key, not by an alias or a kind
	Name   string // in the key store, if it is there
}

// String names the device in messages: one that is known by what the person calls it, any other with the
// ends of its principal.
func (f Found) String() string {
	if f.Known {
		return ui.Printable(f.Device.Alias)
	}
	return f.Label()
}

// Principal returns the principal of the device.
func (f Found) Principal() principal.Principal {
	return principal.SelfAuthenticating(f.Device.Pubkey)
}

// Label names the device for people: its alias and the ends of its principal.
func (f Found) Label() string { return Label(f.Device.Alias, f.Device.Pubkey) }

// Label names a device for people: its alias and the ends of its principal.
func Label(alias string, key []byte) string {
	return fmt.Sprintf("%s (%s)", ui.Printable(alias), ui.ShortPrincipal(principal.SelfAuthenticating(key)))
}

// FindDevice reads the anchor and returns the device that a person means, see [App.MatchDevice].
func (a *App) FindDevice(ctx context.Context, s *Session, name string) (Found, error) {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return Found{}, err
	}
	return a.MatchDevice(s, info.Devices, name)
}

// FindKey is FindDevice for what needs the key alone. A signer that means itself is not looked up: that
// would be an update call, and so a sign of life that may change what the command is about.
func (a *App) FindKey(ctx context.Context, s *Session, name string) (Found, error) {
	if name == s.Signer.Name {
		return Found{Device: kedge.DeviceWithUsage{Pubkey: s.Signer.Key.PublicKey(), Alias: name}, Known: true, Name: name}, nil
	}
	return a.FindDevice(ctx, s, name)
}

// MatchDevice returns the device that a person means: by a principal or a public key in hexadecimal, by
// a name in the key store, by "phrase" for the anchor's recovery phrase, or by an alias. A name that
// the key store has means that key and no other, so it is an error if the anchor does not have it. Two
// that fit are an error.
func (a *App) MatchDevice(s *Session, devices []kedge.DeviceWithUsage, name string) (Found, error) {
	own, err := a.OwnKeys(s)
	if err != nil {
		return Found{}, err
	}
	if own.closed && name != device.ReservedName && !typedKey(devices, name) {
		keys, err := a.LoadKeys()
		if err != nil {
			return Found{}, ui.Hinted(fmt.Errorf("the key store is needed to know which key %q is: %w", name, err),
				"give the device's principal in place of the name; kedge device list --json shows it")
		}
		own = OwnKeys{keys: keys.All()}
	}
	for _, d := range devices {
		if names(d.Pubkey, name) {
			return Found{Device: d, Known: true, Name: own.Name(d.Pubkey)}, nil
		}
	}
	key, called := own.key(name), fmt.Sprintf("the key %q of the key store", name)
	if name == s.Signer.Name {
		key, called = s.Signer.Key.PublicKey(), s.Signer.String()
	}
	if key != nil {
		f, err := matchKey(s.Anchor, devices, name, key, called)
		f.Name = own.Name(f.Device.Pubkey)
		return f, err
	}
	found, err := matchName(s.Anchor, devices, name)
	if err != nil {
		return Found{}, err
	}
	f := Found{Device: found, Name: own.Name(found.Pubkey)}
	f.Known = f.Name != "" || bytes.Equal(found.Pubkey, s.Signer.Key.PublicKey())
	return f, nil
}

func typedKey(devices []kedge.DeviceWithUsage, text string) bool {
	return slices.ContainsFunc(devices, func(d kedge.DeviceWithUsage) bool { return names(d.Pubkey, text) })
}

// names reports whether text is the key itself: its principal, or its DER in hexadecimal.
func names(key []byte, text string) bool {
	return strings.EqualFold(hex.EncodeToString(key), text) || principal.SelfAuthenticating(key).Text() == text
}

func matchKey(anchor uint64, devices []kedge.DeviceWithUsage, name string, key []byte, called string) (Found, error) {
	for _, d := range devices {
		if bytes.Equal(d.Pubkey, key) {
			return Found{Device: d, Known: true}, nil
		}
	}
	err := fmt.Errorf("%s is not a device of anchor %d", called, anchor)
	for _, d := range devices {
		if d.Alias == name {
			return Found{}, ui.Hinted(fmt.Errorf("%w; another device has that alias, with the principal %s", err, principal.SelfAuthenticating(d.Pubkey)),
				"kedge device list and kedge history show what happened; the principal in place of the name means the other device")
		}
	}
	return Found{}, ui.Hinted(err, "kedge device list shows the devices")
}

// matchName finds a device by what the anchor says of it.
func matchName(anchor uint64, devices []kedge.DeviceWithUsage, name string) (kedge.DeviceWithUsage, error) {
	for _, fits := range []func(kedge.DeviceWithUsage) bool{
		func(d kedge.DeviceWithUsage) bool {
			return name == device.ReservedName && d.KeyType == kedge.KeyTypeSeedPhrase
		},
		func(d kedge.DeviceWithUsage) bool { return d.Alias == name },
	} {
		var found []kedge.DeviceWithUsage
		for _, d := range devices {
			if fits(d) {
				found = append(found, d)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return kedge.DeviceWithUsage{}, ui.Hinted(fmt.Errorf("%d devices of anchor %d are called %q", len(found), anchor, name),
				"kedge device list --json shows their principals; give one of them in place of the name")
		}
	}
	return kedge.DeviceWithUsage{}, ui.Hinted(fmt.Errorf("anchor %d has no device %q", anchor, name),
		"kedge device list shows the devices; a name in the key store, an alias, a principal, a public key or phrase says which one")
}

// OwnKeys says which public keys are whose in the key store.
type OwnKeys struct {
	keys   []device.StoredPasskey
	closed bool // it was not opened, so nothing is known
}

// OwnKeys reads the key store. The phrase is not kept there, so with a phrase as the signer the store is
// left closed: whoever has only the paper has no passphrase.
func (a *App) OwnKeys(s *Session) (OwnKeys, error) {
	if s.Signer.IsPhrase() && a.opened == nil && a.PassphraseFile() == "" && a.agentKeys() == nil {
		exists, err := a.KeysExist()
		return OwnKeys{closed: exists}, err
	}
	keys, err := a.LoadKeys()
	if err != nil {
		return OwnKeys{}, err
	}
	return OwnKeys{keys: keys.All()}, nil
}

// Closed reports whether the key store was left closed, so that nothing is known of it.
func (o OwnKeys) Closed() bool { return o.closed }

// Name returns what the key store calls a key, or nothing.
func (o OwnKeys) Name(publicKey []byte) string {
	for _, stored := range o.keys {
		if bytes.Equal(stored.Passkey.PublicKey(), publicKey) {
			return stored.Name
		}
	}
	return ""
}

func (o OwnKeys) key(name string) []byte {
	for _, stored := range o.keys {
		if stored.Name == name {
			return stored.Passkey.PublicKey()
		}
	}
	return nil
}
