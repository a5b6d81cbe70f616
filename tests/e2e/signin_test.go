package e2e

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/device"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
	"kedge/tests/harness"
)

// login is one device of one anchor that signs in over HTTP through agent-go.
type login struct {
	t       *testing.T
	harness *harness.Harness
	network client.Network
	device  *client.Client
	anchor  uint64
	whoami  principal.Principal
}

// newLogin deploys Kedge as dfx and icp do: with a null init argument, and nothing else is called.
func newLogin(t *testing.T) *login {
	h := harness.OpenLive(t, nil)
	whoami, err := h.Net.Deploy(t.Context(), h.Operator, harness.Whoami(t), nil)
	require.NoError(t, err)
	network, err := client.Open(t.Context(), h.Net.URL(), nil)
	require.NoError(t, err)

	passkey, err := device.NewPasskey(rand.Reader, device.PasskeyOptions{Origin: "http://kedge.localhost"})
	require.NoError(t, err)
	l := &login{t: t, harness: h, network: network, whoami: whoami}
	l.device = l.client(client.Session{Identity: device.AgentIdentity(passkey)})
	reply, err := l.device.Call(t.Context(), h.Canister, "register", kedge.EncodeRegisterArgs(kedge.DeviceData{
		Pubkey: passkey.PublicKey(), Alias: "passkey", CredentialID: passkey.CredentialID(),
	}, kedge.ChallengeResult{}, nil))
	require.NoError(t, err)
	registered, err := kedge.DecodeRegisterResult(reply)
	require.NoError(t, err)
	l.anchor = registered.Registered.UserNumber
	return l
}

func (l *login) client(s client.Session) *client.Client {
	c, err := client.New(l.network, s)
	require.NoError(l.t, err)
	return c
}

// signIn returns the chain from the user's key at the origin to the session key.
func (l *login) signIn(origin string, session []byte) client.Chain {
	ctx := l.t.Context()
	reply, err := l.device.Call(ctx, l.harness.Canister, "prepare_delegation", kedge.EncodePrepareDelegationArgs(l.anchor, origin, session, nil))
	require.NoError(l.t, err)
	user, expiration, err := kedge.DecodePrepareDelegationResult(reply)
	require.NoError(l.t, err)
	reply, err = l.device.Query(ctx, l.harness.Canister, "get_delegation", kedge.EncodeGetDelegationArgs(l.anchor, origin, session, expiration))
	require.NoError(l.t, err)
	got, err := kedge.DecodeGetDelegationResult(reply)
	require.NoError(l.t, err)
	require.Equal(l.t, kedge.GetDelegationResponseTagSignedDelegation, got.Tag)
	signed := got.SignedDelegation
	return client.Chain{PublicKey: user, Delegations: []request.SignedDelegation{{
		Delegation: request.Delegation{PublicKey: signed.Delegation.Pubkey, Expiration: signed.Delegation.Expiration},
		Signature:  signed.Signature,
	}}}
}

// ask asks the application who the session's user is.
func (l *login) ask(session *signature.Signer, chain client.Chain) (principal.Principal, error) {
	reply, err := l.client(client.Delegated(device.AgentIdentity(session), chain)).Query(context.Background(), l.whoami, "whoami", []byte("DIDL\x00\x00"))
	if err != nil {
		return principal.Principal{}, err
	}
	return kedge.DecodeGetPrincipalResult(reply)
}

func TestSignInThroughAgentGo(t *testing.T) {
	l := newLogin(t)
	seed := make([]byte, 32)
	rand.Read(seed)
	session, err := signature.NewEd25519(seed)
	require.NoError(t, err)

	seen := map[principal.Principal]bool{}
	for _, origin := range []string{"https://one.example", "https://two.example"} {
		first := l.signIn(origin, session.PublicKey()) // the very first draws the salt
		reply, err := l.device.Query(t.Context(), l.harness.Canister, "get_principal", kedge.EncodeGetPrincipalArgs(l.anchor, origin))
		require.NoError(t, err)
		expected, err := kedge.DecodeGetPrincipalResult(reply)
		require.NoError(t, err)
		require.Equal(t, principal.SelfAuthenticating(first.PublicKey), expected)
		for range 2 {
			who, err := l.ask(session, l.signIn(origin, session.PublicKey()))
			require.NoError(t, err)
			require.Equal(t, expected, who)
		}
		seen[expected] = true
	}
	require.Len(t, seen, 2)

	for name, change := range map[string]func(*request.SignedDelegation){
		"altered":     func(d *request.SignedDelegation) { d.Delegation.Expiration += uint64(time.Hour) },
		"re-targeted": func(d *request.SignedDelegation) { d.Delegation.Targets = []principal.Principal{l.whoami} },
		"forged":      func(d *request.SignedDelegation) { d.Signature[len(d.Signature)-1] ^= 1 },
	} {
		chain := l.signIn("https://one.example", session.PublicKey())
		change(&chain.Delegations[0])
		_, err := l.ask(session, chain)
		require.Error(t, err, name)
	}
}
