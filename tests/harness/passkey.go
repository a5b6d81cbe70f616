package harness

import (
	"crypto/rand"
	"sync"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/device"
)

// Origin is where the passkeys of a harness sign, RelyingParty what they sign for: [Attesting] allows both.
const (
	Origin       = "https://id.example.org"
	RelyingParty = "id.example.org"
)

// Attesting are the settings of a canister before which the passkeys of a harness attest.
func Attesting() *kedge.KedgeInit {
	return &kedge.KedgeInit{RelatedOrigins: []string{Origin}, RelyingParties: []string{RelyingParty}}
}

// passkeys are the keys of devices by their names: drawing them anew for each test would prove nothing.
var passkeys sync.Map

// NewPasskey is a device with a real key, which attests that it is bound to its device or not. Passkeys of
// one name are the same.
func (h *Harness) NewPasskey(name string, bound bool) (*Device, *device.Passkey) {
	h.Helper()
	type kind struct {
		name  string
		bound bool
	}
	once, _ := passkeys.LoadOrStore(kind{name, bound}, sync.OnceValues(func() (*device.Passkey, error) {
		return device.NewPasskey(rand.Reader, device.PasskeyOptions{Origin: Origin, DeviceBound: bound})
	}))
	key, err := once.(func() (*device.Passkey, error))()
	require.NoError(h, err)
	d := NewDevice(name)
	d.Data.Pubkey, d.Data.CredentialID, d.Data.KeyType = key.PublicKey(), key.CredentialID(), kedge.KeyTypePlatform
	return d, key
}

// AskChallenge is as asking for an attestation challenge.
func (h *Harness) AskChallenge(anchor uint64, as *Device) (kedge.AttestationChallenge, error) {
	reply, err := h.Call(as.Principal(), "attestation_challenge", kedge.EncodeAttestationChallengeArgs(anchor))
	require.NoError(h, err, "the methods of Kedge's own answer, they do not trap")
	result, err := kedge.DecodeAttestationChallengeResult(reply)
	require.NoError(h, err)
	if result.Tag == kedge.AttestationChallengeResultTagErr {
		return kedge.AttestationChallenge{}, &Refused{Reason: result.Err}
	}
	return result.Ok, nil
}

// Attest is as answering a challenge.
func (h *Harness) Attest(anchor uint64, as *Device, assertion kedge.Assertion) (kedge.Attestation, error) {
	reply, err := h.Call(as.Principal(), "attest", kedge.EncodeAttestArgs(anchor, assertion))
	require.NoError(h, err, "the methods of Kedge's own answer, they do not trap")
	result, err := kedge.DecodeAttestResult(reply)
	require.NoError(h, err)
	if result.Tag == kedge.AttestResultTagErr {
		return kedge.Attestation{}, &Refused{Reason: result.Err}
	}
	return result.Ok, nil
}

// AssertionBy is what the passkey answers to the challenge.
func (h *Harness) AssertionBy(key *device.Passkey, challenge []byte) kedge.Assertion {
	h.Helper()
	a, err := key.Assert(device.AssertionRequest{Challenge: challenge})
	require.NoError(h, err)
	return kedge.Assertion{ClientData: a.ClientDataJSON, AuthenticatorData: a.AuthenticatorData, Signature: a.Signature}
}

// Demand is as switching the demand for device-bound passkeys.
func (h *Harness) Demand(anchor uint64, as *Device, on bool) error {
	return h.result(h.Call(as.Principal(), "device_bound_set", kedge.EncodeDeviceBoundSetArgs(anchor, on)))
}

// LimitSessions is as setting the anchor's longest session in seconds; nil for 30 days.
func (h *Harness) LimitSessions(anchor uint64, as *Device, seconds *uint64) error {
	return h.result(h.Call(as.Principal(), "session_limit_set", kedge.EncodeSessionLimitSetArgs(anchor, seconds)))
}
