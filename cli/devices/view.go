package devices

import (
	"bytes"
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

	// What only the anchor's own devices see, except Proven.
	AddedAt          *time.Time       `json:"added_at,omitempty"`
	Proven           *bool            `json:"proven,omitempty"` // has itself signed a call on this anchor
	LapsesInS        *uint64          `json:"lapses_in_s,omitempty"`
	SessionsUntil    *time.Time       `json:"sessions_until,omitempty"`
	Consent          *ConsentView     `json:"consent,omitempty"` // to its own release
	Attestation      *AttestationView `json:"attestation,omitempty"`
	AgreesToContacts *bool            `json:"agrees_to_contacts,omitempty"`

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
	v.LastUsage, v.AddedAt, v.SessionsUntil = instant(d.LastUsage), instant(d.AddedAt), instant(d.SessionsUntil)
	v.Proven, v.LapsesInS, v.AgreesToContacts = d.Proven, d.LapsesInS, d.AgreesToContacts
	v.Consent, v.Attestation = viewConsent(d.Release), viewAttestation(d.Attestation)
	return v
}

// instant is a time of the canister's, or nil.
func instant(at *kedge.Timestamp) *time.Time {
	if at == nil {
		return nil
	}
	t := time.Unix(0, int64(*at)).UTC()
	return &t
}
