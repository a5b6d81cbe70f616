package cli_test

import (
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
	"kedge/tests/harness"
)

// A canister that dfx or icp deployed, with (null) for its init argument and no second step, does all that one of
// kedge deploy does: somebody registers, signs in to an application, and has a passkey attested.
func TestDeployedByOthersWorks(t *testing.T) {
	network, err := replica.Start(replica.WithListen("127.0.0.1:0"), replica.WithCache(moduleCache(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	canister, err := network.Deploy(t.Context(), principal.SelfAuthenticating([]byte("the identity of dfx")), harness.Module(t), []byte("DIDL\x00\x01\x7f"))
	require.NoError(t, err)

	o := newDeployer(t, network.URL())
	address, err := url.Parse(network.URL())
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(".dfx/local", 0o755))
	require.NoError(t, os.WriteFile("dfx.json", fmt.Appendf(nil, `{"canisters":{"kedge":{}},"networks":{"local":{"bind":%q}}}`, address.Host), 0o644))
	require.NoError(t, os.WriteFile(".dfx/local/canister_ids.json", fmt.Appendf(nil, `{"kedge":{"local":%q}}`, canister.Text()), 0o644))

	o.must("anchor", "create", "--device", "laptop", "--device-bound", "--no-phrase")
	require.Contains(t, o.must("login", "https://app.example"), "https://app.example")
	require.Contains(t, o.must("attest"), "device-bound")
	require.Contains(t, o.must("canister", "metrics"), "internet_identity_user_count")
}
