package device

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device/credid"
)

func TestKeysHaveDifferentSeeds(t *testing.T) {
	keys := new(Keys)
	_, err := keys.AddKey("laptop", phraseRoot(t, allWords), testTime)
	require.NoError(t, err)
	_, err = keys.AddKey("clone", phraseRoot(t, allWords), testTime)
	var same *SeedExistsError
	require.ErrorAs(t, err, &same)
	require.Equal(t, "laptop", same.Name)
	_, err = keys.AddKey("laptop", phraseRoot(t, abandonArt), testTime)
	require.EqualError(t, err, `device "laptop" is already in the key store`)
	_, err = keys.AddKey("a/b", phraseRoot(t, abandonArt), testTime)
	require.ErrorContains(t, err, "has a slash")
	_, err = keys.AddKey("phrase", phraseRoot(t, abandonArt), testTime)
	require.ErrorContains(t, err, "kept for the recovery phrase")
	require.Len(t, keys.SecurityKeys(), 1)
	require.Equal(t, "laptop", keys.BySeed(phraseRoot(t, allWords)).Name())
	require.Nil(t, keys.BySeed(phraseRoot(t, abandonArt)))
}

func TestRestore(t *testing.T) {
	keys := new(Keys)
	old, err := keys.AddKey("laptop", phraseRoot(t, allWords), testTime)
	require.NoError(t, err)
	create(t, old, request("anna"), testTime)
	print := old.Fingerprint().String()
	other := phraseRoot(t, abandonArt)

	_, err = keys.Restore("laptop", other, "", testTime)
	require.EqualError(t, err, fmt.Sprintf(`security key "laptop" is there already, with the seed %s`, print))
	_, err = keys.Restore("laptop", other, "0000-0000-0000-0000", testTime)
	require.EqualError(t, err, fmt.Sprintf(`security key "laptop" has the seed %s, not "0000-0000-0000-0000"`, print))
	_, err = keys.Restore("new", other, print, testTime)
	require.EqualError(t, err, `no device "new" in the key store`)
	_, err = keys.Restore("laptop", phraseRoot(t, allWords), print, testTime)
	require.EqualError(t, err, fmt.Sprintf(`security key "laptop" has the same seed, %s`, print))
	_, err = keys.Restore("new", phraseRoot(t, allWords), "", testTime)
	require.EqualError(t, err, fmt.Sprintf(`security key "laptop" has the same seed, %s`, print))
	require.Len(t, old.Credentials(), 1, "nothing was lost by what was refused")

	k, err := keys.Restore("laptop", other, print, testTime)
	require.NoError(t, err)
	require.Empty(t, k.Credentials())
	require.Equal(t, testTime, k.Status().Restored)
	require.Equal(t, testTime, k.Status().Checked, "words that were just typed need not be typed again")
	require.NoError(t, k.Finalize(testTime))
	require.Len(t, keys.SecurityKeys(), 1)

	require.NoError(t, keys.Add("imported", testPasskey(t), testTime))
	_, err = keys.Restore("imported", phraseRoot(t, allWords), "x", testTime)
	require.EqualError(t, err, `security key "imported" holds stored credentials, which no seed brings back`)
}

func TestBackupSteps(t *testing.T) {
	k := testKey(t)
	require.ErrorIs(t, k.Finalize(testTime), ErrNotChecked)
	p, err := k.ExportPhrase(testTime)
	require.NoError(t, err)
	again := phraseRoot(t, abandonArt)
	err = k.Check(again, testTime)
	var another *AnotherSeedError
	require.ErrorAs(t, err, &another)
	require.Equal(t, again.Fingerprint(), another.Got)
	require.ErrorIs(t, k.Finalize(testTime), ErrNotChecked)
	read, err := RootFromPhrase(p)
	require.NoError(t, err)
	require.NoError(t, k.Check(read, testTime))
	secret, err := k.ExportSecret(testTime)
	require.NoError(t, err)
	require.Len(t, secret, 16, "twelve words")
	require.Equal(t, []Export{{testTime, ExportWords}, {testTime, ExportShares}}, k.Status().Exports)
	require.NoError(t, k.Finalize(testTime))
	_, err = k.ExportPhrase(testTime)
	require.ErrorIs(t, err, ErrFinalized)
	_, err = k.ExportSecret(testTime)
	require.ErrorIs(t, err, ErrFinalized)
	require.ErrorIs(t, k.Finalize(testTime), ErrFinalized)
	require.NoError(t, k.Check(read, testTime), "a finalized backup can still be checked")

	raw, err := new(Keys).AddKey("trezor", mustRoot(t, RootSecret, make([]byte, 32)), testTime)
	require.NoError(t, err)
	_, err = raw.ExportPhrase(testTime)
	require.EqualError(t, err, `this key has no words, its seed is of kind "secret"`)
	require.Empty(t, raw.Status().Exports)
}

