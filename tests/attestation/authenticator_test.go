package attestation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
	"kedge/webauthn"
)

// authenticator signs what it is told: the honest one of package device would not.
type authenticator struct {
	*harness.Device
	sign func(message []byte) []byte
}

// answer is an assertion in the making. The zero values stand for what an honest, device-bound authenticator
// answers: type webauthn.get, the harness's origin and relying party, UP and UV, counter 0.
type answer struct {
	kind, origin, relyingParty, extra string
	cross, absent, unverified         bool // crossOrigin true, UP off, UV off
	eligible, backedUp                bool
	counter                           uint32
	extensions                        []byte
}

// answers makes the assertion.
func (a *authenticator) answers(challenge []byte, o answer) kedge.Assertion {
	or := func(given, standard string) string {
		if given != "" {
			return given
		}
		return standard
	}
	client := fmt.Appendf(nil, `{"type":"%s","challenge":"%s","origin":"%s","crossOrigin":%t%s}`,
		or(o.kind, webauthn.TypeGet), webauthn.ChallengeText(challenge), or(o.origin, harness.Origin), o.cross, o.extra)
	var flags webauthn.Flags
	for flag, on := range map[webauthn.Flags]bool{webauthn.UserPresent: !o.absent, webauthn.UserVerified: !o.unverified,
		webauthn.BackupEligible: o.eligible, webauthn.BackupState: o.backedUp, webauthn.ExtensionData: o.extensions != nil} {
		if on {
			flags |= flag
		}
	}
	rp := sha256.Sum256([]byte(or(o.relyingParty, harness.RelyingParty)))
	data := binary.BigEndian.AppendUint32(append(rp[:], byte(flags)), o.counter)
	data = append(data, o.extensions...)
	hash := sha256.Sum256(client)
	return kedge.Assertion{ClientData: client, AuthenticatorData: data, Signature: a.sign(append(bytes.Clone(data), hash[:]...))}
}

// newAuthenticator is a passkey with a COSE key of the members.
func newAuthenticator(h *harness.Harness, name string, cose map[int]any, sign func([]byte) []byte) *authenticator {
	h.Helper()
	mode, err := cbor.CTAP2EncOptions().EncMode()
	require.NoError(h, err)
	encoded, err := mode.Marshal(cose)
	require.NoError(h, err)
	key, err := webauthn.ParseCOSE(encoded)
	require.NoError(h, err)
	d := harness.NewDevice(name)
	d.Data.Pubkey, d.Data.CredentialID, d.Data.KeyType = key.DER(), []byte("id of "+name), kedge.KeyTypeCrossPlatform
	return &authenticator{d, sign}
}

func fromP256(h *harness.Harness, name string, key *ecdsa.PrivateKey) *authenticator {
	h.Helper()
	point, err := key.PublicKey.Bytes()
	require.NoError(h, err)
	return newAuthenticator(h, name, map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}, func(message []byte) []byte {
		digest := sha256.Sum256(message)
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		require.NoError(h, err)
		return signature
	})
}

func newP256(h *harness.Harness, name string) *authenticator {
	h.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(h, err)
	return fromP256(h, name, key)
}

func newEd25519(h *harness.Harness, name string) *authenticator {
	h.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(h, err)
	return newAuthenticator(h, name, map[int]any{1: 1, 3: -8, -1: 6, -2: []byte(public)}, func(message []byte) []byte {
		return ed25519.Sign(private, message)
	})
}

func newRSA(h *harness.Harness, name string) *authenticator {
	h.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(h, err)
	return newAuthenticator(h, name, map[int]any{1: 3, 3: -257, -1: key.N.Bytes(), -2: []byte{1, 0, 1}}, func(message []byte) []byte {
		digest := sha256.Sum256(message)
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		require.NoError(h, err)
		return signature
	})
}

// newW3C is the credential of the standard's test vectors "none.ES256": its private key is their second draw.
func newW3C(h *harness.Harness) *authenticator {
	h.Helper()
	scalar, err := hkdf.Key(sha256.New, []byte("WebAuthn test vectors"), []byte{1}, "none.ES256", 32)
	require.NoError(h, err)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	require.NoError(h, err)
	return fromP256(h, "W3C", key)
}
