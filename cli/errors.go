package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/device"
)

// Exit codes of the process. They are part of the interface: scripts branch on them.
const (
	exitFailed  = 1 // the command could not do what was asked
	exitUsage   = 2 // unknown command or flag, an argument that makes no sense
	exitNetwork = 3 // the network cannot be reached, or its answer cannot be trusted
	exitRefused = 4 // the canister or the network refused
	exitSecret  = 5 // wrong passphrase, wrong recovery phrase, or nobody there to ask for them
)

// ExitCodes is the table of exit codes, as help shows it.
const ExitCodes = `  0  done
  1  the command could not do what was asked
  2  unknown command or flag, or an argument that makes no sense
  3  the network cannot be reached, or its answer cannot be trusted
  4  the canister or the network refused
  5  wrong passphrase or recovery phrase, or no terminal to ask for them`

// cliError is an error with what to do next and the exit code that it asks for.
type cliError struct {
	err  error
	hint string // a command or a sentence, may be empty
	code int    // 0: by the kind of err
}

func (e *cliError) Error() string { return e.err.Error() }
func (e *cliError) Unwrap() error { return e.err }

// hinted adds what to do next to an error.
func hinted(err error, format string, args ...any) error {
	return &cliError{err: err, hint: fmt.Sprintf(format, args...)}
}

// usagef is an error of the kind that reading the help mends.
func usagef(format string, args ...any) error {
	return &cliError{err: fmt.Errorf(format, args...), code: exitUsage}
}

// secretf is an error about a passphrase or a recovery phrase.
func secretf(hint, format string, args ...any) error {
	return &cliError{err: fmt.Errorf(format, args...), hint: hint, code: exitSecret}
}

// fail prints an error and its hint and returns the exit code.
//
// Standard error carries lines that begin with "kedge:", an error's or warning's with its kind, no
// capitals and no full stops; a hint is the next thing to do. What is secret, and what needs an
// answer, goes to the terminal and nowhere else (terminal.go).
func (a *app) fail(err error) int {
	_, _ = fmt.Fprintf(a.Stderr, "kedge: error: %s\n", err)
	if hint := hintOf(err); hint != "" {
		_, _ = fmt.Fprintf(a.Stderr, "kedge: hint: %s\n", hint)
	}
	return exitCode(err)
}

// note prints a line that is not the result, for a person to read.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.Stderr, "kedge: "+format+"\n", args...)
}

// warn prints something that a person should look at although the command goes on.
func (a *app) warn(format string, args ...any) {
	_, _ = fmt.Fprintf(a.Stderr, "kedge: warning: "+format+"\n", args...)
}

// visit calls found for each cliError that an error wraps, outermost first, until it returns true.
func visit(err error, found func(*cliError) bool) (done bool) {
	if c, ok := err.(*cliError); ok && found(c) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return visit(e.Unwrap(), found)
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			if visit(part, found) {
				return true
			}
		}
	}
	return false
}

func exitCode(err error) int {
	code := 0
	visit(err, func(c *cliError) bool { code = c.code; return code != 0 })
	if code != 0 {
		return code
	}
	var (
		unreachable *client.UnreachableError
		untrusted   *client.UntrustedError
		reject      *client.Reject
		http        *client.HTTPError
		refused     *refusedError
		word        *device.WordError
		count       *device.WordCountError
	)
	switch {
	case errors.As(err, &unreachable), errors.As(err, &untrusted), errors.Is(err, client.ErrNoRootKey):
		return exitNetwork
	case errors.As(err, &reject), errors.As(err, &http), errors.As(err, &refused):
		return exitRefused
	case errors.Is(err, device.ErrWrongPassphrase), errors.Is(err, device.ErrPhraseChecksum),
		errors.As(err, &word), errors.As(err, &count):
		return exitSecret
	}
	return exitFailed
}

