package cxf

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func samples(t testing.TB) []Passkey {
	t.Helper()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	created := time.Unix(1760000000, 0).UTC()
	secret := make([]byte, 32)
	return []Passkey{
		{Title: "Bank", CredentialID: []byte{1}, RPID: "bank.example", UserName: "anna", UserDisplayName: "Anna", UserHandle: []byte{2}, Key: p256, Created: created},
		{Title: "Mail", CredentialID: []byte{3}, RPID: "mail.example", UserHandle: []byte{}, Key: ed, HMACWithUV: secret, HMACWithoutUV: secret},
	}
}

func TestRoundTrip(t *testing.T) {
	list := samples(t)
	text, err := Encode(list, Exporter{"kedge.invalid", "Kedge"}, time.Unix(1770000000, 0), rand.Reader)
	require.NoError(t, err)
	f, err := Decode(text)
	require.NoError(t, err)
	require.Equal(t, File{Exporter: Exporter{"kedge.invalid", "Kedge"}, Passkeys: list}, f)
}

func TestRefusesKeysThatAreNotTaken(t *testing.T) {
	list := samples(t)[:1]
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	list[0].Key = p384
	text, err := Encode(list, Exporter{}, time.Now(), rand.Reader)
	require.NoError(t, err)
	_, err = Decode(text)
	require.EqualError(t, err, `item "Bank", credential 1: the key is on curve P-384, only P-256 and Ed25519 are taken`)
}

func TestRefusesAnIDTwice(t *testing.T) {
	list := samples(t)
	list[1].CredentialID = list[0].CredentialID
	text, err := Encode(list, Exporter{}, time.Now(), rand.Reader)
	require.NoError(t, err)
	_, err = Decode(text)
	require.EqualError(t, err, `item "Mail", credential 1: the same credential id is in the file twice`)
}

func TestPasskeysDoNotPrint(t *testing.T) {
	p := samples(t)[0]
	private, err := p.Key.(*ecdsa.PrivateKey).Bytes()
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, p), hex.EncodeToString(private[:4]))
		require.Equal(t, "passkey 01 for bank.example", fmt.Sprintf(verb, p))
	}
}

func FuzzDecode(f *testing.F) {
	text, err := Encode(samples(f), Exporter{"a", "b"}, time.Now(), rand.Reader)
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"version":{"major":1,"minor":0},"accounts":[{"items":[{"credentials":[{"type":"note"}],"x":[1]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Decode(text)
		if err != nil {
			require.Empty(t, file.Passkeys, "a file that was refused gives nothing")
			return
		}
		again, err := Encode(file.Passkeys, file.Exporter, time.Now(), rand.Reader)
		require.NoError(t, err)
		same, err := Decode(again)
		require.NoError(t, err)
		require.Len(t, same.Passkeys, len(file.Passkeys))
	})
}
