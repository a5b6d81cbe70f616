package session

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Keys that tools wrote for this test and for nothing else.
const (
	// icp identity export, version 1.5.0
	icpKey = `-----BEGIN PRIVATE KEY-----
MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgwGY/n1M4ByMTSO3n6svc
zOlIbQC/hwdG69gE9T60FP2hRANCAATTYyBj0NQ4C9aPfOhQJm/jLWVvpN89Nylz
FLC7ScNxOMwxF9ZA8QRLnP7NCsE6GekpComJc99n2Ad6+/s/1PWk
-----END PRIVATE KEY-----
`
	// openssl ecparam -name secp256k1 -genkey, the form that dfx writes
	opensslKey = `-----BEGIN EC PARAMETERS-----
BgUrgQQACg==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHQCAQEEIInjpLudSoddVJAc4HGI4cm1WbLEt+KhkE7gKFwJD71foAcGBSuBBAAK
oUQDQgAEeI4oRSuriU3OjOF1FH3vs6b7r/s+nBJ9VTmFYM9ayuGqA2hGdu3Q6Npo
idVeWGIW9pANROtnzfoSi4TORCy5aw==
-----END EC PRIVATE KEY-----
`
)

func TestReadIdentity(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	encode := func(kind string, der []byte, err error) string {
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	der, err := x509.MarshalECPrivateKey(p256)
	sec1P256 := encode("EC PRIVATE KEY", der, err)
	der, err = x509.MarshalPKCS8PrivateKey(p256)
	pkcs8P256 := encode("PRIVATE KEY", der, err)
	der, err = x509.MarshalECPrivateKey(p384)
	sec1P384 := encode("EC PRIVATE KEY", der, err)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err = x509.MarshalPKCS8PrivateKey(private)
	pkcs8Ed25519 := encode("PRIVATE KEY", der, err)
	require.NoError(t, err)

	path := filepath.Join(t.TempDir(), "key.pem")
	for name, text := range map[string]string{"icp": icpKey, "openssl": opensslKey, "SEC 1": sec1P256, "PKCS #8": pkcs8P256, "Ed25519": pkcs8Ed25519} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			id, err := ReadIdentity(path)
			require.NoError(t, err)
			sig, err := id.Sign([]byte("message"))
			require.NoError(t, err)
			require.True(t, id.Verify([]byte("message"), sig))
			if name == "icp" { // what icp identity principal says of the key
				require.Equal(t, "yscbr-lqmti-j7ssm-q64av-epkgn-ij5hg-diqyf-u5fdj-lzgii-247jj-bqe", id.Sender().String())
			}
		})
	}
	for text, message := range map[string]string{
		"":       "it has no private key",
		"hello":  "it has no private key",
		sec1P384: "its curve is P-384",
		"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n":                           `it has a block "CERTIFICATE"`,
		"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n":                     "its key is of another kind",
		"-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n":               "its key is damaged",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n": `it has a block "ENCRYPTED PRIVATE KEY"`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := ReadIdentity(path)
		require.ErrorContains(t, err, message)
		require.ErrorContains(t, err, "is not a PEM file with an unencrypted Ed25519, secp256k1 or P-256 key")
	}
}

func FuzzParsePEM(f *testing.F) {
	f.Add([]byte(icpKey))
	f.Add([]byte(opensslKey))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := parsePEM(data)
		require.Equal(t, err == nil, key != nil)
	})
}
