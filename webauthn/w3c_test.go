package webauthn

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// The test vectors of the standard (section "Test Vectors") are drawn from HKDF and signed
// deterministically, so these tests generate them again. The standard's own values, where they are
// given here, prove that the generation is right.

const (
	w3cRPID   = "example.org"
	w3cOrigin = "https://example.org"
	w3cTop    = "https://example.com"
)

// draws yields the numbers of a case, one after the other.
type draws struct {
	t    testing.TB
	name string
	salt byte
}

func (d *draws) next(n int) []byte {
	out, err := hkdf.Key(sha256.New, []byte("WebAuthn test vectors"), []byte{d.salt}, d.name, n)
	require.NoError(d.t, err)
	d.salt++
	return out
}

func (d *draws) clientData(ceremony string, challenge []byte, cross, top bool) []byte {
	out := `{"type":"` + ceremony + `","challenge":"` + ChallengeText(challenge) + `","origin":"` + w3cOrigin + `","crossOrigin":`
	if cross {
		out += "true"
	} else {
		out += "false"
	}
	if top {
		out += `,"topOrigin":"` + w3cTop + `"`
	}
	if d.next(1)[0]&1 != 0 {
		out += `,"extraData":"clientDataJSON may be extended with additional fields in the future, such as this: ` +
			base64.RawURLEncoding.EncodeToString(d.next(16)) + `"`
	}
	return []byte(out + "}")
}

type w3cVector struct {
	challenge, attestation, createData []byte
	getChallenge                       []byte
	assertion                          Assertion
}

// none generates a case with an ES256 key and no attestation.
func none(t testing.TB, name string, idLen int, cross, top bool) w3cVector {
	var v w3cVector
	d := &draws{t: t, name: name}
	v.challenge = d.next(32)
	key := p256Key(t, d.next(32))
	v.createData = d.clientData(TypeCreate, v.challenge, cross, top)
	aaguid, id := d.next(16), d.next(idLen)
	flags := d.next(1)[0] & 0x1c
	if flags&0x08 == 0 {
		flags &^= 0x18
	}
	authData := authData(Flags(flags)|UserPresent|AttestedData, 0)
	authData = append(authData, aaguid...)
	authData = binary.BigEndian.AppendUint16(authData, uint16(idLen))
	authData = append(append(authData, id...), coseES256(&key.PublicKey)...)
	v.attestation = marshal(t, map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": authData})

	v.getChallenge = d.next(32)
	getData := d.clientData(TypeGet, v.getChallenge, cross, top)
	getFlags := d.next(1)[0] & 0x14
	if flags&0x08 == 0 {
		getFlags &^= 0x18
	}
	v.assertion = Assertion{
		AuthenticatorData: authDataOf(Flags(getFlags|flags&0x08) | UserPresent),
		ClientDataJSON:    getData,
	}
	v.assertion.Signature = signES256(t, key, v.assertion)
	return v
}

func authDataOf(flags Flags) []byte { return authData(flags, 0) }

func authData(flags Flags, counter uint32) []byte {
	hash := sha256.Sum256([]byte(w3cRPID))
	return binary.BigEndian.AppendUint32(append(hash[:], byte(flags)), counter)
}

func p256Key(t testing.TB, scalar []byte) *ecdsa.PrivateKey {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	require.NoError(t, err)
	return key
}

func coseES256(key *ecdsa.PublicKey) []byte {
	point, err := key.Bytes()
	if err != nil {
		panic(err)
	}
	out, _ := hex.DecodeString("a5010203262001215820")
	out = append(out, point[1:33]...)
	return append(append(out, 0x22, 0x58, 0x20), point[33:]...)
}

func signedBytes(a Assertion) []byte {
	hash := sha256.Sum256(a.ClientDataJSON)
	return append(bytes.Clone(a.AuthenticatorData), hash[:]...)
}

func signES256(t testing.TB, key *ecdsa.PrivateKey, a Assertion) []byte {
	digest := sha256.Sum256(signedBytes(a))
	sig, err := key.Sign(nil, digest[:], crypto.SHA256) // RFC 6979
	require.NoError(t, err)
	return sig
}

func marshal(t testing.TB, v any) []byte {
	out, err := cbor.Marshal(v)
	require.NoError(t, err)
	return out
}

func highS(t *testing.T, signature []byte) bool {
	var sig struct{ R, S *big.Int }
	_, err := asn1.Unmarshal(signature, &sig)
	require.NoError(t, err)
	return sig.S.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) > 0
}

