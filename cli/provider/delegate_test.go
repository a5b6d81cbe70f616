package provider

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli/client"
	"kedge/ic/principal"
	"kedge/ic/signature"
)

func TestDelegateIsShortAndNarrow(t *testing.T) {
	key, err := signature.NewEd25519(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	session, err := signature.NewEd25519(bytes.Repeat([]byte{2}, 32))
	require.NoError(t, err)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	d := &delegate{key: key, target: principal.Canister(7), now: func() time.Time { return now }}

	chain, err := d.chain(session.PublicKey())
	require.NoError(t, err)
	require.Equal(t, key.PublicKey(), chain.PublicKey)
	require.Len(t, chain.Delegations, 1)
	delegation := chain.Delegations[0].Delegation
	require.Equal(t, session.PublicKey(), delegation.PublicKey)
	require.Equal(t, uint64(now.Add(5*time.Minute).UnixNano()), delegation.Expiration)
	require.Equal(t, []principal.Principal{principal.Canister(7)}, delegation.Targets)
	require.NoError(t, new(signature.Verifier).Verify(key.PublicKey(), delegation.SigningPayload(), chain.Delegations[0].Signature))
}

func TestSessionIsRenewedBeforeItExpires(t *testing.T) {
	key, err := signature.NewEd25519(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	p := &Provider{Canister: principal.Canister(7), delegate: &delegate{
		key: key, network: client.Mainnet(), target: principal.Canister(7), now: func() time.Time { return now },
		random: bytes.NewReader(append(bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{4}, 32)...)),
	}}
	require.NoError(t, p.keepSession())
	first := p.Client
	require.NotNil(t, first)
	require.Equal(t, principal.SelfAuthenticating(key.PublicKey()), first.Sender())

	now = now.Add(delegationLife - delegationRest)
	require.NoError(t, p.keepSession())
	require.Same(t, first, p.Client)
	now = now.Add(time.Second)
	require.NoError(t, p.keepSession())
	require.NotSame(t, first, p.Client)
	require.ErrorContains(t, (&Provider{delegate: &delegate{key: key, now: p.delegate.now, random: bytes.NewReader(nil)}}).keepSession(), "drawing a session key")

	direct := &Provider{Client: (*client.Client)(nil)}
	require.NoError(t, direct.keepSession())
}
