package device

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device/credid"
)

// local is a holder in the same process.
type local struct{ keys *Keys }

func (l local) find(key, selector string) (*Credential, error) {
	k, err := l.keys.Key(key)
	if err != nil {
		return nil, err
	}
	return k.Select(selector)
}

func (l local) Derive(key, selector string) (CredentialOutline, error) {
	c, err := l.find(key, selector)
	if err != nil {
		return CredentialOutline{}, err
	}
	return c.Outline()
}

func (l local) Assert(key, selector string, id []byte, r AssertionRequest) (Assertion, error) {
	c, err := l.find(key, selector)
	if err != nil {
		return Assertion{}, err
	}
	if !bytes.Equal(c.CredentialID(), id) {
		return Assertion{}, errors.New("another credential")
	}
	return c.Assert(r)
}

// everyKind is a store with a credential of every kind that is made here.
func everyKind(t testing.TB) *Keys {
	t.Helper()
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	keys := new(Keys)
	root, err := NewRoot(rand.Reader)
	require.NoError(t, err)
	k, err := keys.AddKey("laptop", root, now)
	require.NoError(t, err)
	for label, r := range map[string]CreateRequest{
		"es256":   {Kind: Discoverable, RPID: "id.example", User: User{ID: []byte("1"), Name: "anna"}, HMACSecret: true},
		"eddsa":   {Kind: Discoverable, RPID: "id.example", User: User{ID: []byte("2")}, Algorithm: credid.EdDSA},
		"bound":   {Kind: Stored, RPID: "id.example", User: User{ID: []byte("3")}, DeviceBound: true, HMACSecret: true},
		"checked": {Kind: Discoverable, RPID: "other.example", Origin: "http://other.example:8080"},
	} {
		r.Label = label
		_, err := k.Create(r, rand.Reader, now)
		require.NoError(t, err)
	}
	require.NoError(t, k.Check(root, now))
	p, err := NewPasskey(rand.Reader, PasskeyOptions{Origin: "https://id.example"})
	require.NoError(t, err)
	require.NoError(t, keys.Add("plain", p, now))
	k.SetProtocolState([]byte("hash of a PIN and a token"))
	return keys
}

// An outline has nothing secret in it, and is enough to list everything and to have it sign.
func TestOutline(t *testing.T) {
	keys := everyKind(t)
	o, err := keys.Outline()
	require.NoError(t, err)
	text, err := json.Marshal(o)
	require.NoError(t, err)

	secrets := map[string][]byte{"protocol": []byte("hash of a PIN and a token")}
	for _, k := range keys.keys {
		secrets[k.name+" secret"], secrets[k.name+" seed"] = k.root.secret, k.root.seed
		if k.HasSeed() {
			p, err := k.root.phrase()
			require.NoError(t, err)
			secrets["words"] = []byte(strings.Join(p.Words()[:4], " "))
		}
		for _, c := range k.credentials {
			private, err := c.source.key()
			require.NoError(t, err)
			secrets[c.Label+" private"], err = rawPrivate(private)
			require.NoError(t, err)
			if c.credRandom != nil {
				for _, verified := range []bool{true, false} {
					secrets[c.Label+" hmac"], err = c.credRandom.secret(verified)
					require.NoError(t, err)
				}
			}
		}
	}
	for name, secret := range secrets {
		if len(secret) == 0 {
			continue
		}
		for form, written := range map[string]string{
			"plain": string(secret), "hex": hex.EncodeToString(secret), "base64": strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "="),
		} {
			require.NotContains(t, string(text), written, "%s in %s", name, form)
		}
	}

	var read Outline
	require.NoError(t, json.Unmarshal(text, &read))
	away, err := read.Open(local{keys})
	require.NoError(t, err)
	require.Len(t, away.All(), len(keys.All()))
	for i, want := range keys.All() {
		got := away.All()[i]
		require.Equal(t, want.Name, got.Name)
		require.Equal(t, want.Seed, got.Seed)
		require.Equal(t, want.Passkey.PublicKey(), got.Passkey.PublicKey())
		require.Equal(t, want.Passkey.DefaultFlags(), got.Passkey.DefaultFlags())
		require.Equal(t, want.Passkey.Origin(), got.Passkey.Origin())
		message := []byte("a message")
		signature, err := got.Passkey.Sign(message)
		require.NoError(t, err)
		require.True(t, AgentIdentity(want.Passkey).Verify(message, signature))
	}
	for i, k := range keys.SecurityKeys() {
		other := away.SecurityKeys()[i]
		require.Equal(t, k.Status(), other.Status())
		require.Equal(t, k.RecoveryPhraseKey(), other.RecoveryPhraseKey())
		require.True(t, !k.HasSeed() || other.SameSeed(k.root))
	}

	// What nothing is kept of is derived by the holder, and signs.
	for _, name := range []string{"laptop/https://anna@id.example", "laptop/https://anna@id.example#3,ed25519"} {
		want, err := keys.Get(name)
		require.NoError(t, err)
		got, err := away.Get(name)
		require.NoError(t, err)
		require.Equal(t, want.Passkey.PublicKey(), got.Passkey.PublicKey())
		signature, err := got.Passkey.Sign([]byte("m"))
		require.NoError(t, err)
		require.True(t, AgentIdentity(want.Passkey).Verify([]byte("m"), signature))
	}
	_, err = away.Get("laptop/0011")
	var missing *NotFoundError
	require.ErrorAs(t, err, &missing)
}

