package hints

import (
	"context"
	"errors"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/ui"
	"kedge/device"
)

// Code returns the name of an error's kind for programs: the canister's name of a refusal, the network's code
// of a reject such as IC0301, or else the name of the exit code. Names are added, never changed.
func Code(err error) string {
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
	case errors.Is(err, ui.ErrInterrupted), errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, ui.ErrDeclined):
		return "declined"
	case errors.Is(err, ui.ErrNoTerminal):
		return "no_terminal"
	case errors.As(err, &clock):
		return "clock"
	case errors.As(err, &unreachable):
		return "unreachable"
	case errors.As(err, &untrusted):
		return "untrusted"
	case errors.Is(err, client.ErrNoRootKey):
		return "no_root_key"
	case errors.As(err, &missing):
		return "no_such_key"
	case errors.As(err, &exists):
		return "key_exists"
	case errors.As(err, &newer):
		return "newer_store"
	case errors.Is(err, device.ErrWrongPassphrase):
		return "wrong_passphrase"
	case errors.Is(err, device.ErrPhraseChecksum), errors.As(err, &word), errors.As(err, &count):
		return "wrong_words"
	case errors.As(err, &refused) && refused.Coded:
		return refused.Code.String()
	case errors.As(err, &reject):
		if text, trapped := reject.Trap(); trapped {
			if code, known := provider.CodeOfTrap(text); known {
				return code.String()
			}
		}
		if reject.ErrorCode != "" {
			return reject.ErrorCode
		}
	}
	return exitNames[ExitCode(err)]
}

// exitNames are the kinds of errors that have no name of their own.
var exitNames = map[int]string{
	ui.ExitFailed: "failed", ui.ExitUsage: "usage", ui.ExitNetwork: "network", ui.ExitRefused: "refused", ui.ExitSecret: "secret",
	ui.ExitNotAsked: "not_agreed", ui.ExitNotAccepted: "not_accepted", ui.ExitInterrupted: "interrupted",
}
