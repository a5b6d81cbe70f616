package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/aviate-labs/agent-go/identity"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/fr"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/internal/spki"
	"kedge/webauthn"
)

var message = []byte("\x0aic-request and a hash")

func simple(t testing.TB, scheme Scheme) *Signer {
	s, err := Generate(scheme, nil)
	require.NoError(t, err)
	return s
}

func TestSimpleSchemes(t *testing.T) {
	var v Verifier
	for _, scheme := range []Scheme{Ed25519, P256, Secp256k1} {
		t.Run(scheme.String(), func(t *testing.T) {
			s := simple(t, scheme)
			key, err := ParsePublicKey(s.PublicKey())
			require.NoError(t, err)
			require.Equal(t, scheme, key.Scheme())
			for range 20 {
				sig, err := s.Sign(message)
				require.NoError(t, err)
				require.NoError(t, v.Verify(s.PublicKey(), message, sig))
				require.ErrorIs(t, v.VerifyKey(key, append(bytes.Clone(message), 0), sig), ErrMismatch)
				sig[63] ^= 1
				require.ErrorIs(t, v.VerifyKey(key, message, sig), ErrMismatch)
				require.ErrorContains(t, v.VerifyKey(key, message, sig[:63]), "63 bytes instead of 64")
			}
			require.Error(t, v.Verify(s.PublicKey(), message, make([]byte, 64)))
			require.Error(t, v.Verify(s.PublicKey(), message, bytes.Repeat([]byte{0xff}, 64)))
			_, isCanister := key.CanisterKey()
			require.False(t, isCanister)
		})
	}
}

// Identities of agent-go sign what we verify, and verify what we sign.
func TestAgreesWithAgentGo(t *testing.T) {
	var v Verifier
	ed, err := identity.NewRandomEd25519Identity()
	require.NoError(t, err)
	k1, err := identity.NewRandomSecp256k1Identity()
	require.NoError(t, err)
	p256, err := identity.NewRandomPrime256v1Identity()
	require.NoError(t, err)
	for _, id := range []identity.Identity{ed, k1, p256} {
		sig, err := id.Sign(message)
		require.NoError(t, err)
		require.NoError(t, v.Verify(id.PublicKey(), message, sig), "%T", id)
		require.Equal(t, id.Sender().Raw, principal.SelfAuthenticating(id.PublicKey()).Bytes())
	}
}

// The network asks for no low s.
func TestHighS(t *testing.T) {
	var v Verifier
	for scheme, order := range map[Scheme]*big.Int{P256: elliptic.P256().Params().N, Secp256k1: fr.Modulus()} {
		s := simple(t, scheme)
		sig, err := s.Sign(message)
		require.NoError(t, err)
		twin := bytes.Clone(sig)
		new(big.Int).Sub(order, new(big.Int).SetBytes(sig[32:])).FillBytes(twin[32:])
		require.NoError(t, v.Verify(s.PublicKey(), message, sig))
		require.NoError(t, v.Verify(s.PublicKey(), message, twin))
	}
}

func TestNewRefuses(t *testing.T) {
	for _, raw := range [][]byte{nil, make([]byte, 31), make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)} {
		_, err := NewP256(raw)
		require.Error(t, err)
		_, err = NewSecp256k1(raw)
		require.Error(t, err)
	}
	_, err := NewEd25519(make([]byte, 31))
	require.Error(t, err)
	_, err = Generate(WebAuthn, nil)
	require.ErrorContains(t, err, "cannot generate a key for WebAuthn")
	_, err = Generate(P256, bytes.NewReader(nil))
	require.ErrorContains(t, err, "draw a key")
	require.Equal(t, "unknown scheme", Scheme(99).String())
}

