package device

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device/credid"
	"kedge/device/derive"
)

// allWords is the phrase of the examples of SLIP-0021 and SLIP-0022.
var allWords = strings.TrimSpace(strings.Repeat("all ", 12))

func phraseRoot(t testing.TB, words string) Root {
	t.Helper()
	p, err := ParsePhrase(words)
	require.NoError(t, err)
	r, err := RootFromPhrase(p)
	require.NoError(t, err)
	return r
}

// testKey returns a security key with the words of the examples.
func testKey(t testing.TB) *SecurityKey {
	t.Helper()
	k, err := new(Keys).AddKey("laptop", phraseRoot(t, allWords), testTime)
	require.NoError(t, err)
	return k
}

func request(user string) CreateRequest {
	return CreateRequest{Kind: Discoverable, RPID: "id.example", User: User{ID: []byte(user), Name: user}}
}

func create(t testing.TB, k *SecurityKey, r CreateRequest, at time.Time) *Credential {
	t.Helper()
	c, err := k.Create(r, rand.Reader, at)
	require.NoError(t, err)
	return c
}

// The words of a Trezor open the credential that SLIP-0022 gives as its example.
func TestWordsOfATrezorOpenItsCredential(t *testing.T) {
	const id = "f1d0020013e65c865634ad8abddf7a66df56ae7d8c3afd356f76426801508b2e579bcb3496fe6396a6002e3cd6d80f6359dfa9961e24c544bfc2f26acec1b8d878ba56727e1f6a7b5176c607552aea63a5abe5d826d69fab3063edfa0201d9a51013d69eddb2eff37acdd5963f"
	k := testKey(t)
	c, err := k.ByID(unhex(t, id), "example.com")
	require.NoError(t, err)
	require.Equal(t, "johnpsmith@example.com", c.User.Name)
	require.Equal(t, "a501020326200121582051f0d4c307bc737c90ac605c6279f7d01e451798aa7b74df550fdb43a7760c7c22582002b5107fef42094d00f52a9b1e90afb90e1b9decbf15a6f13d4f882de857e2f4",
		hex.EncodeToString(c.COSE()), "the COSE key that Trezor's test expects")
	require.True(t, c.HasHMACSecret())
	require.True(t, c.Created.IsZero(), "a Trezor counts where others have a clock")
	_, err = k.ByID(unhex(t, id), "example.org")
	require.ErrorIs(t, err, ErrNoCredential)

	listed, err := k.AddID(unhex(t, id), "bank")
	require.NoError(t, err)
	require.Equal(t, Discoverable, listed.Kind)
	require.Len(t, k.ByRelyingParty("example.com"), 1)
	_, err = k.AddID(unhex(t, id), "again")
	require.EqualError(t, err, `security key "laptop" already has a credential "bank"`)
	other, err := new(Keys).AddKey("other", phraseRoot(t, abandonArt), testTime)
	require.NoError(t, err)
	_, err = other.AddID(unhex(t, id), "")
	require.ErrorIs(t, err, credid.ErrForeign)
}

func TestCreateEveryKind(t *testing.T) {
	for _, kind := range []Kind{Discoverable, NotDiscoverable, Stored} {
		for _, algorithm := range []credid.Algorithm{credid.ES256, credid.EdDSA} {
			if kind == Stored && algorithm == credid.EdDSA {
				continue
			}
			t.Run(fmt.Sprint(kind, algorithm), func(t *testing.T) {
				k := testKey(t)
				r := request("anna")
				r.Kind, r.Algorithm, r.HMACSecret, r.Protection, r.Origin = kind, algorithm, true, 3, "https://id.example:8443"
				c := create(t, k, r, testTime)
				require.Equal(t, algorithm, c.Algorithm())
				require.Equal(t, "https://id.example:8443", c.Origin())
				require.Equal(t, uint8(3), c.Protection)
				require.Zero(t, c.Counter())
				require.False(t, c.DeviceBound())
				message := []byte("message")
				sig, err := c.Sign(message)
				require.NoError(t, err)
				require.True(t, AgentIdentity(c.Passkey).Verify(message, sig))

				again, err := k.ByID(c.CredentialID(), "id.example")
				require.NoError(t, err)
				require.Equal(t, c.COSE(), again.COSE())
				require.Equal(t, uint8(3), again.Protection)
				_, err = k.ByID(c.CredentialID(), "other.example")
				require.ErrorIs(t, err, ErrNoCredential)
				require.Len(t, k.ByRelyingParty("id.example"), map[Kind]int{Discoverable: 1, Stored: 1}[kind])
			})
		}
	}
}

