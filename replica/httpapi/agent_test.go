package httpapi

import (
	"net/url"
	"testing"
	"time"

	"github.com/aviate-labs/agent-go"
	"github.com/aviate-labs/agent-go/identity"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/stretchr/testify/require"

	"kedge/replica/certified"
)

func newAgent(t *testing.T, d endpoint, id identity.Identity, options ...agent.ClientOption) *agent.Agent {
	host, err := url.Parse(d.url)
	require.NoError(t, err)
	a, err := agent.New(agent.Config{
		Identity:     id,
		ClientConfig: append(options, agent.WithHostURL(host)),
		FetchRootKey: true,
		PollDelay:    10 * time.Millisecond,
		PollTimeout:  200 * time.Millisecond,
	})
	require.NoError(t, err)
	return a
}

// agent-go, with verification on, takes the HTTP interface for the Internet Computer.
func TestAgentGo(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	target := agentprincipal.Principal{Raw: canister.Bytes()}
	ed, err := identity.NewRandomEd25519Identity()
	require.NoError(t, err)
	k1, err := identity.NewRandomSecp256k1Identity()
	require.NoError(t, err)
	p256, err := identity.NewRandomPrime256v1Identity()
	require.NoError(t, err)
	for name, id := range map[string]identity.Identity{"anonymous": new(identity.AnonymousIdentity), "Ed25519": ed, "secp256k1": k1, "P-256": p256} {
		for form, options := range map[string][]agent.ClientOption{"new": nil, "old": {agent.WithLegacyAPI()}} {
			t.Run(name+" "+form, func(t *testing.T) {
				a := newAgent(t, d, id, options...)
				require.Equal(t, d.state.Keys().RootDER(), a.GetRootKey())

				reply, err := a.QueryRaw(target, "echo", []byte("a query"))
				require.NoError(t, err)
				require.Equal(t, "a query", string(reply))
				_, err = a.QueryRaw(target, "missing", []byte{})
				require.ErrorContains(t, err, "no query missing")

				reply, err = a.CallRaw(target, "echo", []byte("a call"))
				require.NoError(t, err)
				require.Equal(t, "a call", string(reply))
				_, err = a.CallRaw(target, "trap", []byte{})
				require.ErrorContains(t, err, "(5) trapped: IC0503")
				_, err = a.CallRaw(target, "refused", []byte{})
				require.ErrorContains(t, err, "IC0301")
				_, err = a.CallRaw(target, "never", []byte{})
				require.ErrorContains(t, err, "out of time")

				hash, err := a.GetCanisterModuleHash(target)
				require.NoError(t, err)
				require.Len(t, hash, 32)
				candid, err := a.GetCanisterMetadata(target, "candid:service")
				require.NoError(t, err)
				require.Equal(t, "service : {}", string(candid))
				controllers, err := a.GetCanisterControllers(target)
				require.NoError(t, err)
				require.Equal(t, owner.principal().Bytes(), controllers[0].Raw)
				hash, err = a.GetCanisterModuleHash(agentprincipal.Principal{Raw: other.Bytes()})
				require.NoError(t, err)
				require.Nil(t, hash, "no such canister")
				now, err := a.GetTime(target)
				require.NoError(t, err)
				require.WithinDuration(t, time.Now(), now, time.Minute)
			})
		}
	}
}

func TestAgentGoReadsSubnets(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	d.state.SetMetrics(certified.Metrics{Canisters: 3, StateBytes: 4, ConsumedCycles: [2]uint64{5, 0}, UpdateTransactions: 6})
	_, err := d.state.Certify(d.Now())
	require.NoError(t, err)
	a := newAgent(t, d, new(identity.AnonymousIdentity))
	own := agentprincipal.Principal{Raw: d.state.Keys().SubnetID().Bytes()}
	metrics, err := a.GetSubnetMetrics(own)
	require.NoError(t, err)
	require.EqualValues(t, 3, metrics.NumCanisters)
	require.EqualValues(t, 4, metrics.CanisterStateBytes)
	require.EqualValues(t, 5, metrics.ConsumedCyclesTotal.Uint64())
	require.EqualValues(t, 6, metrics.UpdateTransactionsTotal)
}

// Tampering is noticed: with another root key nothing verifies.
func TestAgentGoRefusesAnotherNetwork(t *testing.T) {
	d := newEndpoint(t, newFake(t))
	host, err := url.Parse(d.url)
	require.NoError(t, err)
	a, err := agent.New(agent.Config{ClientConfig: []agent.ClientOption{agent.WithHostURL(host)}}) // the root key of mainnet
	require.NoError(t, err)
	_, err = a.QueryRaw(agentprincipal.Principal{Raw: canister.Bytes()}, "echo", []byte{})
	require.ErrorContains(t, err, "signature verification failed")
}
