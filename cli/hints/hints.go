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
	"kedge/device"
	"kedge/device/keyagent"
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
	var (
		unreachable *client.UnreachableError
		untrusted   *client.UntrustedError
		reject      *client.Reject
		http        *client.HTTPError
		refused     *provider.RefusedError
		word        *device.WordError
		count       *device.WordCountError
	)
	switch {
	case errors.As(err, &unreachable), errors.As(err, &untrusted), errors.Is(err, client.ErrNoRootKey):
		return ui.ExitNetwork
	case errors.Is(err, ui.ErrDeclined), errors.Is(err, ui.ErrNoTerminal):
		return ui.ExitNotAsked
	case errors.As(err, &reject), errors.As(err, &http), errors.As(err, &refused):
		return ui.ExitRefused
	case errors.Is(err, keyagent.ErrLocked), errors.Is(err, keyagent.ErrEnded), errors.Is(err, device.ErrWrongPassphrase), errors.Is(err, device.ErrPhraseChecksum),
		errors.As(err, &word), errors.As(err, &count):
		return ui.ExitSecret
	}
	return ui.ExitFailed
}

// Of returns the hint that came with the error, or the one that goes with its kind.
func Of(err error) string {
	hint := ""
	ui.Visit(err, func(c *ui.Error) bool { hint = c.Hint; return hint != "" })
	if hint != "" {
		return hint
	}
	var (
		unreachable *client.UnreachableError
		untrusted   *client.UntrustedError
		clock       *client.ClockError
		reject      *client.Reject
		refused     *provider.RefusedError
		missing     *device.NotFoundError
		exists      *device.ExistsError
		newer       *device.NewerStoreError
		word        *device.WordError
		count       *device.WordCountError
	)
	switch {
	case errors.As(err, &clock):
		return "set this machine's clock"
	case errors.As(err, &unreachable):
		return "kedge network start runs one on this machine; --network names another"
	case errors.As(err, &untrusted):
		return "check --network, --root-key and this machine's clock; on a network that was started anew, kedge deploy again"
	case errors.Is(err, client.ErrNoRootKey):
		return "--root-key HEX gives it; --network ic is the Internet Computer, whose key is built in"
	case errors.As(err, &missing):
		return "kedge key list shows what the key store has"
	case errors.As(err, &newer):
		return "install the kedge that wrote it, or a later one; nothing was changed"
	case errors.As(err, &exists):
		return "choose another name"
	case errors.Is(err, device.ErrWrongPassphrase):
		return "KEDGE_PASSPHRASE_FILE or the prompt has to give the one that the store was made with; --keys names another store"
	case errors.Is(err, keyagent.ErrLocked), errors.Is(err, keyagent.ErrEnded):
		return "kedge key unlock starts the agent; without it the passphrase is asked for"
	case errors.Is(err, device.ErrPhraseChecksum):
		return "compare the words and their order with the paper"
	case errors.As(err, &word), errors.As(err, &count):
		return "compare the words with the paper"
	case errors.As(err, &refused):
		return refusalHint(refused.Code)
	case errors.As(err, &reject):
		return rejectHint(reject)
	}
	return ""
}

func rejectHint(r *client.Reject) string {
	if text, trapped := r.Trap(); trapped {
		if code, known := provider.CodeOfTrap(text); known {
			return refusalHint(code)
		}
	}
	return networkHints[r.ErrorCode]
}

// networkHints go with error codes of the network.
var networkHints = map[string]string{
	"IC0301": "no canister has this id on this network; kedge deploy makes one, --canister names another",
	"IC0508": "the canister is stopped; its controller starts it with kedge canister start",
	"IC0536": "the canister has no such method; is it Kedge, and new enough? kedge deploy upgrades it",
	"IC0537": "the canister is empty; kedge deploy installs Kedge",
	"IC0542": "only a controller of the canister may do that; --identity names another key",
	"IC0512": "only a controller of the canister may do that; --identity names another key",
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