func TestCreateOverwritesTheSameUser(t *testing.T) {
	k := testKey(t)
	first := create(t, k, request("anna"), testTime)
	other := create(t, k, request("ben"), testTime.Add(time.Second))
	second := create(t, k, request("anna"), testTime.Add(2*time.Second))
	found := k.ByRelyingParty("id.example")
	require.Len(t, found, 2)
	require.Equal(t, second.CredentialID(), found[0].CredentialID(), "newest first")
	require.Equal(t, other.CredentialID(), found[1].CredentialID())
	_, err := k.ByID(first.CredentialID(), "id.example")
	require.ErrorIs(t, err, ErrNoCredential, "an overwritten credential is gone, though its id carries it")
	require.Equal(t, []string{"id.example-2", "id.example"}, []string{other.Label, second.Label})

	r := request("anna")
	r.Kind = NotDiscoverable
	create(t, k, r, testTime.Add(3*time.Second))
	require.Len(t, k.ByRelyingParty("id.example"), 2, "one that is not discoverable overwrites nothing")
}

func TestStoredIsNotOverwrittenUnasked(t *testing.T) {
	k := testKey(t)
	r := request("anna")
	r.Kind = Stored
	stored := create(t, k, r, testTime)
	before := k.Credentials()
	_, err := k.Create(request("anna"), rand.Reader, testTime)
	var inTheWay *StoredInTheWayError
	require.ErrorAs(t, err, &inTheWay)
	require.EqualError(t, err, `the stored credential "id.example" is for the same user of id.example, and its private key is nowhere else`)
	require.Equal(t, before, k.Credentials())
	r = request("anna")
	r.ReplaceStored = true
	create(t, k, r, testTime)
	_, err = k.ByID(stored.CredentialID(), "id.example")
	require.ErrorIs(t, err, ErrNoCredential)
}

func TestCreateRefuses(t *testing.T) {
	tests := []struct {
		change func(*CreateRequest)
		err    string
	}{
		{func(r *CreateRequest) { r.Kind = Named }, `a credential of kind "named" is not made`},
		{func(r *CreateRequest) { r.RPID = "" }, "a credential needs a relying party id"},
		{func(r *CreateRequest) { r.User.ID = make([]byte, 65) }, "user id of 65 bytes, the limit is 64"},
		{func(r *CreateRequest) { r.Algorithm = -257 }, "there are no credentials of COSE algorithm -257"},
		{func(r *CreateRequest) { r.Label = "a/b" }, `label "a/b" has a slash`},
		{func(r *CreateRequest) { r.DeviceBound = true }, "a derived credential is never device-bound"},
		{func(r *CreateRequest) { r.Kind, r.Algorithm = Stored, credid.EdDSA }, "signs with ES256"},
	}
	for _, tc := range tests {
		k, r := testKey(t), request("anna")
		tc.change(&r)
		_, err := k.Create(r, rand.Reader, testTime)
		require.ErrorContains(t, err, tc.err)
		require.Empty(t, k.Credentials())
	}
	k := testKey(t)
	create(t, k, request("anna"), testTime)
	r := request("ben")
	r.Label = "id.example"
	_, err := k.Create(r, rand.Reader, testTime)
	require.EqualError(t, err, `security key "laptop" already has a credential "id.example"`)

	none, err := new(Keys).AddKey("paperless", Root{}, testTime)
	require.NoError(t, err)
	_, err = none.Create(request("anna"), rand.Reader, testTime)
	require.ErrorIs(t, err, errNoSeed)
	require.ErrorIs(t, none.Finalize(testTime), errNoSeed)
}

func TestDeleteIsForEver(t *testing.T) {
	k := testKey(t)
	c := create(t, k, request("anna"), testTime)
	require.NoError(t, k.Delete(c.CredentialID()))
	_, err := k.ByID(c.CredentialID(), "id.example")
	require.ErrorIs(t, err, ErrNoCredential)
	require.ErrorIs(t, k.Delete(c.CredentialID()), ErrNoCredential)
	_, err = k.Select(hex.EncodeToString(c.CredentialID()))
	require.ErrorIs(t, err, ErrNoCredential)
	_, err = k.AddID(c.CredentialID(), "")
	require.NoError(t, err, "unless the owner takes it in again")
	_, err = k.ByID(c.CredentialID(), "id.example")
	require.NoError(t, err)
}

