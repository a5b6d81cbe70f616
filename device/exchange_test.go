package device

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device/credid"
)

func exchangeKey(t testing.TB) *SecurityKey {
	k := testKey(t)
	r := request("anna")
	r.HMACSecret, r.Label = true, "work"
	create(t, k, r, testTime)
	r = request("ben")
	r.Algorithm, r.Label = credid.EdDSA, "edwards"
	create(t, k, r, testTime)
	r = request("bound")
	r.Kind, r.DeviceBound, r.Label = Stored, true, "bound"
	create(t, k, r, testTime)
	r = request("counted")
	r.Kind, r.Label = Stored, "counted"
	k.record(create(t, k, r, testTime).credentialID).counter = 3
	return k
}

func TestExchangeRoundTrip(t *testing.T) {
	k := exchangeKey(t)
	file, leftOut, err := k.ExportCXF(nil, testTime, rand.Reader)
	require.NoError(t, err)
	require.Equal(t, []LeftOut{
		{"bound", "it was registered as device-bound, which never changes"},
		{"counted", "it has a signature counter, which two copies cannot share"},
	}, leftOut)
	require.Equal(t, []Export{{testTime, ExportCXF}}, k.Status().Exports)
	require.Equal(t, 2, k.Status().Copied)

	other, err := new(Keys).AddKey("other", Root{}, testTime)
	require.NoError(t, err)
	report, err := other.ImportCXF(file, false, testTime)
	require.NoError(t, err)
	require.Equal(t, []string{"work", "edwards"}, report.Added)
	require.Empty(t, report.Skipped)
	for i, c := range other.Credentials() {
		was := k.Credentials()[i]
		require.Equal(t, Stored, c.Kind)
		require.Equal(t, was.User, c.User)
		a, err := was.Sign([]byte("x"))
		require.NoError(t, err)
		b, err := c.Sign([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, a, b, "the same assertion, byte for byte")
		require.Equal(t, was.HasHMACSecret(), c.HasHMACSecret())
		if c.HasHMACSecret() {
			for _, verified := range []bool{true, false} {
				a, err := was.HMACSecret(verified, make([]byte, 32))
				require.NoError(t, err)
				b, err := c.HMACSecret(verified, make([]byte, 32))
				require.NoError(t, err)
				require.Equal(t, a, b)
			}
		}
		require.Equal(t, testTime, c.Copied)
		require.Equal(t, UserPresent|UserVerified|BackupEligible, c.DefaultFlags(), "backup-eligible never changes")
	}
	report, err = other.ImportCXF(file, false, testTime)
	require.NoError(t, err)
	require.Equal(t, []string{"work", "edwards"}, report.Same)

	one, _, err := k.ExportCXF([][]byte{k.Credentials()[1].CredentialID()}, testTime, rand.Reader)
	require.NoError(t, err)
	require.NotContains(t, string(one), "work")
}

func TestExchangeRefuses(t *testing.T) {
	k := exchangeKey(t)
	file, _, err := k.ExportCXF(nil, testTime, rand.Reader)
	require.NoError(t, err)
	_, _, err = k.ExportCXF([][]byte{{1}}, testTime, rand.Reader)
	require.ErrorIs(t, err, ErrNoCredential)
	_, _, err = k.ExportCXF(nil, testTime, bytes.NewReader(nil))
	require.ErrorContains(t, err, "drawing an id")

	t.Run("half an import", func(t *testing.T) {
		other, err := new(Keys).AddKey("other", phraseRoot(t, abandonArt), testTime)
		require.NoError(t, err)
		create(t, other, request("ben"), testTime) // in the way of the second passkey
		before := other.Credentials()
		_, err = other.ImportCXF(file, false, testTime)
		require.EqualError(t, err, `passkey "edwards" of the exchange file: the credential "id.example" is for the same user of id.example, and would be overwritten`)
		require.Equal(t, before, other.Credentials())
		_, err = other.ImportCXF(file, true, testTime)
		require.NoError(t, err)
		require.Len(t, other.Credentials(), 2)
	})
	t.Run("finalized", func(t *testing.T) {
		require.NoError(t, k.Check(k.root, testTime))
		require.NoError(t, k.Finalize(testTime))
		_, _, err = k.ExportCXF(nil, testTime, rand.Reader)
		require.ErrorIs(t, err, ErrFinalized)
	})
	t.Run("nothing to export", func(t *testing.T) {
		empty, err := new(Keys).AddKey("empty", phraseRoot(t, allWords), testTime)
		require.NoError(t, err)
		_, _, err = empty.ExportCXF(nil, testTime, rand.Reader)
		require.EqualError(t, err, "the security key has no credential that can be exported")
		require.Empty(t, empty.Status().Exports)
	})
}

// Written by hand from the text of the standard, with the private key of a test vector of WebAuthn.
func exchangeFixture(t testing.TB, passkey string) string {
	return fmt.Sprintf(`{"version":{"major":1,"minor":0},"exporterRpId":"manager.example","exporterDisplayName":"Manager","timestamp":1760000000,
		"accounts":[{"id":"AAAA","username":"anna","email":"anna@example.com","collections":[],"items":[
			{"id":"AAAB","creationAt":1760000000,"title":"Bank","favorite":true,"scope":{"urls":["https://example.org"],"androidApps":[]},
			 "credentials":[{"type":"basic-auth","username":{"fieldType":"string","value":"anna"}},%s]}]}]}`, passkey)
}

func fixturePasskey(t testing.TB, change func(string) string) string {
	// RFC 5208 around RFC 5915, for P-256
	der := unhex(t, "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"+"6e68e7a58484a3264f66b77f5d6dc5bc36a47085b615c9727ab334e8c369c2ee")
	id := base64.RawURLEncoding.EncodeToString(unhex(t, "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"))
	return change(`{"type":"passkey","credentialId":"` + id + `","rpId":"example.org","username":"anna","userDisplayName":"Anna","userHandle":"AQI","key":"` +
		base64.RawURLEncoding.EncodeToString(der) + `"}`)
}

func same(s string) string { return s }

func TestImportOfAnotherProgram(t *testing.T) {
	k := testKey(t)
	report, err := k.ImportCXF([]byte(exchangeFixture(t, fixturePasskey(t, same))), false, testTime)
	require.NoError(t, err)
	require.Equal(t, []string{"Bank"}, report.Added)
	require.Equal(t, []string{`item "Bank", credential 1: type "basic-auth" is not taken`}, report.Skipped)
	c := k.Credentials()[0]
	// The signature is that of WebAuthn's test vector none.ES256.
	a, err := c.Assert(AssertionRequest{Challenge: unhex(t, "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408"), Flags: UserPresent | BackupEligible | BackedUp})
	require.NoError(t, err)
	require.Equal(t, "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
		hex.EncodeToString(a.Signature))

	other := testKey(t)
	report, err = other.ImportCXF([]byte(exchangeFixture(t, fixturePasskey(t, func(s string) string {
		return strings.Replace(s, `{"type"`, `{"futureMember":{"x":1},"fido2Extensions":{"largeBlob":{"data":"AA"}},"type"`, 1)
	}))), false, testTime)
	require.NoError(t, err)
	require.Equal(t, []string{
		`item "Bank", credential 1: type "basic-auth" is not taken`,
		`item "Bank", credential 2: member "largeBlob" is not known`, `item "Bank", credential 2: member "futureMember" is not known`,
	}, report.Skipped)
}

func TestImportNamesWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		old, new, err string
	}{
		"version":        {`"major":1`, `"major":2`, "the exchange file has version 2.0, this program reads 1.x"},
		"no JSON":        {`{"version"`, `{version`, "file: not JSON, at byte 2"},
		"padding":        {`"userHandle":"AQI"`, `"userHandle":"AQI="`, "not base64url without padding"},
		"user handle":    {`"AQI"`, `"` + strings.Repeat("AAAA", 22) + `"`, "user handle of 66 bytes, the limit is 64"},
		"no id":          {`"credentialId":"-R`, `"credentialId":"","x":"-R`, "credential id of 0 bytes"},
		"no rp":          {`"rpId":"example.org"`, `"rpId":""`, "it has no relying party id"},
		"rp no host":     {`"rpId":"example.org"`, `"rpId":"https://x/"`, `relying party id "https://x/" is no host name`},
		"no key":         {`"key":"MEE`, `"key":"","x":"`, "the key is not a PKCS #8 private key"},
		"key of a type":  {`"key":"`, `"key":7,"x":"`, `member "key" has a value of the wrong type`},
		"half a secret":  {`"type":"passkey"`, `"type":"passkey","fido2Extensions":{"hmacCredentials":{"algorithm":"hmac-sha256","credWithUV":"AA"}}`, "not two secrets of 32 bytes"},
		"something more": {`}]}]}]}`, `}]}]}]} x`, "something follows the JSON"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			text := exchangeFixture(t, fixturePasskey(t, same))
			require.Contains(t, text, tc.old)
			k := testKey(t)
			_, err := k.ImportCXF([]byte(strings.Replace(text, tc.old, tc.new, 1)), false, testTime)
			require.ErrorContains(t, err, tc.err)
			require.NotContains(t, err.Error(), "bmjnpYSEoyZPZrd_XW3FvDakcIW2FclyerM06MNpwu4")
			require.Empty(t, k.Credentials())
		})
	}
}

