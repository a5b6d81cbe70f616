package device

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device/credid"
	"kedge/device/derive"
)

func listed(c *Credential) Listed {
	return Listed{PublicKey: c.PublicKey(), CredentialID: c.CredentialID(), Origin: c.Origin()}
}

func find(t testing.TB, roots []Root, list []Listed, o FindOptions) FindReport {
	t.Helper()
	report, err := Find(context.Background(), roots, list, o)
	require.NoError(t, err)
	return report
}

// Everything that a seed makes is found with the words alone, and signs again.
func TestFindEverything(t *testing.T) {
	k := testKey(t)
	r := request("anna")
	discoverable := create(t, k, r, testTime)
	r.Kind, r.Algorithm = NotDiscoverable, credid.EdDSA
	loose := create(t, k, r, testTime)
	n, err := derive.ParseName("https://alice@id.example")
	require.NoError(t, err)
	n.Index = 19
	named, err := k.Named(n, credid.EdDSA)
	require.NoError(t, err)
	phrase, err := k.root.phrase()
	require.NoError(t, err)
	list := []Listed{
		listed(discoverable), listed(loose), {PublicKey: named.PublicKey()}, {PublicKey: phrase.Key().PublicKey()},
		listed(&Credential{Passkey: testPasskey(t)}),
	}
	done := 0
	report := find(t, []Root{phraseRoot(t, abandonArt), phraseRoot(t, allWords)}, list, FindOptions{
		Sites: []string{"https://id.example"}, Users: []string{"bob", "alice"},
		Progress: func(n, atMost int) { require.Equal(t, done+1, n); require.LessOrEqual(t, n, atMost); done = n },
	})
	require.Equal(t, done, report.Derived)
	require.False(t, report.Cut)
	require.Equal(t, []int{4}, report.Unmatched)
	kinds := map[int]Kind{}
	for _, m := range report.Matches {
		require.Equal(t, 1, m.Root)
		kinds[m.Listed] = m.Kind
	}
	require.Equal(t, map[int]Kind{0: Discoverable, 1: Discoverable, 2: Named, 3: RecoveryPhraseKey}, kinds)

	fresh := testKey(t)
	for _, m := range report.Matches {
		c, err := fresh.AddMatch(m, list[m.Listed], "")
		if m.Kind == RecoveryPhraseKey {
			require.ErrorContains(t, err, "no credential")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, list[m.Listed].PublicKey, c.PublicKey())
		sig, err := c.Sign([]byte("x"))
		require.NoError(t, err)
		require.True(t, AgentIdentity(c.Passkey).Verify([]byte("x"), sig))
		again, err := fresh.AddMatch(m, list[m.Listed], "")
		require.NoError(t, err, "twice is as once")
		require.Equal(t, c.COSE(), again.COSE())
	}
	require.Len(t, fresh.Credentials(), 2)
}

// A plain key and a WebAuthn key of the same point are the same key.
func TestFindTakesEveryForm(t *testing.T) {
	k := testKey(t)
	n, err := derive.ParseName("https://id.example")
	require.NoError(t, err)
	for _, a := range []credid.Algorithm{credid.ES256, credid.EdDSA} {
		c, err := k.Named(n, a)
		require.NoError(t, err)
		plain, err := x509.MarshalPKIXPublicKey(c.public)
		require.NoError(t, err)
		report := find(t, []Root{k.root}, []Listed{{PublicKey: plain}, {PublicKey: c.PublicKey()}, {PublicKey: []byte("junk")}}, FindOptions{Sites: []string{"https://id.example"}})
		require.Len(t, report.Matches, 2)
		require.Equal(t, [][]int{{0, 1}}, report.Twice, "the same key twice is said")
		require.Equal(t, []int{2}, report.Unmatched)
	}
}

func TestFindLedgerAndTrezorAndPrime(t *testing.T) {
	root := phraseRoot(t, allWords)
	secrets, err := credid.NewLedgerSecrets(root.seed)
	require.NoError(t, err)
	handles := ledgerHandles(t)
	var list []Listed
	for _, h := range handles {
		l, err := credid.OpenLedger(secrets, h, "id.example")
		require.NoError(t, err)
		key, err := l.Key(credid.EdDSA)
		if l.Algorithm == credid.ES256 {
			key, err = l.Key(credid.ES256)
		}
		require.NoError(t, err)
		p, err := newPasskey(Passkey{source: keptKey{key}})
		require.NoError(t, err)
		list = append(list, Listed{PublicKey: p.PublicKey(), CredentialID: h, Origin: "https://id.example"})
	}
	// Found by the origin that the list has, or by a site that a person names.
	list[0].Origin = ""
	prime := mustRoot(t, RootPrime, make([]byte, 32))
	for _, at := range [][2]uint32{{0, 19}, {2, 3}} {
		key, err := credid.PrimeKey(prime.secret, at[0], at[1])
		require.NoError(t, err)
		p, err := newPasskey(Passkey{source: keptKey{key}})
		require.NoError(t, err)
		list = append(list, Listed{PublicKey: p.PublicKey(), Origin: "https://id.example"})
	}
	report := find(t, []Root{root, prime}, list, FindOptions{Sites: []string{"https://id.example"}})
	require.Empty(t, report.Unmatched)
	keys := new(Keys)
	ledger, err := keys.AddKey("ledger", root, testTime)
	require.NoError(t, err)
	broken, err := keys.AddKey("prime", prime, testTime)
	require.NoError(t, err)
	for _, m := range report.Matches {
		k := []*SecurityKey{ledger, broken}[m.Root]
		c, err := k.AddMatch(m, list[m.Listed], fmt.Sprint("found ", m.Listed))
		require.NoError(t, err)
		require.True(t, c.DeviceBound(), "a hardware key said so when it registered")
		require.Equal(t, list[m.Listed].PublicKey, c.PublicKey())
	}
	plain, err := encodeStore(keys)
	require.NoError(t, err)
	require.NotContains(t, string(plain), "private_key")
	again, err := parseStore(plain)
	require.NoError(t, err)
	require.Equal(t, keys, again)
	_, err = broken.Create(request("anna"), rand.Reader, testTime)
	require.ErrorContains(t, err, "makes no new credentials")
}