func TestNamesOfCredentials(t *testing.T) {
	keys := new(Keys)
	k, err := keys.AddKey("laptop", phraseRoot(t, allWords), testTime)
	require.NoError(t, err)
	_, err = keys.Get("laptop")
	require.EqualError(t, err, `security key "laptop" has no credential yet`)
	a := create(t, k, request("anna"), testTime)
	got, err := keys.Get("laptop")
	require.NoError(t, err)
	require.Equal(t, "laptop", got.Name)
	require.Equal(t, k.Fingerprint(), got.Seed)
	require.False(t, got.Exported)

	b := create(t, k, request("ben"), testTime)
	_, err = keys.Get("laptop")
	require.EqualError(t, err, `security key "laptop" has several credentials: "laptop/id.example", "laptop/id.example-2"`)
	for name, want := range map[string]*Credential{
		"laptop/id.example": a, "laptop/id.example-2": b, "laptop/" + hex.EncodeToString(a.CredentialID()): a,
	} {
		got, err := keys.Get(name)
		require.NoError(t, err)
		require.Equal(t, want.CredentialID(), got.Passkey.CredentialID())
	}
	named, err := keys.Get("laptop/https://alice@example.com#1,ed25519")
	require.NoError(t, err)
	require.Equal(t, "laptop/https://alice@example.com#1,ed25519", named.Name)
	require.Equal(t, credid.EdDSA, named.Passkey.Algorithm())
	hash, err := keys.Get("laptop/https://a#1@example.com#2")
	require.NoError(t, err)
	require.NotEqual(t, hash.Passkey.COSE(), named.Passkey.COSE())

	r := request("cleo")
	r.Kind = NotDiscoverable
	loose := create(t, k, r, testTime)
	got, err = keys.Get("laptop/" + hex.EncodeToString(loose.CredentialID()))
	require.NoError(t, err)
	require.Equal(t, loose.COSE(), got.Passkey.COSE())
	require.Len(t, keys.All(), 2)

	for name, message := range map[string]string{
		"phone": `no device "phone" in the key store`, "phone/x": `no device "phone/x" in the key store`,
		"laptop/x": `no device "laptop/x" in the key store`, "laptop/00ff": `no device "laptop/00ff" in the key store`,
		"laptop/https://Example.com":     `host "Example.com" is not in lower case`,
		"laptop/https://example.com#one": `"one" behind "https://example.com" is neither an index nor ed25519`,
	} {
		_, err := keys.Get(name)
		require.EqualError(t, err, message)
	}
	use := Use{Where: "here", Anchor: 10000}
	require.NoError(t, keys.Note("laptop/id.example", use))
	got, err = keys.Get("laptop/id.example")
	require.NoError(t, err)
	require.Equal(t, []Use{use}, got.Uses)
	require.NoError(t, keys.Forget("laptop/id.example", use))
	require.NoError(t, keys.RenameKey("laptop", "notebook"))
	require.NoError(t, keys.Remove("notebook/id.example"))
	require.Len(t, keys.All(), 1)
	require.Error(t, keys.Remove("notebook/https://alice@example.com"), "of which nothing is kept")
	require.NoError(t, keys.Remove("notebook"))
	require.Empty(t, keys.SecurityKeys())
}

func TestExportedIsKnownOfEveryCredential(t *testing.T) {
	keys := new(Keys)
	k, err := keys.Restore("laptop", phraseRoot(t, allWords), "", testTime)
	require.NoError(t, err)
	create(t, k, request("anna"), testTime)
	got, err := keys.Get("laptop")
	require.NoError(t, err)
	require.True(t, got.Restored)
	_, err = k.ExportPhrase(testTime)
	require.NoError(t, err)
	got, err = keys.Get("laptop")
	require.NoError(t, err)
	require.True(t, got.Exported)
}

func TestRenameKeyRefuses(t *testing.T) {
	keys := new(Keys)
	for _, name := range []string{"a", "b"} {
		require.NoError(t, keys.Add(name, testPasskey(t), testTime))
	}
	require.EqualError(t, keys.RenameKey("a", "b"), `device "b" is already in the key store`)
	require.EqualError(t, keys.RenameKey("c", "d"), `no device "c" in the key store`)
	require.ErrorContains(t, keys.RenameKey("a", "x/y"), "slash")
	require.NoError(t, keys.RenameKey("a", "a"))
}

// A store of version 1 is converted by its next change: the passkeys become stored credentials, and
// sign as before. The file that cannot be written stays as it was.
func TestStoreOfVersion1IsConverted(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "keys-v1.age"))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "keys.age")
	require.NoError(t, os.WriteFile(path, old, 0o600))
	s := testStore(t, path, "kedge test store")
	before, err := s.Load()
	require.NoError(t, err)
	_, err = os.ReadFile(path)
	require.NoError(t, err)

	require.NoError(t, s.Change(func(k *Keys) error { return nil }))
	after, err := testStore(t, path, "kedge test store").Load()
	require.NoError(t, err)
	require.Equal(t, before, after)
	laptop, err := after.Key("laptop")
	require.NoError(t, err)
	require.False(t, laptop.HasSeed())
	require.Len(t, laptop.Credentials(), 1)
	require.Equal(t, Stored, laptop.Credentials()[0].Kind)
	one, err := before.Get("laptop")
	require.NoError(t, err)
	two, err := after.Get("laptop")
	require.NoError(t, err)
	a, err := one.Passkey.Sign([]byte("x"))
	require.NoError(t, err)
	b, err := two.Passkey.Sign([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, a, b)
}

