package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
)

// Device is somebody's device: a name, and the key that the name stands for. The network is told who
// calls, so nothing is signed here; what signatures do is tested with real clients.
type Device struct {
	Name string
	Data kedge.DeviceData
}

// KeyOf is the public key of a name: an Ed25519 key in DER for which nobody has the private key.
func KeyOf(name string) []byte {
	hash := sha256.Sum256([]byte(name))
	return append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, hash[:]...)
}

// PasskeyKeyOf is the public key of a name as passkeys have them: an ES256 key of 96 bytes in DER.
func PasskeyKeyOf(name string) []byte {
	scalar := sha256.Sum256([]byte(name))
	scalar[0] &= 0x7f // below the order of the group
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		panic(err) // a hash of zeros
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	der := []byte{0x30, 0x5e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01, 0x03, 0x4e, 0x00,
		0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}
	der = append(der, point[1:33]...)
	return append(append(der, 0x22, 0x58, 0x20), point[33:]...)
}

// NewDevice is an everyday device.
func NewDevice(name string) *Device {
	return &Device{Name: name, Data: kedge.DeviceData{
		Pubkey:     KeyOf(name),
		Alias:      name,
		Purpose:    kedge.PurposeAuthentication,
		KeyType:    kedge.KeyTypeUnknown,
		Protection: kedge.DeviceProtectionUnprotected,
	}}
}

// NewPhrase is a recovery phrase.
func NewPhrase(name string) *Device {
	d := NewDevice(name)
	d.Data.Purpose, d.Data.KeyType = kedge.PurposeRecovery, kedge.KeyTypeSeedPhrase
	return d
}

// Key is the device's public key.
func (d *Device) Key() []byte { return d.Data.Pubkey }

// Principal is who the device is when it calls.
func (d *Device) Principal() principal.Principal { return principal.SelfAuthenticating(d.Data.Pubkey) }

// Marked is a copy of the device that is offered with the protection mark.
func (d *Device) Marked() *Device {
	marked := *d
	marked.Data.Protection = kedge.DeviceProtectionProtected
	return &marked
}

// Renamed is a copy of the device with another alias.
func (d *Device) Renamed(alias string) *Device {
	renamed := *d
	renamed.Data.Alias = alias
	return &renamed
}

// Register makes an anchor whose first device is d.
func (h *Harness) Register(d *Device) uint64 {
	h.Helper()
	reply, err := h.Call(d.Principal(), "register", kedge.EncodeRegisterArgs(d.Data, kedge.ChallengeResult{}, nil))
	require.NoError(h, err)
	response, err := kedge.DecodeRegisterResult(reply)
	require.NoError(h, err)
	require.Equal(h, kedge.RegisterResponseTagRegistered, response.Tag)
	return response.Registered.UserNumber
}

// Add is as adding another, which fails or not.
func (h *Harness) Add(anchor uint64, as, d *Device) error {
	_, err := h.Call(as.Principal(), "add", kedge.EncodeAddArgs(anchor, d.Data))
	return err
}

// Update is as changing d to what it says now.
func (h *Harness) Update(anchor uint64, as, d *Device) error {
	_, err := h.Call(as.Principal(), "update", kedge.EncodeUpdateArgs(anchor, d.Key(), d.Data))
	return err
}

// Replace is as putting d in the place of gone.
func (h *Harness) Replace(anchor uint64, as, gone, d *Device) error {
	_, err := h.Call(as.Principal(), "replace", kedge.EncodeReplaceArgs(anchor, gone.Key(), d.Data))
	return err
}

// Remove is as removing d.
func (h *Harness) Remove(anchor uint64, as, d *Device) error {
	_, err := h.Call(as.Principal(), "remove", kedge.EncodeRemoveArgs(anchor, d.Key()))
	return err
}

// Protect is as protecting d; what is refused comes back as a *Refused.
func (h *Harness) Protect(anchor uint64, as, d *Device) error {
	return h.result(h.Call(as.Principal(), "protect", kedge.EncodeProtectArgs(anchor, d.Key())))
}

// Unprotect is as unprotecting d.
func (h *Harness) Unprotect(anchor uint64, as, d *Device) error {
	return h.result(h.Call(as.Principal(), "unprotect", kedge.EncodeUnprotectArgs(anchor, d.Key())))
}

