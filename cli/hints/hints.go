// Package hints says, by the type and code of an error, what to do next and which exit code the
// process ends with. It never reads the text of a message.
package hints

import (
	"context"
	"errors"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/ui"
)

// ExitCode returns the exit code of an error: the one that it carries, or that of its kind.
func ExitCode(err error) int {
	if errors.Is(err, ui.ErrInterrupted) || errors.Is(err, context.Canceled) {
		return ui.ExitInterrupted
	}
	code := 0
	ui.Visit(err, func(c *ui.Error) bool { code = c.Code; return code != 0 })
	if code != 0 {
		return code
	}
	return kindOf(err).exit
}

// Of returns the hint that came with the error, or the one that goes with its kind.
func Of(err error) string {
	hint := ""
	ui.Visit(err, func(c *ui.Error) bool { hint = c.Hint; return hint != "" })
	if hint != "" {
		return hint
	}
	k := kindOf(err)
	if k.exit != ui.ExitRefused || k.hint != "" {
		return k.hint
	}
	if code, ok := refusalOf(err); ok {
		return refusalHint(code)
	}
	var reject *client.Reject
	if errors.As(err, &reject) && reject.ForController() {
		return "only a controller of the canister may do that; --identity names another key"
	}
	return networkHints[rejectOf(err)]
}

// Code returns the name of an error's kind for programs: the canister's name of a refusal, the network's code
// of a reject such as IC0301, or else the name of the exit code. Names are added, never changed.
func Code(err error) string {
	k := kindOf(err)
	if k.name != "" {
		return k.name
	}
	if k.exit == ui.ExitRefused {
		if code, ok := refusalOf(err); ok {
			return code.String()
		}
		if code := rejectOf(err); code != "" {
			return code
		}
	}
	return exitNames[ExitCode(err)]
}

// refusalOf returns the code with which the canister refused, in an answer or in a trap of the classic methods.
func refusalOf(err error) (code kedge.ErrorCode, known bool) {
	var refused *provider.RefusedError
	if errors.As(err, &refused) {
		return refused.Code, refused.Coded
	}
	var reject *client.Reject
	if errors.As(err, &reject) {
		if text, trapped := reject.Trap(); trapped {
			return provider.CodeOfTrap(text)
		}
	}
	return code, false
}

// rejectOf returns the network's code of a reject, empty if there is none.
func rejectOf(err error) string {
	var reject *client.Reject
	if errors.As(err, &reject) {
		return reject.ErrorCode
	}
	return ""
}

// exitNames are the kinds of errors that have no name of their own.
var exitNames = map[int]string{
	ui.ExitFailed: "failed", ui.ExitUsage: "usage", ui.ExitNetwork: "network", ui.ExitRefused: "refused", ui.ExitSecret: "secret",
	ui.ExitNotAsked: "not_agreed", ui.ExitNotAccepted: "not_accepted", ui.ExitInterrupted: "interrupted",
}

// networkHints go with error codes of the network.
var networkHints = map[string]string{
	"IC0301": "no canister has this id on this network; kedge deploy makes one, --canister names another",
	"IC0508": "the canister is stopped; its controller starts it with kedge canister start",
	"IC0536": "the canister has no such method; is it Kedge, and new enough? kedge deploy upgrades it",
	"IC0537": "the canister is empty; kedge deploy installs Kedge",
}

// refusalHints say what to do about a refusal of the canister.
var refusalHints = map[kedge.ErrorCode]string{
	kedge.ErrorCodeNotADevice:     "this device is not one of the anchor's; --as names another signer, kedge anchor show lists the devices",
	kedge.ErrorCodeNoSuchDevice:   "kedge device list shows the devices",
	kedge.ErrorCodeNoSuchAnchor:   "--anchor has a number that was never registered here; kedge anchor create makes one",
	kedge.ErrorCodeSelfOnly:       "only the protected device itself may do that; for a recovery phrase add --as phrase",
	kedge.ErrorCodeNotGranted:     "sign with a protected device; --as phrase if that is the recovery phrase",
	kedge.ErrorCodeNeedsProtected: "sign with a protected device; --as phrase if that is the recovery phrase",
	kedge.ErrorCodeGuarded:        "the guard is on, so a protected device has to sign; --as phrase if that is the recovery phrase",
	kedge.ErrorCodeLastDevice:     "add another device first: kedge device add NAME",
	kedge.ErrorCodeTooManyDevices: "remove a device first: kedge device remove DEVICE",
	kedge.ErrorCodeDeviceExists:   "kedge device list shows it",
	kedge.ErrorCodeSecondPhrase:   "kedge recovery phrase add --replace puts a new one in the place of the old, if the old is not protected or signs",
	kedge.ErrorCodeNotDeviceBound: "kedge attest --as DEVICE shows what kind of key it is; kedge device-bound off lifts the demand",
	kedge.ErrorCodeNoConsent:      "the protected device consents first: kedge release consent",
	kedge.ErrorCodeTooEarly:       "kedge release status says how long is left",
	kedge.ErrorCodeBadAssertion:   "the operator names the origins with kedge deploy --origin; kedge device list --keys-only shows the passkey's",
	kedge.ErrorCodeNotController:  "--identity names the PEM file of a controller's key; without it the key that kedge deploy made here signs",
}