// hintOf returns the hint that came with the error, or the one that goes with its kind.
func hintOf(err error) string {
	hint := ""
	visit(err, func(c *cliError) bool { hint = c.hint; return hint != "" })
	if hint != "" {
		return hint
	}
	var (
		unreachable *client.UnreachableError
		untrusted   *client.UntrustedError
		reject      *client.Reject
		missing     *device.NotFoundError
		exists      *device.ExistsError
		word        *device.WordError
		count       *device.WordCountError
	)
	switch {
	case errors.As(err, &unreachable):
		return "kedge network start runs one on this machine; --network names another"
	case errors.As(err, &untrusted):
		return "check --network and --root-key; on a network that was started anew, kedge deploy again"
	case errors.Is(err, client.ErrNoRootKey):
		return "--root-key HEX gives it; --network ic is the Internet Computer, whose key is built in"
	case errors.As(err, &missing):
		return "kedge device list --keys-only shows what the key store has"
	case errors.As(err, &exists):
		return "choose another name with --device"
	case errors.Is(err, device.ErrWrongPassphrase):
		return "KEDGE_PASSPHRASE_FILE or the prompt has to give the one that the store was made with; --keys names another store"
	case errors.Is(err, device.ErrPhraseChecksum):
		return "compare the words and their order with the paper"
	case errors.As(err, &word), errors.As(err, &count):
		return "compare the words with the paper"
	case errors.As(err, &reject):
		return rejectHint(reject)
	}
	return ""
}

// rejectHints go with what the canister says (Internet Identity's texts, which Kedge keeps) or the
// network's error codes. The first that is contained in the message wins.
var rejectHints = []struct{ part, hint string }{
	{"could not be authenticated", "this device is not one of the anchor's; --as names another signer, kedge anchor show lists the devices"},
	{"Must be authenticated with this device", "only the protected device itself may do that; for a recovery phrase add --as phrase"},
	{"Device limit exceeded", "remove a device first: kedge device remove DEVICE"},
	{"device limit exceeded", "remove a device first: kedge device remove DEVICE"},
	{"There is already a recovery phrase", "kedge recovery phrase add --replace takes the old one's place, if it is not protected or signs"},
	{"bad Identity Anchor", "--anchor has a number that was never registered here; kedge anchor create makes one"},
	{"is out of range", "--anchor has a number that was never registered here; kedge anchor create makes one"},
	{"already exists on this anchor", "kedge device list shows it"},
}

// codeHints go with error codes of the network.
var codeHints = map[string]string{
	"IC0301": "no canister has this id on this network; kedge deploy makes one, --canister names another",
	"IC0536": "the canister has no such method; is it Kedge, and new enough? kedge deploy upgrades it",
	"IC0537": "the canister is empty; kedge deploy installs Kedge",
	"IC0512": "only a controller of the canister may do that; --as names another signer",
}

func rejectHint(r *client.Reject) string {
	for _, h := range rejectHints {
		if strings.Contains(r.Message, h.part) {
			return h.hint
		}
	}
	return codeHints[r.ErrorCode]
}

// refusalHints say what to do about a refusal of Kedge's own methods.
var refusalHints = map[kedge.ErrorCode]string{
	kedge.ErrorCodeNotADevice:     "--as names another signer; kedge anchor show lists the devices of an anchor",
	kedge.ErrorCodeNoSuchDevice:   "kedge device list shows the devices",
	kedge.ErrorCodeNoSuchAnchor:   "--anchor has a number that was never registered here; kedge anchor create makes one",
	kedge.ErrorCodeSelfOnly:       "sign with the protected device itself; for a recovery phrase add --as phrase",
	kedge.ErrorCodeNotGranted:     "sign with a protected device; --as phrase if that is the recovery phrase",
	kedge.ErrorCodeNeedsProtected: "sign with a protected device; --as phrase if that is the recovery phrase",
	kedge.ErrorCodeGuarded:        "the guard is on, so a protected device has to sign; --as phrase if that is the recovery phrase",
	kedge.ErrorCodeSecondPhrase:   "kedge recovery phrase add --replace puts a new one in the place of the old",
	kedge.ErrorCodeNotDeviceBound: "kedge attest --as DEVICE shows what kind of key it is; kedge device-bound off lifts the demand",
	kedge.ErrorCodeNoConsent:      "the protected device consents first: kedge release consent",
	kedge.ErrorCodeTooEarly:       "kedge release status says how long is left",
	kedge.ErrorCodeBadAssertion:   "the operator names the origins with kedge deploy --origin; kedge device list --keys-only shows the passkey's",
	kedge.ErrorCodeNotController:  "--as names the device that the canister has as a controller; kedge deploy uses the key store's deployer",
}

// refusedError is an Err of one of Kedge's own methods.
type refusedError struct{ sentence string }

func (e *refusedError) Error() string { return e.sentence }

// argsError gives cobra's complaints about arguments the exit code of wrong usage.
func argsError(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &cliError{err: err, code: exitUsage, hint: cmd.CommandPath() + " --help"}
		}
		return nil
	}
}