// Guard is as switching the guard.
func (h *Harness) Guard(anchor uint64, as *Device, on bool) error {
	return h.result(h.Call(as.Principal(), "guard_set", kedge.EncodeGuardSetArgs(anchor, on)))
}

// Consent is as consenting to its own release by askers after days; no askers withdraws.
func (h *Harness) Consent(anchor uint64, as *Device, days uint64, askers ...*Device) error {
	if len(askers) > 0 {
		return h.ConsentTo(anchor, as, days, askers)
	}
	return h.result(h.Call(as.Principal(), "release_consent", kedge.EncodeReleaseConsentArgs(anchor, nil)))
}

// ConsentTo is Consent with a list that may be empty, which is refused.
func (h *Harness) ConsentTo(anchor uint64, as *Device, days uint64, askers []*Device) error {
	consent := &kedge.ReleaseConsentConsent{Delay: days * 24 * 3600}
	for _, asker := range askers {
		consent.Askers = append(consent.Askers, asker.Key())
	}
	return h.result(h.Call(as.Principal(), "release_consent", kedge.EncodeReleaseConsentArgs(anchor, consent)))
}

// Ask is as asking for the release of d.
func (h *Harness) Ask(anchor uint64, as, d *Device) error {
	return h.result(h.Call(as.Principal(), "release_request", kedge.EncodeReleaseRequestArgs(anchor, d.Key())))
}

// Cancel is as refusing what was asked of d.
func (h *Harness) Cancel(anchor uint64, as, d *Device) error {
	return h.result(h.Call(as.Principal(), "release_cancel", kedge.EncodeReleaseCancelArgs(anchor, d.Key())))
}

// Complete is as completing the release of d.
func (h *Harness) Complete(anchor uint64, as, d *Device) error {
	return h.result(h.Call(as.Principal(), "release_complete", kedge.EncodeReleaseCompleteArgs(anchor, d.Key())))
}

// Info is what as sees of the anchor; a sign of life of as.
func (h *Harness) Info(anchor uint64, as *Device) kedge.IdentityAnchorInfo {
	h.Helper()
	info, err := h.TryInfo(anchor, as)
	require.NoError(h, err)
	return info
}

// TryInfo is Info for somebody who may be refused.
func (h *Harness) TryInfo(anchor uint64, as *Device) (kedge.IdentityAnchorInfo, error) {
	reply, err := h.Call(as.Principal(), "get_anchor_info", kedge.EncodeGetAnchorInfoArgs(anchor))
	if err != nil {
		return kedge.IdentityAnchorInfo{}, err
	}
	return kedge.DecodeGetAnchorInfoResult(reply)
}

// Lookup is what everyone sees of the anchor.
func (h *Harness) Lookup(anchor uint64) []kedge.LookupDevice {
	h.Helper()
	reply, err := h.Query(principal.Anonymous, "lookup", kedge.EncodeLookupArgs(anchor))
	require.NoError(h, err)
	devices, err := kedge.DecodeLookupResult(reply)
	require.NoError(h, err)
	return devices
}

// Has reports whether the anchor has the device, and whether it is marked.
func (h *Harness) Has(anchor uint64, d *Device) (there, marked bool) {
	h.Helper()
	for _, device := range h.Lookup(anchor) {
		if string(device.Pubkey) == string(d.Key()) {
			return true, device.Protection == kedge.DeviceProtectionProtected
		}
	}
	return false, false
}

// Refused is the answer of one of Kedge's own methods that refuses.
type Refused struct{ Reason kedge.Error }

// Error returns the canister's sentence.
func (r *Refused) Error() string { return r.Reason.Message }

// RequireRefused requires that a method of Kedge's own refused for this reason.
func (h *Harness) RequireRefused(code kedge.ErrorCode, err error) {
	h.Helper()
	var refused *Refused
	require.ErrorAs(h, err, &refused)
	require.NotNil(h, refused.Reason.Code)
	require.Equal(h, code, *refused.Reason.Code, refused.Reason.Message)
}

func (h *Harness) result(reply []byte, err error) error {
	h.Helper()
	require.NoError(h, err, "the methods of Kedge's own answer, they do not trap")
	result, err := kedge.DecodeProtectResult(reply)
	require.NoError(h, err)
	if result.Tag == kedge.ResultTagErr {
		return &Refused{Reason: result.Err}
	}
	return nil
}
