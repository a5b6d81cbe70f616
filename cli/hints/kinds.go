package hints

import (
	"context"
	"errors"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/keyagent"
)

// kind is what one kind of error is called for programs, what to do next, and the exit code of the process.
type kind struct {
	is   func(error) bool
	name string // empty: that of the exit code
	hint string
	exit int
}

// are tells whether an error is one of these.
func are(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

// of tells whether an error is of a type.
func of[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// kinds are the kinds of errors that are told by their type, the first that fits first. Names are added, never
// changed. Refusals of the canister and rejects of the network have codes of their own, see refusal.go.
var kinds = []kind{
	{are(ui.ErrInterrupted, context.Canceled), "interrupted", "", ui.ExitInterrupted},
	{are(ui.ErrDeclined), "declined", "", ui.ExitNotAsked},
	{are(ui.ErrNoTerminal), "no_terminal", "", ui.ExitNotAsked},
	{of[*client.ClockError], "clock", "set this machine's clock", ui.ExitRefused},
	{of[*client.UnreachableError], "unreachable", "kedge network start runs one on this machine; --network names another", ui.ExitNetwork},
	{of[*client.UntrustedError], "untrusted",
		"check --network, --root-key and this machine's clock; on a network that was started anew, kedge deploy again", ui.ExitNetwork},
	{are(client.ErrNoRootKey), "no_root_key", "--root-key HEX gives it; --network ic is the Internet Computer, whose key is built in", ui.ExitNetwork},
	{are(session.ErrNoCanister), "no_canister", "", ui.ExitFailed},
	{of[*device.NotFoundError], "no_such_key", "kedge key list shows what the key store has", ui.ExitFailed},
	{of[*device.NewerStoreError], "newer_store", "install the kedge that wrote it, or a later one; nothing was changed", ui.ExitFailed},
	{of[*device.ExistsError], "key_exists", "choose another name", ui.ExitFailed},
	{are(device.ErrWrongPassphrase), "wrong_passphrase",
		"KEDGE_PASSPHRASE_FILE or the prompt has to give the one that the store was made with; --keys names another store", ui.ExitSecret},
	{are(keyagent.ErrLocked, keyagent.ErrEnded), "", "kedge key unlock starts the agent; without it the passphrase is asked for", ui.ExitSecret},
	{are(device.ErrPhraseChecksum), "wrong_words", "compare the words and their order with the paper", ui.ExitSecret},
	{of[*device.WordError], "wrong_words", "compare the words with the paper", ui.ExitSecret},
	{of[*device.WordCountError], "wrong_words", "compare the words with the paper", ui.ExitSecret},
	{of[*provider.RefusedError], "", "", ui.ExitRefused},
	{of[*client.Reject], "", "", ui.ExitRefused},
	{of[*client.HTTPError], "", "", ui.ExitRefused},
}

// kindOf returns the kind of an error; one that is not known failed.
func kindOf(err error) kind {
	for _, k := range kinds {
		if k.is(err) {
			return k
		}
	}
	return kind{exit: ui.ExitFailed}
}
