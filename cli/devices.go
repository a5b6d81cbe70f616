package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"kedge/candid/kedge"
	"kedge/device"
	"kedge/ic/principal"
)

// phraseAlias is what Internet Identity calls a recovery phrase among the devices.
const phraseAlias = "Recovery phrase"

// passkeyData returns the device record of a passkey.
func passkeyData(alias string, p *device.Passkey) kedge.DeviceData {
	origin := p.Origin()
	return kedge.DeviceData{
		Pubkey: p.PublicKey(), Alias: alias, CredentialID: p.CredentialID(),
		Purpose: kedge.PurposeAuthentication, KeyType: kedge.KeyTypePlatform,
		Protection: kedge.DeviceProtectionUnprotected, Origin: &origin,
	}
}

// phraseData returns the device record of a recovery phrase.
func phraseData(p device.Phrase) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey: p.Key().PublicKey(), Alias: phraseAlias,
		Purpose: kedge.PurposeRecovery, KeyType: kedge.KeyTypeSeedPhrase,
		Protection: kedge.DeviceProtectionUnprotected,
	}
}

// classic returns the record of a device without its use, for update.
func classic(d kedge.DeviceWithUsage) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Aaguid: d.Aaguid,
		Purpose: d.Purpose, KeyType: d.KeyType, Protection: d.Protection, Origin: d.Origin, Metadata: d.Metadata,
	}
}

// findDevice returns the device of the anchor that a person means: "phrase", a name in the key
// store, an alias, or a public key in hexadecimal. Two that fit are an error.
func (a *app) findDevice(ctx context.Context, s *session, name string) (kedge.DeviceWithUsage, error) {
	info, err := s.anchorInfo(ctx, s.anchor)
	if err != nil {
		return kedge.DeviceWithUsage{}, err
	}
	return a.matchDevice(s, info.Devices, name)
}

// findKey is findDevice for what needs the key alone. A signer that means itself is not looked up: that
// would be an update call, and so a sign of life that may change what the command is about.
func (a *app) findKey(ctx context.Context, s *session, name string) (key []byte, called string, err error) {
	if name == s.signer.name {
		return s.signer.key.PublicKey(), s.signer.String(), nil
	}
	found, err := a.findDevice(ctx, s, name)
	return found.Pubkey, printable(found.Alias), err
}

func (a *app) matchDevice(s *session, devices []kedge.DeviceWithUsage, name string) (kedge.DeviceWithUsage, error) {
	own, err := a.ownKeys(s)
	if err != nil {
		return kedge.DeviceWithUsage{}, err
	}
	tests := []func(kedge.DeviceWithUsage) bool{
		func(d kedge.DeviceWithUsage) bool { return own.name(d.Pubkey) == name },
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
			return kedge.DeviceWithUsage{}, hinted(fmt.Errorf("%d devices of anchor %d are called %q", len(found), s.anchor, name),
				"kedge device list --json shows their public keys; give that in place of the name")
		}
	}
	return kedge.DeviceWithUsage{}, hinted(fmt.Errorf("anchor %d has no device %q", s.anchor, name),
		"kedge device list shows the devices; a name in the key store, an alias, a public key or phrase says which one")
}

// ownKeys says which public keys are whose in the key store. The phrase is not kept there, so with
// a phrase as the signer the store is left closed: whoever has only the paper has no passphrase.
type ownKeys []device.StoredPasskey

func (a *app) ownKeys(s *session) (ownKeys, error) {
	if s.signer.isPhrase() && a.opened == nil && a.Getenv("KEDGE_PASSPHRASE_FILE") == "" {
		return nil, nil
	}
	keys, err := a.loadKeys()
	if err != nil {
		return nil, err
	}
	return keys.All(), nil
}

func (o ownKeys) name(publicKey []byte) string {
	for _, stored := range o {
		if bytes.Equal(stored.Passkey.PublicKey(), publicKey) {
			return stored.Name
		}
	}
	return ""
}

// deviceView is a device as commands print it.
type deviceView struct {
	Alias        string     `json:"alias"`
	Name         string     `json:"name,omitempty"` // in the key store
	Signer       bool       `json:"signer,omitempty"`
	KeyType      string     `json:"key_type"`
	Purpose      string     `json:"purpose"`
	Protected    bool       `json:"protected"`
	PublicKey    string     `json:"public_key"`
	Principal    string     `json:"principal"`
	CredentialID string     `json:"credential_id,omitempty"`
	Origin       string     `json:"origin,omitempty"`
	LastUsage    *time.Time `json:"last_usage,omitempty"`
}

func viewDevice(d kedge.DeviceWithUsage, own ownKeys, signerKey []byte) deviceView {
	v := deviceView{
		Alias: d.Alias, Name: own.name(d.Pubkey), Signer: bytes.Equal(d.Pubkey, signerKey),
		KeyType: d.KeyType.String(), Purpose: d.Purpose.String(),
		Protected: d.Protection == kedge.DeviceProtectionProtected,
		PublicKey: hex.EncodeToString(d.Pubkey), Principal: principal.SelfAuthenticating(d.Pubkey).Text(),
		CredentialID: hex.EncodeToString(d.CredentialID),
	}
	if d.Origin != nil {
		v.Origin = *d.Origin
	}
	if d.LastUsage != nil {
		at := time.Unix(0, int64(*d.LastUsage)).UTC()
		v.LastUsage = &at
	}
	return v
}

func deviceTable(views []deviceView) string {
	rows := [][]string{{"ALIAS", "KEY STORE", "KIND", "PURPOSE", "PROTECTED", "LAST USED"}}
	for _, v := range views {
		used := "never"
		if v.LastUsage != nil {
			used = v.LastUsage.Format("2006-01-02 15:04 MST")
		}
		name := v.Name
		if name == "" {
			name = "-"
		}
		if v.Signer {
			used += " (this call)"
		}
		rows = append(rows, []string{printable(v.Alias), name, kindOf(v.KeyType), v.Purpose, yesNo(v.Protected), used})
	}
	return table(rows)
}

// printable shows text that somebody else chose: an alias may hold control characters that would
// steer the terminal.
func printable(s string) string {
	quoted := fmt.Sprintf("%q", s)
	if quoted[1:len(quoted)-1] == s && s != "" {
		return s
	}
	return quoted
}

// kindOf is what people read for a key type; Candid's tag for a recovery phrase is an older word.
func kindOf(keyType string) string {
	if keyType == kedge.KeyTypeSeedPhrase.String() {
		return "recovery phrase"
	}
	return strings.ReplaceAll(keyType, "_", " ")
}