// Whatever needs a secret fails on keys from an outline, and says why.
func TestOutlineHasNoSecrets(t *testing.T) {
	keys := everyKind(t)
	o, err := keys.Outline()
	require.NoError(t, err)
	away, err := o.Open(local{keys})
	require.NoError(t, err)
	k, err := away.Key("laptop")
	require.NoError(t, err)
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	other, err := NewRoot(rand.Reader)
	require.NoError(t, err)
	require.False(t, k.SameSeed(other))
	c := k.Credentials()[0]
	at := slices.IndexFunc(k.Credentials(), (*Credential).HasHMACSecret)
	require.GreaterOrEqual(t, at, 0)
	prf := k.Credentials()[at]
	nonce := make([]byte, NonceSize)
	for what, do := range map[string]func() error{
		"words":    func() error { _, err := k.ExportPhrase(now); return err },
		"secret":   func() error { _, err := k.ExportSecret(now); return err },
		"cxf":      func() error { _, _, err := k.ExportCXF(nil, now, rand.Reader); return err },
		"metadata": func() error { _, _, err := k.BackUpMetadata(now); return err },
		"proof":    func() error { _, err := k.Prove(nonce); return err },
		"create": func() error {
			_, err := k.Create(CreateRequest{Kind: Discoverable, RPID: "x.example"}, rand.Reader, now)
			return err
		},
		"find":        func() error { _, err := Find(t.Context(), []Root{k.Root()}, nil, FindOptions{}); return err },
		"raw":         func() error { _, err := c.SignData(make([]byte, 37), [32]byte{}); return err },
		"hmac-secret": func() error { _, err := prf.HMACSecret(true, make([]byte, 32)); return err },
		"store":       func() error { _, err := encodeStore(away); return err },
	} {
		require.ErrorIs(t, do(), ErrAway, what)
	}
}

func FuzzOutline(f *testing.F) {
	keys := everyKind(f)
	o, err := keys.Outline()
	require.NoError(f, err)
	text, err := json.Marshal(o)
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"keys":[{"name":"k","created":"2026-11-27T09:00:00Z","seed":"words","fingerprint":"AA==","credentials":[{"kind":"stored","id":"AA==","public_key":"AA==","label":"x","rp_id":"","origin":"","protection":1}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var o Outline
		if json.Unmarshal(text, &o) != nil {
			return
		}
		keys, err := o.Open(local{new(Keys)})
		if err != nil {
			return
		}
		for _, s := range keys.All() {
			_ = s.Passkey.PublicKey()
			_, err := s.Passkey.Sign([]byte("m"))
			require.Error(t, err)
		}
	})
}
