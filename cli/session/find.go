package session

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/device"
)

// PhraseAlias is what Internet Identity calls a recovery phrase among the devices.
const PhraseAlias = "Recovery phrase"

// PasskeyData returns the device record of a passkey.
func PasskeyData(alias string, p *device.Passkey) kedge.DeviceData {
	origin := p.Origin()
	return kedge.DeviceData{
		Pubkey: p.PublicKey(), Alias: alias, CredentialID: p.CredentialID(),
		Purpose: kedge.PurposeAuthentication, KeyType: kedge.KeyTypePlatform,
		Protection: kedge.DeviceProtectionUnprotected, Origin: &origin,
	}
}

// PhraseData returns the device record of a recovery phrase.
func PhraseData(p device.Phrase) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey: p.Key().PublicKey(), Alias: PhraseAlias,
		Purpose: kedge.PurposeRecovery, KeyType: kedge.KeyTypeSeedPhrase,
		Protection: kedge.DeviceProtectionUnprotected,
	}
}

// Classic returns the record of a device without its use, for update.
func Classic(d kedge.DeviceWithUsage) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Aaguid: d.Aaguid,
		Purpose: d.Purpose, KeyType: d.KeyType, Protection: d.Protection, Origin: d.Origin, Metadata: d.Metadata,
	}
}

// FindDevice returns the device of the anchor that a person means: "phrase", a name in the key
// store, an alias, or a public key in hexadecimal. Two that fit are an error.
func (a *App) FindDevice(ctx context.Context, s *Session, name string) (kedge.DeviceWithUsage, error) {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return kedge.DeviceWithUsage{}, err
	}
	return a.MatchDevice(s, info.Devices, name)
}

// FindKey is findDevice for what needs the key alone. A signer that means itself is not looked up: that
// would be an update call, and so a sign of life that may change what the command is about.
func (a *App) FindKey(ctx context.Context, s *Session, name string) (key []byte, called string, err error) {
	if name == s.Signer.Name {
		return s.Signer.Key.PublicKey(), s.Signer.String(), nil
	}
	found, err := a.FindDevice(ctx, s, name)
	return found.Pubkey, ui.Printable(found.Alias), err
}

func (a *App) MatchDevice(s *Session, devices []kedge.DeviceWithUsage, name string) (kedge.DeviceWithUsage, error) {
	own, err := a.OwnKeys(s)
	if err != nil {
		return kedge.DeviceWithUsage{}, err
	}
	tests := []func(kedge.DeviceWithUsage) bool{
		func(d kedge.DeviceWithUsage) bool { return own.Name(d.Pubkey) == name },
		func(d kedge.DeviceWithUsage) bool {
			return name == device.ReservedName && d.KeyType == kedge.KeyTypeSeedPhrase
		},
		func(d kedge.DeviceWithUsage) bool { return d.Alias == name },
		func(d kedge.DeviceWithUsage) bool { return strings.EqualFold(hex.EncodeToString(d.Pubkey), name) },
	}
	for _, fits := range tests {
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
			return kedge.DeviceWithUsage{}, ui.Hinted(fmt.Errorf("%d devices of anchor %d are called %q", len(found), s.Anchor, name),
				"kedge device list --json shows their public keys; give that in place of the name")
		}
	}
	return kedge.DeviceWithUsage{}, ui.Hinted(fmt.Errorf("anchor %d has no device %q", s.Anchor, name),
		"kedge device list shows the devices; a name in the key store, an alias, a public key or phrase says which one")
}

// OwnKeys says which public keys are whose in the key store. The phrase is not kept there, so with
// a phrase as the signer the store is left closed: whoever has only the paper has no passphrase.
type OwnKeys []device.StoredPasskey

func (a *App) OwnKeys(s *Session) (OwnKeys, error) {
	if s.Signer.IsPhrase() && a.opened == nil && a.Getenv("KEDGE_PASSPHRASE_FILE") == "" {
		return nil, nil
	}
	keys, err := a.LoadKeys()
	if err != nil {
		return nil, err
	}
	return keys.All(), nil
}

// Name returns what the key store calls a key, or nothing.
func (o OwnKeys) Name(publicKey []byte) string {
	for _, stored := range o {
		if bytes.Equal(stored.Passkey.PublicKey(), publicKey) {
			return stored.Name
		}
	}
	return ""
}
