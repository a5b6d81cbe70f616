package device

import (
	"bytes"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func backUp(t testing.TB, k *SecurityKey) []byte {
	t.Helper()
	file, _, err := k.BackUpMetadata(testTime)
	require.NoError(t, err)
	return file
}

func TestMetadataRestoresWhatWordsDoNot(t *testing.T) {
	keys := new(Keys)
	k, err := keys.AddKey("laptop", phraseRoot(t, allWords), testTime)
	require.NoError(t, err)
	r := request("anna")
	r.HMACSecret, r.Label, r.RPName = true, "work", "Example"
	create(t, k, r, testTime)
	require.NoError(t, keys.Note("laptop", Use{Where: "here", Anchor: 10000}))
	r = request("ben")
	r.Kind, r.Label = Stored, "imported"
	create(t, k, r, testTime)
	file, leftOut, err := k.BackUpMetadata(testTime)
	require.NoError(t, err)
	require.Equal(t, []string{"imported"}, leftOut)
	require.NotContains(t, string(file), "work")

	fresh := testKey(t)
	report, err := fresh.RestoreMetadata(file, false)
	require.NoError(t, err)
	require.Equal(t, MetadataReport{Made: testTime, Added: []string{"work"}}, report)
	require.Len(t, fresh.Credentials(), 1)
	want, got := k.Credentials()[0], fresh.Credentials()[0]
	require.Equal(t, want.COSE(), got.COSE())
	require.Equal(t, []any{want.Label, want.User, want.Uses, want.RPName, want.Kind}, []any{got.Label, got.User, got.Uses, got.RPName, got.Kind})
	require.True(t, got.HasHMACSecret())
	report, err = fresh.RestoreMetadata(file, false)
	require.NoError(t, err)
	require.Equal(t, []string{"work"}, report.Same)

	// The words alone open the file, with age itself.
	identity, err := phraseRoot(t, allWords).metadataIdentity()
	require.NoError(t, err)
	_, err = age.Decrypt(bytes.NewReader(file), identity)
	require.NoError(t, err)
}

func TestMetadataMerges(t *testing.T) {
	k := testKey(t)
	old := create(t, k, request("anna"), testTime)
	first := backUp(t, k)
	create(t, k, request("anna"), testTime.Add(time.Hour))
	other := create(t, k, request("ben"), testTime)
	second := backUp(t, k)

	t.Run("a newer backup loses nothing of an older one", func(t *testing.T) {
		for _, files := range [][][]byte{{first, second}, {second, first}} {
			fresh := testKey(t)
			for _, file := range files {
				_, err := fresh.RestoreMetadata(file, true)
				require.NoError(t, err)
			}
			require.Len(t, fresh.Credentials(), 3)
			require.Len(t, fresh.ByRelyingParty("id.example"), 2, "the newer of two for one user is the discoverable one")
			c, err := fresh.ByID(old.CredentialID(), "id.example")
			require.NoError(t, err)
			require.Equal(t, NotDiscoverable, c.Kind)
		}
	})
	t.Run("what was deleted here stays deleted", func(t *testing.T) {
		require.NoError(t, k.Delete(other.CredentialID()))
		report, err := k.RestoreMetadata(second, false)
		require.NoError(t, err)
		require.Equal(t, []string{"id.example-2"}, report.Deleted)
		report, err = k.RestoreMetadata(second, true)
		require.NoError(t, err)
		require.Equal(t, []string{"id.example-2"}, report.Added)
	})
	t.Run("a stored one is never in its way", func(t *testing.T) {
		fresh := testKey(t)
		r := request("ben")
		r.Kind = Stored
		create(t, fresh, r, testTime.Add(-time.Hour))
		_, err := fresh.RestoreMetadata(second, false)
		require.NoError(t, err)
		stored := 0
		for _, c := range fresh.Credentials() {
			if c.Kind == Stored {
				stored++
			}
		}
		require.Equal(t, 1, stored)
	})
}

func TestMetadataRefuses(t *testing.T) {
	k := testKey(t)
	create(t, k, request("anna"), testTime)
	file := backUp(t, k)
	other, err := new(Keys).AddKey("other", phraseRoot(t, abandonArt), testTime)
	require.NoError(t, err)
	_, err = other.RestoreMetadata(file, false)
	require.ErrorIs(t, err, ErrNotThisSeed)
	for n := 0; n < len(file); n += 11 {
		fresh := testKey(t)
		_, err := fresh.RestoreMetadata(file[:n], false)
		require.ErrorIs(t, err, ErrNotThisSeed, "%d bytes", n)
		require.Empty(t, fresh.Credentials())
	}
	none, err := new(Keys).AddKey("none", Root{}, testTime)
	require.NoError(t, err)
	_, err = none.RestoreMetadata(file, false)
	require.ErrorIs(t, err, errNoSeed)
	_, _, err = none.BackUpMetadata(testTime)
	require.ErrorIs(t, err, errNoSeed)

	identity, err := k.root.metadataIdentity()
	require.NoError(t, err)
	for text, message := range map[string]string{
		`{"format":"pets"}`:                                    "the file is no metadata backup",
		`{"format":"kedge-credentials","version":2}`:           "a newer kedge wrote it",
		`{"format":"kedge-credentials","version":1}`:           ErrNotThisSeed.Error(),
		`{"format":"kedge-credentials","version":1,"extra":1}`: `unknown field "extra"`,
	} {
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, identity.Recipient())
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		_, err = k.RestoreMetadata(sealed.Bytes(), false)
		require.ErrorContains(t, err, message)
	}
}

// Whatever is created, deleted and backed up in between, restoring every backup in any order onto the words
// alone opens every credential that was ever backed up.
func TestMetadataNeverLoses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := testKey(t)
		var files [][]byte
		ever := map[string]bool{}
		for i := range rapid.IntRange(1, 8).Draw(rt, "steps") {
			at := testTime.Add(time.Duration(i) * time.Minute)
			switch list := k.Credentials(); {
			case len(list) > 0 && rapid.IntRange(0, 3).Draw(rt, "delete") == 0:
				require.NoError(rt, k.Delete(rapid.SampledFrom(list).Draw(rt, "which").CredentialID()))
			default:
				create(t, k, request(rapid.SampledFrom([]string{"anna", "ben"}).Draw(rt, "user")), at)
			}
			if rapid.Bool().Draw(rt, "back up") {
				files = append(files, backUp(t, k))
				for _, c := range k.Credentials() {
					ever[string(c.CredentialID())] = true
				}
			}
		}
		if len(files) == 0 {
			return
		}
		fresh := testKey(t)
		for _, file := range rapid.Permutation(files).Draw(rt, "order") {
			_, err := fresh.RestoreMetadata(file, true)
			require.NoError(rt, err)
		}
		for id := range ever {
			_, err := fresh.ByID([]byte(id), "id.example")
			require.NoError(rt, err)
		}
	})
}