func TestParsePublicKeyRefuses(t *testing.T) {
	ed := simple(t, Ed25519).PublicKey()
	k1 := simple(t, Secp256k1).PublicKey()
	p256 := simple(t, P256).PublicKey()
	require.Len(t, ed, 44)
	require.Len(t, k1, 88)
	require.Len(t, p256, 91)
	edit := func(der []byte, at int, b byte) []byte {
		out := bytes.Clone(der)
		out[(at+len(out))%len(out)] = b
		return out
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaDER, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	require.NoError(t, err)
	beyondField := spki.Wrap(algSecp256k1, append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...))
	for _, tc := range []struct {
		name string
		der  []byte
		want string
	}{
		{"empty", nil, "expected tag"},
		{"left over", append(bytes.Clone(ed), 0), "left over"},
		{"short Ed25519", spki.Wrap(algEd25519, make([]byte, 31)), "31 bytes instead of 32"},
		{"P-256 off the curve", edit(p256, -1, p256[90]^1), "point of P-256"},
		{"P-256 compressed", spki.Wrap(algP256, append([]byte{2}, p256[27:59]...)), "point of P-256"},
		{"secp256k1 off the curve", edit(k1, -1, k1[87]^1), "point of secp256k1"},
		{"secp256k1 compressed", spki.Wrap(algSecp256k1, append([]byte{2}, k1[24:56]...)), "point of secp256k1"},
		{"secp256k1 infinity", spki.Wrap(algSecp256k1, append([]byte{4}, make([]byte, 64)...)), "point of secp256k1"},
		{"secp256k1 beyond the field", beyondField, "point of secp256k1"},
		{"plain RSA", rsaDER, "unknown algorithm"},
		{"COSE of nothing", spki.Wrap([]byte{0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01}, nil), "COSE key"},
		{"canister of nothing", spki.Wrap(algCanister, nil), "shorter than its canister id"},
		{"canister cut", spki.Wrap(algCanister, []byte{10, 1}), "shorter than its canister id"},
		{"canister too long", spki.Wrap(algCanister, append([]byte{30}, make([]byte, 30)...)), "at most 29 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParsePublicKey(tc.der)
			require.ErrorContains(t, err, tc.want)
			require.Error(t, new(Verifier).Verify(tc.der, message, make([]byte, 64)))
		})
	}
}

// The vector of the Internet Computer's own validator, over "hello".
func TestWebAuthnVector(t *testing.T) {
	der, err := hex.DecodeString("305e300c060a2b0601040183b8430101034e00a5010203262001215820b487d183dc4806058eb31a29bedefd7bcca987b77a381a3684871d8449c183942258202a122cc711a80453678c3032de4b6fff2c86342e82d1e7adb617c4165c43ce5e")
	require.NoError(t, err)
	sig, err := hex.DecodeString("d9d9f7a37261757468656e74696361746f725f646174615825bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5010000000170636c69656e745f646174615f6a736f6e58517b2274797065223a2022776562617574686e2e676574222c20226368616c6c656e6765223a202261475673624738222c20226f726967696e223a202268747470733a2f2f6578616d706c652e6f7267227d697369676e617475726558463044022063627c69661048fb111b13dec2f3675010493c1c276c6a144f44e1fabab01d300220517d3cbd70658933dab63fd23cf05f7274aea6afad206be04d4ec5e268b471d2")
	require.NoError(t, err)
	var v Verifier
	require.NoError(t, v.Verify(der, []byte("hello"), sig))
	require.ErrorContains(t, v.Verify(der, []byte("hallo"), sig), "challenge is not the message")
	sig[len(sig)-1] ^= 1
	require.ErrorIs(t, v.Verify(der, []byte("hello"), sig), ErrMismatch)
}