// A file that is cut off anywhere is refused and named, and never taken for an empty one.
func TestStoreCutOffAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	s := testStore(t, path, "right")
	require.NoError(t, s.Change(func(k *Keys) error {
		_, err := k.AddKey("laptop", phraseRoot(t, allWords), testTime)
		return err
	}))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := 0; n < len(whole); n += 7 {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		_, err := testStore(t, path, "right").Load()
		require.ErrorContains(t, err, path, "%d bytes", n)
		err = testStore(t, path, "right").Change(func(k *Keys) error { return nil })
		require.Error(t, err, "a damaged store is not written over")
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, whole[:n], now)
	}
}

func TestStoreOfANewerVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	sealed, err := seal([]byte(`{"format":"kedge-keys","version":3,"things":[]}`), "right", testWorkFactor)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, sealed, 0o600))
	_, err = testStore(t, path, "right").Load()
	require.EqualError(t, err, fmt.Sprintf("opening the key store %q: version 3 is not known here, a newer kedge wrote it", path))
}

func TestParseStoreV2Refuses(t *testing.T) {
	seed := `"seed":{"kind":"words","secret":"AAAAAAAAAAAAAAAAAAAAAA=="}`
	stored := `"kind":"stored","id":"AQ==","label":"x","rp_id":"a","origin":"https://a","algorithm":-7,"protection":1,"private_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="`
	key := func(fields string) string { return `{"name":"a",` + fields + `}` }
	credential := func(fields string) string { return key(seed + `,"credentials":[{` + fields + `}]`) }
	tests := []struct{ name, keys, err string }{
		{"an unknown field", key(`"extra":1`), `unknown field "extra"`},
		{"a seed of an odd size", key(`"seed":{"kind":"words","secret":"AAAA"}`), `security key "a": the entropy of words has`},
		{"an unknown seed", key(`"seed":{"kind":"dice","secret":"AAAA"}`), `there is no root of kind "dice"`},
		{"a name twice", key(seed) + "," + key(`"credentials":[]`), `device "a" is already in the key store`},
		{"a label twice", key(`"credentials":[{` + stored + `},{` + stored + `}]`), `credential "x": the same label or id twice`},
		{"a derived one with a private key", credential(`"kind":"discoverable","id":"AQ==","label":"x","private_key":"AAAA"`), "a derived credential with what only a stored one has"},
		{"a derived one without a seed", key(`"credentials":[{"kind":"discoverable","id":"AQ==","label":"x"}]`), "this key has no seed"},
		{"no SLIP-0022 id", credential(`"kind":"discoverable","id":"AQ==","label":"x","algorithm":-7`), "the credential id is not of this seed"},
		{"another algorithm", credential(`"kind":"passport prime","id":"AQ==","label":"x","algorithm":-8`), `credential "x": `},
		{"a kind that is never kept", credential(`"kind":"named","id":"AQ==","label":"x"`), `there is no credential of kind "named"`},
		{"one secret", key(`"credentials":[{` + stored + `,"cred_random":["AAAA"]}]`), "the secrets of hmac-secret are not two of 32 bytes"},
		{"a number in place of a secret", key(`"seed":{"kind":"words","secret":123456}`), `field "keys.seed.secret" has a value of the wrong type`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			keys, err := parseStore([]byte(`{"format":"kedge-keys","version":2,"keys":[` + tc.keys + `]}`))
			require.ErrorContains(t, err, tc.err)
			require.NotContains(t, err.Error(), "123456")
			require.Nil(t, keys)
		})
	}
}

// The first store of version 2, captured once. It must open for ever.
func TestStoreOfVersion2(t *testing.T) {
	keys, err := testStore(t, filepath.Join("testdata", "keys-v2.age"), "kedge test store").Load()
	require.NoError(t, err)
	laptop, err := keys.Key("laptop")
	require.NoError(t, err)
	require.True(t, laptop.SameSeed(phraseRoot(t, allWords)))
	require.Equal(t, []Export{{testTime, ExportWords}}, laptop.Status().Exports)
	require.Equal(t, testTime, laptop.Status().Finalized)
	require.Equal(t, []byte("protocol"), laptop.ProtocolState())
	list := laptop.Credentials()
	require.Len(t, list, 2)
	require.Equal(t, []string{"work", "id.example"}, []string{list[0].Label, list[1].Label})
	require.Equal(t, []Use{{Where: "rdmx6-jaaaa-aaaaa-aaadq-cai@local", Anchor: 10000}}, list[0].Uses)
	sealed, err := laptop.ByID(list[0].CredentialID(), "id.example")
	require.NoError(t, err)
	require.Equal(t, User{[]byte("anna"), "anna", "Anna"}, sealed.User)
	require.Equal(t, Stored, list[1].Kind)
	require.True(t, list[1].DeviceBound())
}
