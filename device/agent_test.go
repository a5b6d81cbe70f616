package device

import (
	"crypto/rand"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/signature"
	"kedge/webauthn"
)

func TestIdentitiesSignForTheInternetComputer(t *testing.T) {
	phrase, err := NewPhrase(rand.Reader)
	require.NoError(t, err)
	for name, key := range map[string]Key{"phrase": phrase.Key(), "passkey": testPasskey(t)} {
		t.Run(name, func(t *testing.T) {
			id := AgentIdentity(key)
			message := []byte("\x0Aic-request and an id")
			sig, err := id.Sign(message)
			require.NoError(t, err)
			require.NoError(t, new(signature.Verifier).Verify(id.PublicKey(), message, sig))
			require.True(t, id.Verify(message, sig))
			require.False(t, id.Verify([]byte("another message"), sig))
			require.False(t, id.Verify(message, nil))
			require.True(t, id.Sender().IsSelfAuthenticating())

			again, err := id.Sign(message)
			require.NoError(t, err)
			require.Equal(t, sig, again, "deterministic")

			_, err = id.ToPEM()
			require.EqualError(t, err, "the private key of a device does not leave it")
		})
	}
}

func TestPasskeyPublicKey(t *testing.T) {
	der := w3cPasskey(t).PublicKey()
	require.Len(t, der, 96)
	require.Equal(t, "305e300c060a2b0601040183b8430101034e00a5010203262001215820", hex.EncodeToString(der[:29]))
	key, err := webauthn.ParseDER(der)
	require.NoError(t, err)
	require.Equal(t, webauthn.ES256, key.Algorithm())
}

// What the relying party's side accepts is what this side makes.
func TestAssertionsPassTheRelyingParty(t *testing.T) {
	p := testPasskey(t)
	key, err := webauthn.ParseDER(p.PublicKey())
	require.NoError(t, err)
	eligible := true
	want := webauthn.Expectation{
		Challenge: []byte("challenge"), Origins: []string{"https://id.example"}, RPID: "id.example",
		RequireUserVerified: true, BackupEligible: &eligible,
	}
	a, err := p.Assert(AssertionRequest{Challenge: want.Challenge})
	require.NoError(t, err)
	result, err := webauthn.Verify(key, webauthn.Assertion{
		AuthenticatorData: a.AuthenticatorData, ClientDataJSON: a.ClientDataJSON, Signature: a.Signature,
	}, want)
	require.NoError(t, err)
	require.True(t, result.BackupEligible())
	require.Zero(t, result.Counter)

	a, err = p.Assert(AssertionRequest{Challenge: want.Challenge, Origin: "https://evil.example"})
	require.NoError(t, err)
	_, err = webauthn.Verify(key, webauthn.Assertion{
		AuthenticatorData: a.AuthenticatorData, ClientDataJSON: a.ClientDataJSON, Signature: a.Signature,
	}, want)
	require.ErrorContains(t, err, "origin")
}