// ledgerHandles are handles for id.example of a Ledger with the words of the examples: a resident one, one
// that is not, and one of U2F. They were made once with the layout that the device's source gives.
func ledgerHandles(t testing.TB) [][]byte {
	var handles [][]byte
	for _, text := range []string{
		"0205ccf2d3877ff2746a81473a9c8133ac62cc998d2e65f1a9f7f40f80cf90d6b71591acf7ba430e10789ff1ef3efa56e527",
		"022e0e38cfb49dbc6f85177c96b97e9b036bf1a1fc95ac3af81727aa52c6d894d28e4642bd53",
		"01f003fcba2a0ca22d95118dc386bedd56e0b7af6335d4402a239d1f8ca01d3988",
	} {
		handles = append(handles, unhex(t, text))
	}
	return handles
}

func TestFindStops(t *testing.T) {
	k := testKey(t)
	n, err := derive.ParseName("https://id.example")
	require.NoError(t, err)
	n.Index = 20
	beyond, err := k.Named(n, credid.ES256)
	require.NoError(t, err)
	list := []Listed{{PublicKey: beyond.PublicKey()}}
	require.Equal(t, []int{0}, find(t, []Root{k.root}, list, FindOptions{Sites: []string{"https://id.example"}}).Unmatched, "behind the gap")
	require.Empty(t, find(t, []Root{k.root}, list, FindOptions{Sites: []string{"https://id.example"}, Gap: 21}).Unmatched)
	report := find(t, []Root{k.root}, list, FindOptions{Sites: []string{"https://id.example"}, Gap: 21, Limit: 10})
	require.True(t, report.Cut)
	require.Equal(t, 10, report.Derived)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Find(ctx, []Root{k.root}, list, FindOptions{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = Find(context.Background(), nil, nil, FindOptions{Sites: []string{"https://ID.example"}})
	require.EqualError(t, err, `site "https://ID.example": host "ID.example" is not in lower case`)
	_, err = Find(context.Background(), nil, nil, FindOptions{Gap: -1})
	require.ErrorContains(t, err, "above zero")
}

// A key of an id that was planted beside another public key does not match.
func TestFindComparesKeysNotIds(t *testing.T) {
	k := testKey(t)
	c := create(t, k, request("anna"), testTime)
	planted := Listed{PublicKey: testPasskey(t).PublicKey(), CredentialID: c.CredentialID(), Origin: c.Origin()}
	report := find(t, []Root{k.root}, []Listed{planted}, FindOptions{})
	require.Empty(t, report.Matches)
	require.Equal(t, []int{0}, report.Unmatched)
	_, err := testKey(t).AddMatch(Match{Kind: LedgerHandle, rpID: "id.example", Algorithm: credid.ES256}, planted, "")
	require.ErrorIs(t, err, credid.ErrForeign)
}

// BenchmarkFind says how many public keys a scan derives and compares: see the metric keys/s.
func BenchmarkFind(b *testing.B) {
	root := phraseRoot(b, allWords)
	prime := mustRoot(b, RootPrime, make([]byte, 32))
	list := []Listed{{PublicKey: mustPasskey(b).PublicKey()}}
	for name, o := range map[string]struct {
		root Root
		o    FindOptions
	}{
		"names": {root, FindOptions{Sites: []string{"https://id.example"}, Gap: 500, Limit: 1000}},
		"prime": {prime, FindOptions{Gap: 32, Limit: 1000}},
	} {
		b.Run(name, func(b *testing.B) {
			derived := 0
			for b.Loop() {
				derived += find(b, []Root{o.root}, list, o.o).Derived
			}
			b.ReportMetric(float64(derived)/b.Elapsed().Seconds(), "keys/s")
		})
	}
}

func mustPasskey(t testing.TB) *Passkey {
	t.Helper()
	p, err := NewPasskey(rand.Reader, PasskeyOptions{Origin: "https://id.example"})
	require.NoError(t, err)
	return p
}
