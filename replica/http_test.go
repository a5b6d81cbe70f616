package replica_test

import (
	"net/url"
	"testing"

	agent "github.com/aviate-labs/agent-go"
	"github.com/aviate-labs/agent-go/identity"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/stretchr/testify/require"

	"kedge/replica"
)

// TestAgentGo drives the network with agent-go over HTTP, with verification of queries and certificates.
func TestAgentGo(t *testing.T) {
	w := newWorld(t, replica.WithListen("127.0.0.1:0"))
	a, b := w.deploy("scenario"), w.deploy("scenario")
	host, err := url.Parse(w.URL())
	require.NoError(t, err)
	id, err := identity.NewRandomSecp256k1Identity()
	require.NoError(t, err)
	client, err := agent.New(agent.Config{Identity: id, FetchRootKey: true, ClientConfig: []agent.ClientOption{agent.WithHostURL(host)}})
	require.NoError(t, err)
	canister := agentprincipal.Principal{Raw: a.Bytes()}

	var reply string
	require.NoError(t, client.Query(canister, "echo", []any{"hello"}, []any{&reply}))
	require.Equal(t, "hello", reply)
	require.NoError(t, client.Call(canister, "echo", []any{"hello, all"}, []any{&reply}))
	require.Equal(t, "hello, all", reply)

	err = client.Call(canister, "crash", nil, nil)
	require.ErrorContains(t, err, "Canister trapped: unreachable")
	err = client.Query(canister, "nothing", nil, nil)
	require.ErrorContains(t, err, "has no query method")
	hash, err := client.GetCanisterModuleHash(agentprincipal.Principal{Raw: b.Bytes()})
	require.NoError(t, err)
	status, err := w.Status(ctx, b)
	require.NoError(t, err)
	require.Equal(t, status.ModuleHash, hash)
}
