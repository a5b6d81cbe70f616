package badinput

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/device"
	"kedge/ic/signature"
	"kedge/tests/harness"
)

// Junk that comes over HTTP is refused by canister_inspect_message, before the canister pays for it.
func TestJunkCostsNothing(t *testing.T) {
	h := harness.OpenLive(t, nil)
	network, err := client.Open(t.Context(), h.Net.URL(), nil)
	require.NoError(t, err)
	signer, err := signature.Generate(signature.Ed25519, nil)
	require.NoError(t, err)
	stranger, err := client.New(network, client.Session{Identity: device.AgentIdentity(signer)})
	require.NoError(t, err)
	anonymous, err := client.New(network, client.Session{})
	require.NoError(t, err)
	call := func(c *client.Client, method string, arg []byte) error {
		_, err := c.Call(context.Background(), h.Canister, method, arg)
		return err
	}
	junk := make([]byte, 1<<20)
	for _, method := range []string{"add", "register", "lookup", "http_request", "fsck"} {
		require.ErrorContains(t, call(stranger, method, junk), "IC0406", method)
	}
	require.ErrorContains(t, call(anonymous, "add", kedge.EncodeLookupArgs(10000)), "IC0406")
	require.ErrorContains(t, call(anonymous, "migration_step", kedge.EncodeMigrationStepArgs(nil, nil)), "IC0406")

	// What may be legal goes through, and is judged by the method.
	require.ErrorContains(t, call(stranger, "add", make([]byte, 4096)), "does not begin with")
	require.NoError(t, call(anonymous, "create_challenge", kedge.EncodeCreateChallengeArgs()))
	require.NoError(t, call(anonymous, "lookup", kedge.EncodeLookupArgs(10000)), "a query sent as an update")
}
