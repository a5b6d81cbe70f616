package devices

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// ConsentView is a device's consent to its own release.
type ConsentView struct {
	DelayS uint64      `json:"delay_s"`
	Askers []AskerView `json:"askers"`
}

// AskerView is a device that may ask for a release.
type AskerView struct {
	PublicKey    string  `json:"public_key"`
	CompletesInS *uint64 `json:"completes_in_s"` // null while it has not asked

	short string
}

// AttestationView is what a device has shown about itself last.
type AttestationView struct {
	At             time.Time `json:"at"`
	UserVerified   bool      `json:"user_verified"`
	DeviceBound    bool      `json:"device_bound"`
	BackedUp       bool      `json:"backed_up"`
	CounterStalled bool      `json:"counter_stalled"`
}

// Settings are what protected devices have set for the whole anchor.
type Settings struct {
	Guard            bool       `json:"guard"`
	DeviceBound      bool       `json:"device_bound"` // demanded of passkeys that become protected
	SessionLimitS    *uint64    `json:"session_limit_s"`
	RegistrationOpen *time.Time `json:"registration_open_until,omitempty"`
	CreatedAt        *time.Time `json:"created_at,omitempty"`
}

func viewConsent(r *kedge.Release) *ConsentView {
	if r == nil {
		return nil
	}
	v := &ConsentView{DelayS: r.DelayS, Askers: []AskerView{}}
	for _, asker := range r.Askers {
		v.Askers = append(v.Askers, AskerView{
			PublicKey: hex.EncodeToString(asker.Pubkey), CompletesInS: asker.CompletesInS,
			short: ui.ShortPrincipal(principal.SelfAuthenticating(asker.Pubkey)),
		})
	}
	return v
}

func viewAttestation(a *kedge.Attestation) *AttestationView {
	if a == nil {
		return nil
	}
	return &AttestationView{
		At: *instant(&a.At), UserVerified: a.UserVerified, DeviceBound: !a.BackupEligible, BackedUp: a.BackedUp, CounterStalled: a.CounterStalled,
	}
}

// settingsOf returns the settings that the canister answered with. One of Internet Identity's own has none of them.
func settingsOf(info kedge.IdentityAnchorInfo) Settings {
	s := Settings{SessionLimitS: info.SessionLimitS, CreatedAt: instant(info.CreatedAt)}
	s.Guard = info.Guard != nil && *info.Guard
	s.DeviceBound = info.DeviceBound != nil && *info.DeviceBound
	if r := info.DeviceRegistration; r != nil {
		s.RegistrationOpen = instant(&r.Expiration)
	}
	return s
}

// Text writes the settings for people.
func (s Settings) Text(now time.Time) string {
	limit := "30d, the longest there is"
	if s.SessionLimitS != nil {
		limit = ui.Seconds(*s.SessionLimitS)
	}
	rows := [][]string{{"guard", onOff(s.Guard)}, {"device-bound demand", onOff(s.DeviceBound)}, {"session limit", limit}}
	if s.RegistrationOpen != nil {
		rows = append(rows, []string{"registration mode", "open until " + ui.When(*s.RegistrationOpen, now)})
	}
	return ui.Table(rows)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// ReadAll reads the settings and the devices of the session's anchor.
func ReadAll(ctx context.Context, a *session.App, s *session.Session) (Settings, []View, error) {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return Settings{}, nil, err
	}
	return Read(a, s, info)
}

// Read is ReadAll of what was read of the anchor already.
func Read(a *session.App, s *session.Session, info kedge.IdentityAnchorInfo) (Settings, []View, error) {
	own, err := a.OwnKeys(s)
	if err != nil {
		return Settings{}, nil, err
	}
	views := []View{}
	for _, d := range info.Devices {
		views = append(views, ViewOf(d, own, s.Signer.Key.PublicKey()))
	}
	return settingsOf(info), views, nil
}

// kind is what people read for the kind of the device. A key of the key store is software, whatever its entry on
// the anchor says, which has no type for that.
func (v View) kind() string {
	if v.Name != "" {
		return "software key"
	}
	return session.Kind(v.keyType)
}

// Table lays devices out for people, with what else is known of them below.
func Table(views []View, now time.Time) string {
	rows := [][]string{{"ALIAS", "KEY STORE", "PRINCIPAL", "KIND", "PURPOSE", "PROTECTED", "PROVEN", "LAST USED"}}
	for _, v := range views {
		used := "never"
		if v.LastUsage != nil {
			used = ui.When(*v.LastUsage, now)
		}
		name := v.Name
		if name == "" {
			name = "-"
		}
		if v.Signer {
			used += " (this call)"
		}
		proven := "-"
		if v.Proven != nil {
			proven = ui.YesNo(*v.Proven)
		}
		rows = append(rows, []string{ui.Printable(v.Alias), ui.Printable(name), v.short, v.kind(), v.Purpose, ui.YesNo(v.Protected), proven, used})
	}
	text := ui.Table(rows)
	labels := map[string]string{}
	for _, v := range views {
		labels[v.PublicKey] = v.label()
	}
	for _, v := range views {
		if lines := v.details(labels, now); len(lines) > 0 {
			text += "\n\n" + v.label() + "\n  " + strings.Join(lines, "\n  ")
		}
	}
	return text
}

func (v View) label() string { return fmt.Sprintf("%s (%s)", ui.Printable(v.Alias), v.short) }

// details are lines about what few devices have.
func (v View) details(labels map[string]string, now time.Time) []string {
	var lines []string
	if v.LapsesInS != nil {
		lines = append(lines, fmt.Sprintf("its protection lapses in %s unless it signs a call itself", span(*v.LapsesInS)))
	}
	if v.SessionsUntil != nil && v.SessionsUntil.After(now) {
		lines = append(lines, fmt.Sprintf("sessions until %s", ui.When(*v.SessionsUntil, now)))
	}
	if c := v.Consent; c != nil {
		lines = append(lines, fmt.Sprintf("consents to its release after %s without a sign of life", span(c.DelayS)))
		for _, asker := range c.Askers {
			label := labels[asker.PublicKey]
			if label == "" {
				label = asker.short
			}
			lines = append(lines, "  "+label+" "+asker.state())
		}
	}
	if at := v.Attestation; at != nil {
		lines = append(lines, at.text(now))
	}
	if v.AgreesToContacts != nil && *v.AgreesToContacts {
		lines = append(lines, "agrees to the recovery contacts")
	}
	return lines
}

func (a AskerView) state() string {
	switch {
	case a.CompletesInS == nil:
		return "may ask"
	case *a.CompletesInS == 0:
		return "has asked and may complete now"
	}
	return "has asked and may complete in " + span(*a.CompletesInS)
}

func (a AttestationView) text(now time.Time) string {
	parts := []string{"device-bound"}
	if !a.DeviceBound {
		parts[0] = "not device-bound"
	}
	if a.BackedUp {
		parts = append(parts, "backed up")
	}
	if !a.UserVerified {
		parts = append(parts, "its user not verified")
	}
	if a.CounterStalled {
		parts = append(parts, "its counter once failed to grow, as that of a copied key may")
	}
	return fmt.Sprintf("attested %s: %s", ui.When(a.At, now), strings.Join(parts, ", "))
}

// span writes a length of time for people: in days or hours where it is long.
func span(seconds uint64) string {
	const most = 200 * 365 * 24 * 3600
	return ui.Rough(time.Duration(min(seconds, most)) * time.Second)
}