func TestResetRefusesWhatWas(t *testing.T) {
	k := testKey(t)
	r := request("anna")
	r.Kind = NotDiscoverable
	loose := create(t, k, r, testTime)
	create(t, k, request("ben"), testTime)
	k.SetProtocolState([]byte("pin"))
	k.Reset(testTime.Add(time.Hour))
	require.Empty(t, k.Credentials())
	require.Nil(t, k.ProtocolState())
	_, err := k.ByID(loose.CredentialID(), "id.example")
	require.ErrorIs(t, err, ErrNoCredential)
	after := create(t, k, request("anna"), testTime.Add(time.Hour)) // in the very second of the reset
	_, err = k.ByID(after.CredentialID(), "id.example")
	require.NoError(t, err)
	require.Equal(t, testKey(t).Fingerprint(), k.Fingerprint(), "the seed stays")
}

func TestNamedKeepsNothing(t *testing.T) {
	k := testKey(t)
	n, err := derive.ParseName("https://alice@example.com")
	require.NoError(t, err)
	c, err := k.Named(n, 0)
	require.NoError(t, err)
	require.Empty(t, k.Credentials())
	require.Equal(t, Named, c.Kind)
	require.Equal(t, "9e2d57c9ab88df9f5ae3b9c866585c5d3ab727c5e28b39132a5ce69a17440025", hex.EncodeToString(c.COSE()[10:42]), "x of the vector in derive")
	again, err := testKey(t).Named(n, credid.ES256)
	require.NoError(t, err)
	require.Equal(t, c.CredentialID(), again.CredentialID())
	n.Index = 1
	next, err := k.Named(n, 0)
	require.NoError(t, err)
	require.NotEqual(t, c.CredentialID(), next.CredentialID())
	ed, err := k.Named(n, credid.EdDSA)
	require.NoError(t, err)
	require.NotEqual(t, next.CredentialID(), ed.CredentialID())
	out, err := c.HMACSecret(true, make([]byte, 32))
	require.NoError(t, err)
	require.Len(t, out, 32)
	_, err = c.HMACSecret(true, make([]byte, 31))
	require.EqualError(t, err, "a salt has 32 bytes, this one has 31")
}

func TestUsedCountsOnlyWhatCameWithACounter(t *testing.T) {
	k := testKey(t)
	c := create(t, k, request("anna"), testTime)
	now := testTime.Add(time.Minute)
	used, err := k.MarkUsed(c.CredentialID(), now)
	require.NoError(t, err)
	require.Zero(t, used.Counter())
	require.Equal(t, now, used.LastUsed)
	r := request("ben")
	r.Kind = Stored
	s := create(t, k, r, testTime)
	k.record(s.CredentialID()).counter = 7
	used, err = k.MarkUsed(s.CredentialID(), now)
	require.NoError(t, err)
	require.Equal(t, uint32(8), used.Counter())
	a, err := used.Assert(AssertionRequest{Challenge: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, []byte{0, 0, 0, 8}, a.AuthenticatorData[33:])
	_, err = k.MarkUsed([]byte("x"), now)
	require.ErrorIs(t, err, ErrNoCredential)
}

func TestLabelsAndUsers(t *testing.T) {
	k := testKey(t)
	a, b := create(t, k, request("anna"), testTime), create(t, k, request("ben"), testTime)
	require.NoError(t, k.Relabel(a.CredentialID(), "work"))
	require.NoError(t, k.Relabel(a.CredentialID(), "work"))
	require.EqualError(t, k.Relabel(b.CredentialID(), "work"), `security key "laptop" already has a credential "work"`)
	require.ErrorContains(t, k.Relabel(b.CredentialID(), "a/b"), "slash")
	require.ErrorIs(t, k.Relabel([]byte("x"), "y"), ErrNoCredential)
	require.NoError(t, k.UpdateUser(a.CredentialID(), "anna2", "Anna"))
	got, err := k.ByID(a.CredentialID(), "id.example")
	require.NoError(t, err)
	require.Equal(t, User{[]byte("anna"), "anna2", "Anna"}, got.User)
	require.ErrorIs(t, k.UpdateUser([]byte("x"), "", ""), ErrNoCredential)
}

// Everything that a key holds survives the file, and the file says nothing of it in clear.
func TestStoreKeepsSecurityKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	s := testStore(t, path, "right")
	require.NoError(t, s.Change(func(keys *Keys) error {
		k, err := keys.AddKey("laptop", phraseRoot(t, allWords), testTime)
		require.NoError(t, err)
		r := request("anna")
		r.HMACSecret, r.RPName, r.Protection = true, "Example", 2
		create(t, k, r, testTime)
		r.Kind, r.User.ID = Stored, []byte("ben")
		create(t, k, r, testTime)
		k.record(k.credentials[1].credentialID).counter = 9
		r.Kind, r.Algorithm = NotDiscoverable, credid.EdDSA
		require.NoError(t, k.Keep(create(t, k, r, testTime), "tool"))
		require.NoError(t, k.Delete(create(t, k, request("gone"), testTime).credentialID))
		k.SetProtocolState([]byte("state"))
		_, err = k.ExportPhrase(testTime)
		require.NoError(t, err)
		require.NoError(t, k.Check(phraseRoot(t, allWords), testTime))
		require.NoError(t, k.Finalize(testTime))
		_, err = keys.AddKey("trezor", mustRoot(t, RootSecret, make([]byte, 16)), testTime)
		require.NoError(t, err)
		_, err = keys.AddKey("prime", mustRoot(t, RootPrime, make([]byte, 32)), testTime)
		return err
	}))
	want, err := s.Load()
	require.NoError(t, err)
	got, err := testStore(t, path, "right").Load()
	require.NoError(t, err)
	require.Equal(t, want, got)
	k, err := got.Key("laptop")
	require.NoError(t, err)
	require.Equal(t, []byte("state"), k.ProtocolState())
	require.True(t, k.Status().Sealed())
	require.Len(t, k.Credentials(), 3)
	require.Equal(t, UserPresent|UserVerified|BackupEligible|BackedUp, k.Credentials()[0].DefaultFlags())
	require.Equal(t, UserPresent|UserVerified|BackupEligible, k.Credentials()[1].DefaultFlags(), "no words restore a stored one")
	require.Equal(t, uint32(9), k.Credentials()[1].Counter())
	plain, err := encodeStore(got)
	require.NoError(t, err)
	require.NotContains(t, string(plain), "all all", "the words themselves are nowhere at rest")
	require.Equal(t, 1, bytes.Count(plain, []byte(`"private_key"`)), "only a stored credential has its private key at rest")
	sealed, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "laptop")
}