func TestW3CNone(t *testing.T) {
	for _, tc := range []struct {
		name               string
		idLen              int
		cross, top         bool
		registration, gets Flags
		high               bool
	}{
		// Flags and the sign of s are those that the standard's text shows.
		{"none.ES256", 32, false, false, UserPresent | BackupEligible | BackupState, UserPresent | BackupEligible | BackupState, true},
		{"none.ES256.crossOrigin", 32, true, false, UserPresent | UserVerified, UserPresent | UserVerified, true},
		{"none.ES256.topOrigin", 32, true, true, UserPresent, UserPresent | UserVerified, false},
		{"none.ES256.long-credential-id", 1023, false, false, UserPresent | BackupEligible, UserPresent | UserVerified | BackupEligible, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := none(t, tc.name, tc.idLen, tc.cross, tc.top)
			att, err := ParseAttestation(v.attestation)
			require.NoError(t, err)
			require.Equal(t, "none", att.Format)
			require.Equal(t, tc.registration|AttestedData, att.AuthData.Flags)
			require.Len(t, att.AuthData.Credential.ID, tc.idLen)
			require.Equal(t, tc.high, highS(t, v.assertion.Signature))

			be := tc.registration.Has(BackupEligible)
			want := Expectation{Challenge: v.getChallenge, Origins: []string{w3cOrigin}, RPID: w3cRPID, BackupEligible: &be}
			got, err := Verify(att.AuthData.Credential.Key, v.assertion, want)
			if tc.cross {
				require.ErrorContains(t, err, "from inside a frame of another origin")
				if !tc.top {
					require.NoError(t, att.AuthData.Credential.Key.VerifyAssertion(v.assertion))
					return
				}
				want.TopOrigins = []string{w3cTop}
				got, err = Verify(att.AuthData.Credential.Key, v.assertion, want)
			}
			require.NoError(t, err)
			require.Equal(t, tc.gets, got.Flags)
			require.Equal(t, w3cOrigin, got.Origin)
			require.Zero(t, got.Counter)
		})
	}
}

// The values of the standard's first case.
func TestW3CNoneES256Values(t *testing.T) {
	v := none(t, "none.ES256", 32, false, false)
	require.Equal(t, "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130", hex.EncodeToString(v.challenge))
	require.Equal(t, "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408", hex.EncodeToString(v.getChallenge))
	require.Equal(t, "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000", hex.EncodeToString(v.assertion.AuthenticatorData))
	require.Equal(t, "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
		hex.EncodeToString(v.assertion.Signature))
	att, err := ParseAttestation(v.attestation)
	require.NoError(t, err)
	require.Equal(t, "8446ccb9ab1db374750b2367ff6f3a1f", hex.EncodeToString(att.AuthData.Credential.AAGUID[:]))
	require.Equal(t, "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4", hex.EncodeToString(att.AuthData.Credential.ID))
}

// The case packed.EdDSA. The flags of its assertion are 01 in the standard.
func TestW3CEdDSA(t *testing.T) {
	d := &draws{t: t, name: "packed.EdDSA", salt: 1}
	key := ed25519.NewKeyFromSeed(d.next(32))
	cose := append([]byte{0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20}, key.Public().(ed25519.PublicKey)...)
	public, err := ParseCOSE(cose)
	require.NoError(t, err)

	d.salt = 9 // found by trying: the one whose client data the standard's signature is over
	challenge := d.next(32)
	a := Assertion{AuthenticatorData: authDataOf(UserPresent), ClientDataJSON: d.clientData(TypeGet, challenge, false, false)}
	a.Signature, err = hex.DecodeString("f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cdfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b"[:0] +
		"f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b")
	require.NoError(t, err)
	_, err = Verify(public, a, Expectation{Challenge: challenge, Origins: []string{w3cOrigin}, RPID: w3cRPID})
	require.NoError(t, err)
	require.Equal(t, a.Signature, ed25519.Sign(key, signedBytes(a)))
}

// The standard's RSA key is the product of two Mersenne primes, 3482 bits. Keys beyond 2048 bits verify.
func TestW3CRSAKey(t *testing.T) {
	one := big.NewInt(1)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 1279), one)
	q := new(big.Int).Sub(new(big.Int).Lsh(one, 2203), one)
	n := new(big.Int).Mul(p, q)
	key, err := ParseCOSE(marshal(t, map[int]any{1: 3, 3: -257, -1: n.Bytes(), -2: []byte{1, 0, 1}}))
	require.NoError(t, err)
	// A signature by hand (RFC 8017, sections 8.2.1 and 9.2): crypto/rsa does not take such factors.
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(big.NewInt(65537), order)
	message := []byte("signed with 3482 bits")
	digest := sha256.Sum256(message)
	info := append([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, digest[:]...)
	size := (n.BitLen() + 7) / 8
	padded := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-3-len(info))...)
	padded = append(append(padded, 0), info...)
	signature := new(big.Int).Exp(new(big.Int).SetBytes(padded), d, n).FillBytes(make([]byte, size))
	require.NoError(t, key.Verify(message, signature))
	require.ErrorIs(t, key.Verify([]byte("another"), signature), ErrSignature)
}
