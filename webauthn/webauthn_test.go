package webauthn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"
)

var challenge = []byte("challenge of thirty-two bytes...")

// The signature over "hello" in the tests of the Internet Computer's validator: spaces after the
// colons, no crossOrigin, counter 1.
const dfinityKey = "305e300c060a2b0601040183b8430101034e00a5010203262001215820b487d183dc4806058eb31a29bedefd7bcca987b77a381a3684871d8449c183942258202a122cc711a80453678c3032de4b6fff2c86342e82d1e7adb617c4165c43ce5e"

func dfinityAssertion(t testing.TB) Assertion {
	signature, err := hex.DecodeString("3044022063627c69661048fb111b13dec2f3675010493c1c276c6a144f44e1fabab01d300220517d3cbd70658933dab63fd23cf05f7274aea6afad206be04d4ec5e268b471d2")
	require.NoError(t, err)
	return Assertion{
		AuthenticatorData: authData(UserPresent, 1),
		ClientDataJSON:    []byte(`{"type": "webauthn.get", "challenge": "aGVsbG8", "origin": "https://example.org"}`),
		Signature:         signature,
	}
}

func dfinityPublicKey(t testing.TB) *PublicKey {
	der, err := hex.DecodeString(dfinityKey)
	require.NoError(t, err)
	require.True(t, IsDER(der))
	key, err := ParseDER(der)
	require.NoError(t, err)
	require.Equal(t, der, key.DER())
	return key
}

func TestDfinityVector(t *testing.T) {
	key := dfinityPublicKey(t)
	require.Equal(t, ES256, key.Algorithm())
	got, err := Verify(key, dfinityAssertion(t), Expectation{Challenge: []byte("hello"), Origins: []string{w3cOrigin}, RPID: w3cRPID})
	require.NoError(t, err)
	require.EqualValues(t, 1, got.Counter)
	require.False(t, got.UserVerified())
	require.False(t, got.BackupEligible())
	require.False(t, got.BackedUp())
	require.False(t, got.Cloned(0))
	require.True(t, got.Cloned(1))
	require.False(t, Result{}.Cloned(0), "an authenticator that does not count")
}