// webauthnSigner makes assertions of each algorithm.
func webauthnCases(t *testing.T) map[string]struct {
	key  *webauthn.PublicKey
	sign func(message []byte) []byte
} {
	cose := func(v any) *webauthn.PublicKey {
		raw, err := cbor.Marshal(v)
		require.NoError(t, err)
		key, err := webauthn.ParseCOSE(raw)
		require.NoError(t, err)
		return key
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	point, err := ec.PublicKey.Bytes()
	require.NoError(t, err)
	edPublic, ed, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return map[string]struct {
		key  *webauthn.PublicKey
		sign func(message []byte) []byte
	}{
		"ES256": {cose(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}), func(m []byte) []byte {
			digest := sha256.Sum256(m)
			sig, err := ecdsa.SignASN1(rand.Reader, ec, digest[:])
			require.NoError(t, err)
			return sig
		}},
		"EdDSA": {cose(map[int]any{1: 1, 3: -8, -1: 6, -2: []byte(edPublic)}), func(m []byte) []byte { return ed25519.Sign(ed, m) }},
		"RS256": {cose(map[int]any{1: 3, 3: -257, -1: rs.N.Bytes(), -2: []byte{1, 0, 1}}), func(m []byte) []byte {
			digest := sha256.Sum256(m)
			sig, err := rsa.SignPKCS1v15(nil, rs, crypto.SHA256, digest[:])
			require.NoError(t, err)
			return sig
		}},
	}
}

func TestWebAuthnSchemes(t *testing.T) {
	var v Verifier
	for name, tc := range webauthnCases(t) {
		t.Run(name, func(t *testing.T) {
			a := webauthn.Assertion{
				AuthenticatorData: make([]byte, 37),
				ClientDataJSON:    []byte(`{"type":"webauthn.get","challenge":"` + webauthn.ChallengeText(message) + `","origin":"x"}`),
			}
			hash := sha256.Sum256(a.ClientDataJSON)
			a.Signature = tc.sign(append(bytes.Clone(a.AuthenticatorData), hash[:]...))
			require.NoError(t, v.Verify(tc.key.DER(), message, EncodeWebAuthn(a)))
			a.AuthenticatorData[36] ^= 1
			require.ErrorIs(t, v.Verify(tc.key.DER(), message, EncodeWebAuthn(a)), ErrMismatch)
		})
	}
}

func TestWebAuthnRefuses(t *testing.T) {
	key := webauthnCases(t)["ES256"].key
	full := map[string]any{"authenticator_data": []byte{}, "client_data_json": "{}", "signature": []byte{}}
	with := func(k string, v any) []byte {
		m := map[string]any{}
		for k, v := range full {
			m[k] = v
		}
		if delete(m, k); v != nil {
			m[k] = v
		}
		out, err := cbor.Marshal(m)
		require.NoError(t, err)
		return out
	}
	for name, tc := range map[string]struct {
		sig  []byte
		want string
	}{
		"empty":         {nil, "data ends"},
		"bare":          {make([]byte, 64), "expected map"},
		"missing":       {with("signature", nil), `field "signature" is missing`},
		"unknown":       {[]byte("\xa3\x61x\x00\x61y\x00\x61z\x00"), `unknown or repeated field "x"`},
		"wrong type":    {with("signature", 7), "expected byte string"},
		"no challenge":  {with("signature", []byte{}), `member "type" is missing`},
		"left over":     {append(with("signature", []byte{}), 0), "left over"},
		"not JSON":      {with("client_data_json", "x"), "client data, byte 0"},
		"bytes as JSON": {with("client_data_json", []byte("[]")), "client data, byte 0"},
	} {
		require.ErrorContains(t, new(Verifier).Verify(key.DER(), message, tc.sig), tc.want, name)
	}
}

// A network of one root key, on which a canister signs.
type signingCanister struct {
	root *certificate.SecretKey
	key  CanisterKey
}

func (c signingCanister) sign(t testing.TB, message, leaf []byte, certifiedFor principal.Principal) []byte {
	seed, digest := sha256.Sum256(c.key.Seed), sha256.Sum256(message)
	other := sha256.Sum256([]byte("other"))
	sigs := hashtree.Map{}.With(digest[:], hashtree.Leaf(leaf)).With(other[:], hashtree.Leaf(nil))
	tree := hashtree.Labeled([]byte("sig"), hashtree.Labeled(seed[:], sigs.Tree()))
	hash := tree.Hash()
	state := hashtree.Labeled([]byte("canister"), hashtree.Labeled(certifiedFor.Bytes(),
		hashtree.Labeled([]byte("certified_data"), hashtree.Leaf(hash[:]))))
	cert, err := certificate.Sign(state, c.root, nil)
	require.NoError(t, err)
	return EncodeCanister(cert.Encode(), tree.Witness([][]byte{[]byte("sig"), seed[:], digest[:]}))
}

