package device

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// w3cPasskey is the credential "none.ES256" of the test vectors of WebAuthn Level 3.
func w3cPasskey(t testing.TB) *Passkey {
	t.Helper()
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), unhex(t, "6e68e7a58484a3264f66b77f5d6dc5bc36a47085b615c9727ab334e8c369c2ee"))
	require.NoError(t, err)
	p, err := newPasskey(Passkey{
		source: keptKey{private}, origin: "https://example.org", rpID: "example.org",
		credentialID: unhex(t, "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"),
	})
	require.NoError(t, err)
	return p
}

// The signature is that of the standard, byte for byte: same client data, same authenticator data,
// same deterministic ECDSA.
func TestAssertReproducesW3CVector(t *testing.T) {
	a, err := w3cPasskey(t).Assert(AssertionRequest{
		Challenge: unhex(t, "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408"),
		Flags:     UserPresent | BackupEligible | BackedUp,
	})
	require.NoError(t, err)
	require.Equal(t, "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000", hex.EncodeToString(a.AuthenticatorData))
	require.Equal(t, `{"type":"webauthn.get","challenge":"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag","origin":"https://example.org","crossOrigin":false}`,
		string(a.ClientDataJSON))
	require.Equal(t, "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
		hex.EncodeToString(a.Signature))
}

func TestAssertVerifies(t *testing.T) {
	p := testPasskey(t)
	rapid.Check(t, func(t *rapid.T) {
		challenge := rapid.SliceOf(rapid.Byte()).Draw(t, "challenge")
		a, err := p.Assert(AssertionRequest{Challenge: challenge})
		require.NoError(t, err)
		clientHash := sha256.Sum256(a.ClientDataJSON)
		digest := sha256.Sum256(append(bytes.Clone(a.AuthenticatorData), clientHash[:]...))
		require.True(t, ecdsa.VerifyASN1(p.public.(*ecdsa.PublicKey), digest[:], a.Signature))
		again, err := p.Assert(AssertionRequest{Challenge: challenge})
		require.NoError(t, err)
		require.Equal(t, a, again, "deterministic")
	})
}

func TestAssertFlags(t *testing.T) {
	synced, bound := testPasskey(t), testPasskey(t)
	bound.deviceBound = true
	tests := []struct {
		name  string
		key   *Passkey
		flags Flags
		err   string
	}{
		{"default", synced, 0, ""},
		{"backed up", synced, UserPresent | BackupEligible | BackedUp, ""},
		{"device-bound", bound, UserPresent, ""},
		{"no presence", synced, UserVerified | BackupEligible, "an assertion without user presence does not exist"},
		{"backed up, not eligible", bound, UserPresent | BackedUp, "a passkey that is not backup-eligible cannot be backed up"},
		{"eligibility lost", synced, UserPresent, "the backup-eligible flag of a passkey never changes"},
		{"eligibility won", bound, UserPresent | BackupEligible, "the backup-eligible flag of a passkey never changes"},
		{"attested data", synced, UserPresent | BackupEligible | 0x40, "flags 0x49 are not those of an assertion"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			a, err := tc.key.Assert(AssertionRequest{Challenge: []byte("c"), Flags: tc.flags})
			if tc.err != "" {
				require.EqualError(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			want := tc.flags
			if want == 0 {
				want = tc.key.DefaultFlags()
			}
			require.Equal(t, byte(want), a.AuthenticatorData[32])
		})
	}
}

func TestAssertForAnotherParty(t *testing.T) {
	p := testPasskey(t)
	a, err := p.Assert(AssertionRequest{Challenge: []byte("c"), RelyingParty: "evil.example", Origin: "https://evil.example"})
	require.NoError(t, err)
	hash := sha256.Sum256([]byte("evil.example"))
	require.Equal(t, hash[:], a.AuthenticatorData[:32])
	require.Contains(t, string(a.ClientDataJSON), `"origin":"https://evil.example"`)
}

func TestNewPasskeyOrigins(t *testing.T) {
	for origin, rpID := range map[string]string{
		"https://id.example": "id.example",
		"http://rdmx6-jaaaa-aaaaa-aaadq-cai.localhost:4943": "rdmx6-jaaaa-aaaaa-aaadq-cai.localhost",
		"https://[::1]:8443": "::1",
	} {
		p, err := NewPasskey(rand.Reader, PasskeyOptions{Origin: origin})
		require.NoError(t, err)
		require.Equal(t, rpID, p.RelyingParty())
	}
	for origin, message := range map[string]string{
		"":                         "is not of the form https://host",
		"id.example":               "is not of the form https://host",
		"ftp://id.example":         "is not of the form https://host",
		"https://":                 "is not of the form https://host",
		"https://id.example/":      "has more than a scheme, a host and a port",
		"https://me@id.example":    "has more than a scheme, a host and a port",
		"https://id.example/login": "has more than a scheme, a host and a port",
		"https://ID.example":       "is not in lower case",
	} {
		_, err := NewPasskey(rand.Reader, PasskeyOptions{Origin: origin})
		require.ErrorContains(t, err, fmt.Sprintf("origin %q %s", origin, message))
	}
}

func TestNewPasskeySkipsScalarsThatAreNoKeys(t *testing.T) {
	order := elliptic.P256().Params().N.Bytes()
	one := append(make([]byte, 31), 1)
	random := bytes.NewReader(append(append(append(append([]byte{}, make([]byte, 32)...), order...), one...), make([]byte, 32)...))
	p, err := NewPasskey(random, PasskeyOptions{Origin: "https://id.example"})
	require.NoError(t, err)
	private, err := rawPrivate(p.source.(keptKey).private)
	require.NoError(t, err)
	require.Equal(t, one, private)

	_, err = NewPasskey(bytes.NewReader(one), PasskeyOptions{Origin: "https://id.example"})
	require.ErrorContains(t, err, "drawing a credential id")
	_, err = NewPasskey(bytes.NewReader(nil), PasskeyOptions{Origin: "https://id.example"})
	require.ErrorContains(t, err, "drawing a passkey")
}

func TestPasskeyDoesNotPrintItself(t *testing.T) {
	p := w3cPasskey(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, "passkey f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4 for https://example.org", fmt.Sprintf(verb, p))
	}
}

func TestClientDataEscapes(t *testing.T) {
	const origin = "https://\"quoted\\\x00\x1f\u007f<&>é\u2028"
	data, err := clientData([]byte{0xfb, 0xff}, origin)
	require.NoError(t, err)
	require.Equal(t, `{"type":"webauthn.get","challenge":"-_8","origin":"https://\"quoted\\\u0000\u001f`+"\u007f<&>é\u2028"+`","crossOrigin":false}`, string(data))
	var parsed struct{ Origin string }
	require.NoError(t, json.Unmarshal(data, &parsed))
	require.Equal(t, origin, parsed.Origin)
	_, err = clientData(nil, "\xff")
	require.ErrorContains(t, err, "is not UTF-8")
}

func FuzzClientData(f *testing.F) {
	f.Add([]byte("challenge"), "https://id.example")
	f.Add([]byte{}, "\x00\"\\")
	f.Fuzz(func(t *testing.T, challenge []byte, origin string) {
		data, err := clientData(challenge, origin)
		if err != nil {
			return
		}
		var parsed struct {
			Type, Challenge, Origin string
			CrossOrigin             *bool
		}
		require.NoError(t, json.Unmarshal(data, &parsed))
		require.Equal(t, "webauthn.get", parsed.Type)
		require.Equal(t, origin, parsed.Origin)
		require.NotNil(t, parsed.CrossOrigin)
		require.False(t, *parsed.CrossOrigin)
	})
}