// A foreign authenticator, with keys of both kinds that it knows.
func TestForeignAuthenticator(t *testing.T) {
	rp := virtualwebauthn.RelyingParty{Name: "Example", ID: w3cRPID, Origin: w3cOrigin}
	decode := func(s string) []byte {
		out, err := base64.RawURLEncoding.DecodeString(s)
		require.NoError(t, err)
		return out
	}
	for _, tc := range []struct {
		kind virtualwebauthn.KeyType
		alg  Algorithm
	}{{virtualwebauthn.KeyTypeEC2, ES256}, {virtualwebauthn.KeyTypeRSA, RS256}} {
		t.Run(tc.alg.String(), func(t *testing.T) {
			auth := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{BackupEligible: true})
			cred := virtualwebauthn.NewCredential(tc.kind)
			cred.Counter = 7
			var made struct {
				Response struct{ AttestationObject string }
			}
			require.NoError(t, json.Unmarshal([]byte(virtualwebauthn.CreateAttestationResponse(rp, auth, cred, virtualwebauthn.AttestationOptions{Challenge: challenge})), &made))
			att, err := ParseAttestation(decode(made.Response.AttestationObject))
			require.NoError(t, err)
			require.Equal(t, cred.ID, att.AuthData.Credential.ID)
			key := att.AuthData.Credential.Key
			require.Equal(t, tc.alg, key.Algorithm())
			again, err := ParseDER(key.DER())
			require.NoError(t, err)
			require.Equal(t, key.COSE(), again.COSE())

			var got struct {
				Response struct{ AuthenticatorData, ClientDataJSON, Signature string }
			}
			require.NoError(t, json.Unmarshal([]byte(virtualwebauthn.CreateAssertionResponse(rp, auth, cred, virtualwebauthn.AssertionOptions{Challenge: challenge})), &got))
			a := Assertion{decode(got.Response.AuthenticatorData), decode(got.Response.ClientDataJSON), decode(got.Response.Signature)}
			result, err := Verify(key, a, Expectation{Challenge: challenge, Origins: []string{w3cOrigin}, RPID: w3cRPID, RequireUserVerified: true})
			require.NoError(t, err)
			require.True(t, result.BackupEligible())
			require.EqualValues(t, 7, result.Counter)

			a.Signature[len(a.Signature)-1] ^= 1
			require.ErrorIs(t, again.VerifyAssertion(a), ErrSignature)
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public, err := ParseCOSE(coseES256(&key.PublicKey))
	require.NoError(t, err)
	clientData := func(mutate func(m map[string]any)) []byte {
		m := map[string]any{"type": TypeGet, "challenge": ChallengeText(challenge), "origin": w3cOrigin, "crossOrigin": false}
		mutate(m)
		out, err := json.Marshal(m)
		require.NoError(t, err)
		return out
	}
	set := func(k string, v any) func(map[string]any) { return func(m map[string]any) { m[k] = v } }
	same := func(map[string]any) {}
	yes, no := true, false
	for _, tc := range []struct {
		name   string
		data   []byte
		auth   []byte
		change func(*Expectation)
		want   string
	}{
		{"right", clientData(same), authDataOf(UserPresent), nil, ""},
		{"right, with reserved bits", clientData(same), authDataOf(UserPresent | 0x22), nil, ""},
		{"right, verified and eligible", clientData(same), authDataOf(UserPresent | UserVerified | BackupEligible), func(e *Expectation) { e.RequireUserVerified, e.BackupEligible = true, &yes }, ""},
		{"right, with extensions", clientData(same), append(authDataOf(UserPresent|ExtensionData), 0xa1, 0x61, 'x', 0xf5), nil, ""},
		{"right, with a top origin", clientData(func(m map[string]any) { m["crossOrigin"], m["topOrigin"] = true, w3cTop }), authDataOf(UserPresent), func(e *Expectation) { e.TopOrigins = []string{w3cTop} }, ""},
		{"right, with a byte order mark", append([]byte("\ufeff"), clientData(same)...), authDataOf(UserPresent), nil, ""},
		{"two byte order marks", append([]byte("\ufeff\ufeff"), clientData(same)...), authDataOf(UserPresent), nil, "client data, byte 0"},
		{"registration", clientData(set("type", TypeCreate)), authDataOf(UserPresent), nil, `client data is of type "webauthn.create"`},
		{"other challenge", clientData(set("challenge", "aGVsbG8")), authDataOf(UserPresent), nil, "challenge is not the expected one"},
		{"padded challenge", clientData(set("challenge", ChallengeText(challenge)+"=")), authDataOf(UserPresent), nil, "challenge is not the expected one"},
		{"other origin", clientData(set("origin", "https://example.org.evil.example")), authDataOf(UserPresent), nil, `origin "https://example.org.evil.example" is not allowed`},
		{"origin in capitals", clientData(set("origin", "https://EXAMPLE.org")), authDataOf(UserPresent), nil, "is not allowed"},
		{"in a frame", clientData(set("crossOrigin", true)), authDataOf(UserPresent), nil, "frame of another origin"},
		{"top origin alone", clientData(set("topOrigin", w3cTop)), authDataOf(UserPresent), nil, "top origin"},
		{"other relying party", clientData(same), authDataOf(UserPresent), func(e *Expectation) { e.RPID = "example.com" }, `not of relying party "example.com"`},
		{"absent user", clientData(same), authDataOf(UserVerified), nil, "flag UP"},
		{"user not verified", clientData(same), authDataOf(UserPresent), func(e *Expectation) { e.RequireUserVerified = true }, "flag UV"},
		{"became eligible", clientData(same), authDataOf(UserPresent | BackupEligible), func(e *Expectation) { e.BackupEligible = &no }, "flag BE"},
		{"no longer eligible", clientData(same), authDataOf(UserPresent), func(e *Expectation) { e.BackupEligible = &yes }, "flag BE"},
		{"backed up, not eligible", clientData(same), authDataOf(UserPresent | BackupState), nil, "not eligible"},
		{"attested credential", clientData(same), append(append(authDataOf(UserPresent|AttestedData), make([]byte, 18)...), public.COSE()...), nil, "flag AT"},
		{"short", clientData(same), authDataOf(UserPresent)[:36], nil, "at least 37"},
		{"left over", clientData(same), append(authDataOf(UserPresent), 0), nil, "1 bytes left over"},
		{"not JSON", []byte("hello"), authDataOf(UserPresent), nil, "client data, byte 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := Assertion{AuthenticatorData: tc.auth, ClientDataJSON: tc.data}
			a.Signature = signES256(t, key, a)
			e := Expectation{Challenge: challenge, Origins: []string{w3cOrigin}, RPID: w3cRPID}
			if tc.change != nil {
				tc.change(&e)
			}
			_, err := Verify(public, a, e)
			if tc.want == "" {
				require.NoError(t, err)
				a.Signature = append(bytes.Clone(a.Signature), 0)
				_, err = Verify(public, a, e)
				require.ErrorIs(t, err, ErrSignature)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestParseCOSERefuses(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	good := coseES256(&key.PublicKey)
	x, y := good[10:42], good[45:]
	modulus := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 2047), 0, 1).Bytes()
	rsaKey := func(n, e []byte) []byte { return marshal(t, map[int]any{1: 3, 3: -257, -1: n, -2: e}) }
	offCurve := bytes.Clone(y)
	offCurve[31] ^= 1
	ec := func(changes ...any) map[any]any {
		m := map[any]any{1: 2, 3: -7, -1: 1, -2: x, -3: y}
		for i := 0; i < len(changes); i += 2 {
			if changes[i+1] == nil {
				delete(m, changes[i])
			} else {
				m[changes[i]] = changes[i+1]
			}
		}
		return m
	}
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "data ends"},
		{"left over", append(bytes.Clone(good), 0), "1 bytes left over"},
		{"twice", append([]byte{0xa6}, append(bytes.Clone(good[1:]), 0x01, 0x02)...), "member 1 occurs twice"},
		{"no algorithm", marshal(t, ec(3, nil)), "the algorithm, is missing"},
		{"ES384", marshal(t, ec(3, -35)), "algorithm -35 is not supported"},
		{"type and algorithm differ", marshal(t, ec(1, 1)), "key type 1 with algorithm -7"},
		{"other curve", marshal(t, ec(-1, 2)), "got curve 2"},
		{"short x", marshal(t, ec(-2, x[1:])), "31 and 32 bytes"},
		{"no y", marshal(t, ec(-3, nil)), "member -3 is missing"},
		{"compressed y", marshal(t, ec(-3, 1)), "member -3 is missing or not a byte string"},
		{"off the curve", marshal(t, ec(-3, offCurve)), "not a point of P-256"},
		{"Ed25519 with P-256", marshal(t, map[int]any{1: 1, 3: -8, -1: 1, -2: x}), "EdDSA takes curve 6"},
		{"other operations", marshal(t, ec(4, []int{2})), "key_ops"},
		{"to sign", marshal(t, ec(4, "sign")), "key_ops"},
		{"short modulus", rsaKey(modulus[1:], []byte{1, 0, 1}), "RSA modulus of 1 bits"},
		{"long modulus", rsaKey(new(big.Int).SetBit(big.NewInt(1), 8192, 1).Bytes(), []byte{1, 0, 1}), "RSA modulus of 8193 bits"},
		{"even modulus", rsaKey(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes(), []byte{1, 0, 1}), "expected an odd one"},
		{"even exponent", marshal(t, map[int]any{1: 3, 3: -257, -1: modulus, -2: []byte{2}}), "RSA exponent 2"},
		{"huge exponent", marshal(t, map[int]any{1: 3, 3: -257, -1: modulus, -2: []byte{0xff, 0xff, 0xff, 0xff}}), "RSA exponent 4294967295"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseCOSE(tc.data)
			require.ErrorContains(t, err, tc.want)
		})
	}
	for name, data := range map[string][]byte{
		"private member":      marshal(t, ec(-4, x)),
		"key id":              marshal(t, ec(2, []byte("kid"))),
		"text label":          marshal(t, ec("alg", -7)),
		"nested member":       marshal(t, ec(99, map[string]any{"a": []int{1, 2}, "b": nil})),
		"to verify":           marshal(t, ec(4, "verify")),
		"exponent with zeros": rsaKey(append([]byte{0}, modulus...), []byte{0, 0, 3}),
		"4096 bits":           rsaKey(new(big.Int).SetBit(big.NewInt(1), 4095, 1).Bytes(), []byte{1, 0, 1}),
		"8192 bits":           rsaKey(new(big.Int).SetBit(big.NewInt(1), 8191, 1).Bytes(), []byte{1, 0, 1}),
	} {
		key, err := ParseCOSE(data)
		require.NoError(t, err, name)
		require.Equal(t, data, key.COSE(), "the principal is that of all bytes")
	}
	_, err = ParseDER(append([]byte{0x30, 0x00}, good...))
	require.Error(t, err)
	_, err = ParseDER(bytes.Replace(dfinityPublicKey(t).DER(), []byte{0x01, 0x01, 0x03}, []byte{0x01, 0x02, 0x03}, 1))
	require.ErrorContains(t, err, "not a COSE key")
	require.False(t, IsDER(good))
	require.Equal(t, "algorithm -35", Algorithm(-35).String())
}

func TestParseClientData(t *testing.T) {
	const base = `"type":"t","challenge":"c","origin":"o"`
	for _, tc := range []struct{ name, json, want string }{
		{"plain", `{` + base + `}`, ""},
		{"space", "\n{ \"type\" : \"t\" ,\t\"challenge\":\"c\",\r\n\"origin\":\"o\" } ", ""},
		{"unknown members", `{` + base + `,"a":[1,-2.5e+3,{"b":null}],"c":{},"d":[],"e":true,"f":0}`, ""},
		{"escapes", `{"type":"\u0074","ch\u0061llenge":"c","origin":"o","x":"\"\\\/\b\f\n\r\t\ud83d\ude00"}`, ""},
		{"repeated", `{` + base + `,"type":"t"}`, `member "type" occurs twice`},
		{"repeated by an escape", `{` + base + `,"\u0074ype":"t"}`, `member "type" occurs twice`},
		{"repeated unknown", `{` + base + `,"x":1,"x":1}`, `member "x" occurs twice`},
		{"no type", `{"challenge":"c","origin":"o"}`, `member "type" is missing`},
		{"type is a number", `{"type":1,"challenge":"c","origin":"o"}`, `member "type": expected '"'`},
		{"crossOrigin is text", `{` + base + `,"crossOrigin":"false"}`, "expected true or false"},
		{"after the end", `{` + base + `}x`, "comes after the object"},
		{"two objects", `{` + base + `}{}`, "comes after the object"},
		{"cut", `{` + base, "expected ','"},
		{"trailing comma", `{` + base + `,}`, "expected '\"'"},
		{"array", `[]`, "expected '{'"},
		{"leading zero", `{` + base + `,"x":01}`, "leading zero"},
		{"bare minus", `{` + base + `,"x":-}`, "expected a digit"},
		{"no exponent", `{` + base + `,"x":1e}`, "expected a digit"},
		{"no fraction", `{` + base + `,"x":1.}`, "expected a digit"},
		{"not a value", `{` + base + `,"x":nul}`, "expected a value"},
		{"control character", "{" + base + ",\"x\":\"\n\"}", "control character"},
		{"unknown escape", `{` + base + `,"x":"\q"}`, "unknown escape"},
		{"lone surrogate", `{` + base + `,"x":"\ud83d"}`, "half a character"},
		{"two high surrogates", `{` + base + `,"x":"\ud83d\ud83d"}`, "half a character"},
		{"short escape", `{` + base + `,"x":"\u00`, "four hexadecimal digits"},
		{"bad escape", `{` + base + `,"x":"\u00zz"}`, "four hexadecimal digits"},
		{"not UTF-8", "{" + base + ",\"x\":\"\xff\"}", "not UTF-8"},
		{"byte order mark", "\ufeff{" + base + "}", "expected '{'"},
		{"too deep", `{` + base + `,"x":` + strings.Repeat("[", 20), "nested too deep"},
		{"too long", `{` + base + `,"x":"` + strings.Repeat("y", MaxClientData) + `"}`, "at most 4096"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := ParseClientData([]byte(tc.json))
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, ClientData{Type: "t", Challenge: "c", Origin: "o"}, *c)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestParseAttestationRefuses(t *testing.T) {
	cred := append(append(authDataOf(UserPresent|AttestedData), make([]byte, 16)...), 0, 0)
	withKey := append(bytes.Clone(cred), dfinityPublicKey(t).COSE()...)
	obj := func(authData []byte) []byte {
		return marshal(t, map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": authData})
	}
	_, err := ParseAttestation(obj(withKey))
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "data ends"},
		"missing member":  {marshal(t, map[string]any{"fmt": "none"}), `field "attStmt" is missing`},
		"unknown member":  {marshal(t, map[string]any{"fmt": "none", "attStmt": 1, "auth": 1}), `unknown or repeated field "auth"`},
		"left over":       {append(obj(withKey), 0), "left over"},
		"repeated member": {append([]byte("\xa3\x63fmt\x60\x63fmt\x60"), 0), `unknown or repeated field "fmt"`},
		"no credential":   {obj(authDataOf(UserPresent)), "no attested credential"},
		"no key":          {obj(cred), "attested credential: COSE key"},
		"short":           {obj(cred[:50]), "at least 18"},
		"long id":         {obj(append(append(authDataOf(AttestedData), make([]byte, 16)...), 0x04, 0x00)), "at most 1023"},
		"cut id":          {obj(append(append(authDataOf(AttestedData), make([]byte, 16)...), 0x00, 0x09)), "9 bytes, 0 are there"},
		"no extensions":   {obj(authDataOf(ExtensionData)), "not a CBOR map"},
		"bad extensions":  {obj(append(authDataOf(ExtensionData), 0xa1)), "extensions: cbor"},
		"huge":            {obj(make([]byte, 9000)), "at most 8192"},
	} {
		_, err := ParseAttestation(tc.data)
		require.ErrorContains(t, err, tc.want, name)
	}
}

func FuzzClientData(f *testing.F) {
	f.Add([]byte(`{"type":"webauthn.get","challenge":"aGVsbG8","origin":"https://example.org","crossOrigin":false}`))
	f.Add(dfinityAssertion(f).ClientDataJSON)
	f.Add([]byte(`{"type":"\ud83d\ude00","challenge":"","origin":"","x":[1e5,{"y":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseClientData(data)
		if err != nil {
			return
		}
		// What is accepted must be JSON that another reader reads alike.
		var other struct{ Type, Challenge, Origin string }
		dec := json.NewDecoder(bytes.NewReader(data))
		var members map[string]json.RawMessage
		if err := dec.Decode(&members); err != nil {
			t.Fatalf("accepted %q, which encoding/json refuses: %v", data, err)
		}
		for name, into := range map[string]*string{"type": &other.Type, "challenge": &other.Challenge, "origin": &other.Origin} {
			if err := json.Unmarshal(members[name], into); err != nil {
				t.Fatal(err)
			}
		}
		if other.Type != c.Type || other.Challenge != c.Challenge || other.Origin != c.Origin {
			t.Fatalf("read %+v, encoding/json reads %+v", c, other)
		}
	})
}

func FuzzAuthenticatorData(f *testing.F) {
	v := none(f, "none.ES256", 32, false, false)
	f.Add(v.attestation)
	f.Add(v.assertion.AuthenticatorData)
	f.Add(dfinityPublicKey(f).COSE())
	f.Add(append(authDataOf(ExtensionData), 0xa0))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ParseAttestation(data); err == nil {
			t.Log("an attestation")
		}
		if a, err := ParseAuthenticatorData(data); err == nil && a.Flags.Has(AttestedData) != (a.Credential != nil) {
			t.Fatal("credential without its flag")
		}
		if k, err := ParseCOSE(data); err == nil && !bytes.Equal(k.COSE(), data) {
			t.Fatal("a key does not keep its bytes")
		}
	})
}