func TestCanisterSignatures(t *testing.T) {
	root, err := certificate.GenerateKey(nil)
	require.NoError(t, err)
	c := signingCanister{root, CanisterKey{principal.Canister(7), []byte("seed")}}
	der := c.key.DER()
	key, err := ParsePublicKey(der)
	require.NoError(t, err)
	got, ok := key.CanisterKey()
	require.True(t, ok)
	require.Equal(t, c.key, got)

	v := &Verifier{Root: root.Public()}
	sig := c.sign(t, message, nil, c.key.Canister)
	require.NoError(t, v.Verify(der, message, sig))
	require.NoError(t, v.Verify(der, message, sig), "from the cache")

	other, err := certificate.GenerateKey(nil)
	require.NoError(t, err)
	otherSeed := CanisterKey{c.key.Canister, []byte("another")}.DER()
	otherCanister := CanisterKey{principal.Canister(8), c.key.Seed}.DER()
	mixed := func() []byte { // the tree of one signature with the certificate of another
		encoded, _, err := decodeCanister(c.sign(t, []byte("something else"), nil, c.key.Canister))
		require.NoError(t, err)
		_, tree, err := decodeCanister(sig)
		require.NoError(t, err)
		return EncodeCanister(encoded, tree)
	}
	for _, tc := range []struct {
		name     string
		verifier *Verifier
		der      []byte
		message  []byte
		sig      []byte
		want     string
	}{
		{"no root key", &Verifier{}, der, message, sig, "without a root key"},
		{"other root key", &Verifier{Root: other.Public()}, der, message, sig, "does not match the key"},
		{"other message", v, der, []byte("other message"), sig, "does not hold the signature"},
		{"other seed", v, otherSeed, message, sig, "does not hold the signature"},
		{"other canister", v, otherCanister, message, sig, "certified data of canister"},
		{"leaf not empty", v, der, message, c.sign(t, message, []byte("x"), c.key.Canister), "does not hold the signature"},
		{"certificate of another", v, der, message, c.sign(t, message, nil, principal.Canister(9)), "certified data of canister"},
		{"other tree", v, der, message, mixed(), "not what the canister certified"},
		{"not CBOR", v, der, message, []byte("x"), "canister signature: cbor"},
		{"no certificate", v, der, message, EncodeCanister(nil, hashtree.Empty()), "does not hold"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.ErrorContains(t, tc.verifier.Verify(tc.der, tc.message, tc.sig), tc.want)
		})
	}
}

func TestCertificateCacheForgets(t *testing.T) {
	var c certificateCache
	id := func(n int) certificateID { return certificateID{hash: sha256.Sum256([]byte{byte(n), byte(n >> 8)})} }
	for n := range 3 * cachedCertificates {
		c.put(id(n), hashtree.Hash{byte(n)})
	}
	_, ok := c.get(id(0))
	require.False(t, ok)
	data, ok := c.get(id(3*cachedCertificates - 1))
	require.True(t, ok)
	require.Equal(t, hashtree.Hash{0xff}, data)
	require.LessOrEqual(t, len(c.young)+len(c.old), 2*cachedCertificates)
}

func FuzzVerify(f *testing.F) {
	root, err := certificate.GenerateKey(nil)
	require.NoError(f, err)
	c := signingCanister{root, CanisterKey{principal.Canister(7), []byte("seed")}}
	f.Add(c.key.DER(), c.sign(f, message, nil, c.key.Canister))
	for _, scheme := range []Scheme{Ed25519, P256, Secp256k1} {
		s := simple(f, scheme)
		sig, err := s.Sign(message)
		require.NoError(f, err)
		f.Add(s.PublicKey(), sig)
	}
	v := &Verifier{Root: root.Public()}
	f.Fuzz(func(t *testing.T, der, sig []byte) {
		if v.Verify(der, message, sig) == nil && v.Verify(der, []byte("another message"), sig) == nil {
			t.Fatal("one signature fits two messages")
		}
	})
}