func mustRoot(t testing.TB, kind RootKind, secret []byte) Root {
	t.Helper()
	r, err := ParseRoot(kind, secret)
	require.NoError(t, err)
	return r
}

func TestRoots(t *testing.T) {
	require.Equal(t, phraseRoot(t, allWords).Fingerprint(), testKey(t).Fingerprint())
	// The fingerprint says SHA-256 of a public key at a path; this is that, once more and by hand.
	private, err := derive.Ed25519(phraseRoot(t, allWords).seed, 0x4b454447|derive.Hardened, derive.Hardened)
	require.NoError(t, err)
	print := Fingerprint(sha256.Sum256(append(unhex(t, "302a300506032b6570032100"), private.Public().(ed25519.PublicKey)...)))
	require.Equal(t, print, testKey(t).Fingerprint())
	require.True(t, print.Matches(print.String()))
	require.True(t, print.Matches(strings.ToUpper(strings.ReplaceAll(print.String(), "-", " "))))
	require.False(t, print.Matches(""))
	for _, tc := range []struct {
		kind RootKind
		size int
		err  string
	}{
		{RootWords, 17, "the entropy of words has 16, 20, 24, 28 or 32 bytes, this one has 17"},
		{RootSecret, 15, "a secret has 16 to 64 bytes, this one has 15"},
		{RootPrime, 31, "the application seed of a Passport Prime has 32 bytes, this one has 31"},
		{"other", 32, `there is no root of kind "other"`},
	} {
		_, err := ParseRoot(tc.kind, make([]byte, tc.size))
		require.EqualError(t, err, tc.err)
	}
	_, err = NewRoot(bytes.NewReader(nil))
	require.ErrorContains(t, err, "drawing a seed")
}

func TestSecretsDoNotPrint(t *testing.T) {
	k := testKey(t)
	r := request("anna")
	r.HMACSecret = true
	c := create(t, k, r, testTime)
	r.Kind, r.User.ID = Stored, []byte("ben")
	stored := create(t, k, r, testTime)
	raw, err := rawPrivate(stored.source.(keptKey).private)
	require.NoError(t, err)
	secrets := []string{
		hex.EncodeToString(k.root.secret), hex.EncodeToString(k.root.seed[:8]), "all all", fmt.Sprint(k.root.secret[:4]), fmt.Sprint(k.root.seed[:4]),
		hex.EncodeToString(raw), fmt.Sprint(raw[:6]),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, value := range []any{k, *k, k.root, &k.root, c, stored, c.Passkey, stored.Passkey, k.Status()} {
			out := fmt.Sprintf(verb, value)
			for _, secret := range secrets {
				require.NotContains(t, out, strings.Trim(secret, "[]"), "%s of %T", verb, value)
			}
		}
	}
}
