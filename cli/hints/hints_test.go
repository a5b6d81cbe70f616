package hints_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/hints"
	"kedge/cli/project"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/keyagent"
)

func TestExitCodes(t *testing.T) {
	refused := provider.Refusal(kedge.Error{Message: "no"})
	for want, err := range map[int]error{
		ui.ExitFailed:  project.ErrNoNetwork,
		ui.ExitUsage:   ui.Usagef("what"),
		ui.ExitNetwork: &client.UnreachableError{},
		ui.ExitRefused: ui.Hinted(refused, "hint"),
		ui.ExitSecret:  ui.Secretf("", "what"),
	} {
		require.Equal(t, want, hints.ExitCode(err))
	}
}

// Every kind of error has its exit code, its name for programs and its hint; what is not known failed.
func TestKinds(t *testing.T) {
	trap := &client.Reject{Code: 5, ErrorCode: "IC0503", Message: "Error from Canister aaaaa-aa: Canister called `ic0.trap` with message: 'Device is locked. Must be authenticated with this device to mutate: …'"}
	for _, c := range []struct {
		err  error
		exit int
		name string
		hint string
	}{
		{context.Canceled, 130, "interrupted", ""},
		{ui.ErrDeclined, 6, "declined", ""},
		{&client.ClockError{Err: &client.Reject{}}, 4, "clock", "set this machine's clock"},
		{&client.UnreachableError{}, 3, "unreachable", "kedge network start"},
		{client.ErrNoRootKey, 3, "no_root_key", "--root-key HEX"},
		{session.ErrNoCanister, 1, "no_canister", ""},
		{&device.NotFoundError{Name: "x"}, 1, "no_such_key", "kedge key list"},
		{&device.ExistsError{Name: "x"}, 1, "key_exists", "another name"},
		{device.ErrWrongPassphrase, 5, "wrong_passphrase", "KEDGE_PASSPHRASE_FILE"},
		{keyagent.ErrLocked, 5, "secret", "kedge key unlock"},
		{device.ErrPhraseChecksum, 5, "wrong_words", "their order"},
		{provider.Refusal(kedge.Error{Message: "no"}), 4, "refused", ""},
		{provider.Refusal(kedge.Error{Message: "no", Code: code(kedge.ErrorCodeGuarded)}), 4, "guarded", "the guard is on"},
		{trap, 4, "self_only", "only the protected device itself"},
		{&client.Reject{ErrorCode: "IC0537"}, 4, "IC0537", "kedge deploy"},
		{&client.HTTPError{}, 4, "refused", ""},
		{&client.Reject{ErrorCode: "IC0512", Message: "Only the controllers"}, 4, "IC0512", "only a controller"},
		{&client.Reject{ErrorCode: "IC0406", Message: "Caller 2vxsx-fae is not allowed to call list_canister_snapshots"}, 4, "IC0406", "only a controller"},
		{&client.Reject{ErrorCode: "IC0406", Message: "Canister x rejected the message"}, 4, "IC0406", ""},
		{ui.Usagef("what"), 2, "usage", ""},
		{errors.New("what"), 1, "failed", ""},
	} {
		wrapped := fmt.Errorf("doing something: %w", c.err)
		require.Equal(t, c.exit, hints.ExitCode(wrapped), "%v", c.err)
		require.Equal(t, c.name, hints.Code(wrapped), "%v", c.err)
		if c.hint == "" {
			require.Empty(t, hints.Of(wrapped), "%v", c.err)
		} else {
			require.Contains(t, hints.Of(wrapped), c.hint, "%v", c.err)
		}
	}
}

func code(c kedge.ErrorCode) *kedge.ErrorCode { return &c }
