package canister

import (
	"kedge/candid/kedge"
	"kedge/canister/identity"
)

func releaseConsent() {
	number, consent, err := kedge.DecodeReleaseConsentArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error {
		if consent == nil {
			return c.WithdrawConsent()
		}
		return c.SetConsent(consent.Delay, consent.Askers)
	}))
}

func releaseRequest() {
	number, key, err := kedge.DecodeReleaseRequestArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error {
		_, err := c.RequestRelease(key)
		return err
	}))
}

func releaseCancel() {
	number, key, err := kedge.DecodeReleaseCancelArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.CancelRelease(key) }))
}

func releaseComplete() {
	number, key, err := kedge.DecodeReleaseCompleteArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.CompleteRelease(key) }))
}
