package provider

import (
	"context"

	"kedge/candid/kedge"
)

// The methods of Kedge's own, beside the classic ones of classic.go.

// GuardSet switches the guard.
func (p *Provider) GuardSet(ctx context.Context, anchor uint64, on bool) error {
	reply, err := p.Call(ctx, "guard_set", kedge.EncodeGuardSetArgs(anchor, on))
	return Outcome("guard_set", reply, err)
}

// DeviceBoundSet switches the demand for device-bound passkeys.
func (p *Provider) DeviceBoundSet(ctx context.Context, anchor uint64, on bool) error {
	reply, err := p.Call(ctx, "device_bound_set", kedge.EncodeDeviceBoundSetArgs(anchor, on))
	return Outcome("device_bound_set", reply, err)
}

// SessionLimitSet sets the longest session; nil is 30 days.
func (p *Provider) SessionLimitSet(ctx context.Context, anchor uint64, seconds *uint64) error {
	reply, err := p.Call(ctx, "session_limit_set", kedge.EncodeSessionLimitSetArgs(anchor, seconds))
	return Outcome("session_limit_set", reply, err)
}

// ReleaseConsent has the caller consent to its own release; nil withdraws.
func (p *Provider) ReleaseConsent(ctx context.Context, anchor uint64, consent *kedge.ReleaseConsentConsent) error {
	reply, err := p.Call(ctx, "release_consent", kedge.EncodeReleaseConsentArgs(anchor, consent))
	return Outcome("release_consent", reply, err)
}

// ReleaseRequest asks for the release of a device.
func (p *Provider) ReleaseRequest(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.Call(ctx, "release_request", kedge.EncodeReleaseRequestArgs(anchor, key))
	return Outcome("release_request", reply, err)
}

// ReleaseCancel cancels the release of a device.
func (p *Provider) ReleaseCancel(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.Call(ctx, "release_cancel", kedge.EncodeReleaseCancelArgs(anchor, key))
	return Outcome("release_cancel", reply, err)
}

// ReleaseComplete completes the release of a device.
func (p *Provider) ReleaseComplete(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.Call(ctx, "release_complete", kedge.EncodeReleaseCompleteArgs(anchor, key))
	return Outcome("release_complete", reply, err)
}

// RecoveryReport reads which disasters the anchor would survive.
func (p *Provider) RecoveryReport(ctx context.Context, anchor uint64) (kedge.RecoveryReport, error) {
	reply, err := p.Query(ctx, "recovery_report", kedge.EncodeRecoveryReportArgs(anchor))
	result, err := Decoded("recovery_report", reply, err, kedge.DecodeRecoveryReportResult)
	if err == nil && result.Tag == kedge.RecoveryReportResultTagErr {
		err = Refusal(result.Err)
	}
	return result.Ok, err
}

// History reads at most max events of the anchor, from a number on.
func (p *Provider) History(ctx context.Context, anchor uint64, from *uint64, max uint32) (kedge.History, error) {
	reply, err := p.Query(ctx, "history", kedge.EncodeHistoryArgs(anchor, from, max))
	result, err := Decoded("history", reply, err, kedge.DecodeHistoryResult)
	if err == nil && result.Tag == kedge.HistoryResultTagErr {
		err = Refusal(result.Err)
	}
	return result.Ok, err
}

// AttestationChallenge asks for a challenge.
func (p *Provider) AttestationChallenge(ctx context.Context, anchor uint64) (kedge.AttestationChallenge, error) {
	reply, err := p.Call(ctx, "attestation_challenge", kedge.EncodeAttestationChallengeArgs(anchor))
	result, err := Decoded("attestation_challenge", reply, err, kedge.DecodeAttestationChallengeResult)
	if err == nil && result.Tag == kedge.AttestationChallengeResultTagErr {
		err = Refusal(result.Err)
	}
	return result.Ok, err
}

// Attest answers the challenge.
func (p *Provider) Attest(ctx context.Context, anchor uint64, a kedge.Assertion) (kedge.Attestation, error) {
	reply, err := p.Call(ctx, "attest", kedge.EncodeAttestArgs(anchor, a))
	result, err := Decoded("attest", reply, err, kedge.DecodeAttestResult)
	if err == nil && result.Tag == kedge.AttestResultTagErr {
		err = Refusal(result.Err)
	}
	return result.Ok, err
}

// LookupByCredential returns the anchors that have a device with the credential id, proven ones first.
func (p *Provider) LookupByCredential(ctx context.Context, id []byte) ([]kedge.CredentialMatch, error) {
	return pages(ctx, p, "lookup_by_credential", func(cursor *uint64) []byte { return kedge.EncodeLookupByCredentialArgs(id, cursor) },
		kedge.DecodeLookupByCredentialResult)
}