func TestExchangeFilesAreEncrypted(t *testing.T) {
	sealed, err := SealExchange([]byte("secret"), "pass", testWorkFactor)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "secret")
	plain, err := OpenExchange(sealed, "pass")
	require.NoError(t, err)
	require.Equal(t, "secret", string(plain))
	_, err = OpenExchange(sealed, "word")
	require.ErrorIs(t, err, ErrWrongPassphrase)
	_, err = OpenExchange([]byte("{}"), "pass")
	require.ErrorContains(t, err, "no age file")
	_, err = SealExchange(nil, "", 0)
	require.EqualError(t, err, "the passphrase of the exchange file is empty")
}

func FuzzImportCXF(f *testing.F) {
	f.Add([]byte(exchangeFixture(f, fixturePasskey(f, same))))
	file, _, err := exchangeKey(f).ExportCXF(nil, testTime, rand.Reader)
	require.NoError(f, err)
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		k := testKey(t)
		if _, err := k.ImportCXF(file, false, testTime); err != nil {
			require.Empty(t, k.Credentials())
			return
		}
		keys := &Keys{keys: []*SecurityKey{k}}
		plain, err := encodeStore(keys)
		require.NoError(t, err)
		_, err = parseStore(plain)
		require.NoError(t, err, "what was imported can be stored")
	})
}
