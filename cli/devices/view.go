package devices

import (
	"bytes"
	"context"
	"encoding/hex"
	"time"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// View is a device as commands print it.
type View struct {
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

	keyType kedge.KeyType
	short   string // of the principal
}

// ViewOf returns what commands print of a device.
func ViewOf(d kedge.DeviceWithUsage, own session.OwnKeys, signerKey []byte) View {
	v := View{
		Alias: d.Alias, Name: own.Name(d.Pubkey), Signer: bytes.Equal(d.Pubkey, signerKey),
		KeyType: d.KeyType.String(), Purpose: d.Purpose.String(),
		Protected: d.Protection == kedge.DeviceProtectionProtected,
		PublicKey: hex.EncodeToString(d.Pubkey), Principal: principal.SelfAuthenticating(d.Pubkey).Text(),
		CredentialID: hex.EncodeToString(d.CredentialID),
		keyType:      d.KeyType, short: ui.ShortPrincipal(principal.SelfAuthenticating(d.Pubkey)),
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

// Table lays devices out for people.
func Table(views []View) string {
	rows := [][]string{{"ALIAS", "KEY STORE", "PRINCIPAL", "KIND", "PURPOSE", "PROTECTED", "LAST USED"}}
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
		rows = append(rows, []string{ui.Printable(v.Alias), name, v.short, session.Kind(v.keyType), v.Purpose, ui.YesNo(v.Protected), used})
	}
	return ui.Table(rows)
}

// ViewAll reads the devices of the session's anchor.
func ViewAll(ctx context.Context, a *session.App, s *session.Session) ([]View, error) {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return nil, err
	}
	own, err := a.OwnKeys(s)
	if err != nil {
		return nil, err
	}
	views := []View{}
	for _, d := range info.Devices {
		views = append(views, ViewOf(d, own, s.Signer.Key.PublicKey()))
	}
	return views, nil
}
