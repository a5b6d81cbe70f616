package cli

import (
	"context"

	"kedge/candid/kedge"
)

// The methods of Kedge's own, beside the classic ones of provider.go.

func (p *provider) guardSet(ctx context.Context, anchor uint64, on bool) error {
	reply, err := p.call(ctx, "guard_set", kedge.EncodeGuardSetArgs(anchor, on))
	return settle("guard_set", reply, err)
}

func (p *provider) deviceBoundSet(ctx context.Context, anchor uint64, on bool) error {
	reply, err := p.call(ctx, "device_bound_set", kedge.EncodeDeviceBoundSetArgs(anchor, on))
	return settle("device_bound_set", reply, err)
}

func (p *provider) sessionLimitSet(ctx context.Context, anchor uint64, seconds *uint64) error {
	reply, err := p.call(ctx, "session_limit_set", kedge.EncodeSessionLimitSetArgs(anchor, seconds))
	return settle("session_limit_set", reply, err)
}

func (p *provider) releaseConsent(ctx context.Context, anchor uint64, consent *kedge.ReleaseConsentConsent) error {
	reply, err := p.call(ctx, "release_consent", kedge.EncodeReleaseConsentArgs(anchor, consent))
	return settle("release_consent", reply, err)
}

func (p *provider) releaseRequest(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.call(ctx, "release_request", kedge.EncodeReleaseRequestArgs(anchor, key))
	return settle("release_request", reply, err)
}

func (p *provider) releaseCancel(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.call(ctx, "release_cancel", kedge.EncodeReleaseCancelArgs(anchor, key))
	return settle("release_cancel", reply, err)
}

func (p *provider) releaseComplete(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.call(ctx, "release_complete", kedge.EncodeReleaseCompleteArgs(anchor, key))
	return settle("release_complete", reply, err)
}

// recoveryReport reads which disasters the anchor would survive.
func (p *provider) recoveryReport(ctx context.Context, anchor uint64) (kedge.RecoveryReport, error) {
	reply, err := p.query(ctx, "recovery_report", kedge.EncodeRecoveryReportArgs(anchor))
	result, err := decoded("recovery_report", reply, err, kedge.DecodeRecoveryReportResult)
	if err == nil && result.Tag == kedge.RecoveryReportResultTagErr {
		err = refusal(result.Err)
	}
	return result.Ok, err
}

// history reads at most max events of the anchor, from a number on.
func (p *provider) history(ctx context.Context, anchor uint64, from *uint64, max uint32) (kedge.History, error) {
	reply, err := p.query(ctx, "history", kedge.EncodeHistoryArgs(anchor, from, max))
	result, err := decoded("history", reply, err, kedge.DecodeHistoryResult)
	if err == nil && result.Tag == kedge.HistoryResultTagErr {
		err = refusal(result.Err)
	}
	return result.Ok, err
}

func (p *provider) attestationChallenge(ctx context.Context, anchor uint64) (kedge.AttestationChallenge, error) {
	reply, err := p.call(ctx, "attestation_challenge", kedge.EncodeAttestationChallengeArgs(anchor))
	result, err := decoded("attestation_challenge", reply, err, kedge.DecodeAttestationChallengeResult)
	if err == nil && result.Tag == kedge.AttestationChallengeResultTagErr {
		err = refusal(result.Err)
	}
	return result.Ok, err
}

func (p *provider) attest(ctx context.Context, anchor uint64, a kedge.Assertion) (kedge.Attestation, error) {
	reply, err := p.call(ctx, "attest", kedge.EncodeAttestArgs(anchor, a))
	result, err := decoded("attest", reply, err, kedge.DecodeAttestResult)
	if err == nil && result.Tag == kedge.AttestResultTagErr {
		err = refusal(result.Err)
	}
	return result.Ok, err
}

// lookupByCredential returns the anchors that have a device with the credential id, at most 16.
func (p *provider) lookupByCredential(ctx context.Context, id []byte) ([]kedge.CredentialMatch, error) {
	reply, err := p.query(ctx, "lookup_by_credential", kedge.EncodeLookupByCredentialArgs(id))
	return decoded("lookup_by_credential", reply, err, kedge.DecodeLookupByCredentialResult)
}
