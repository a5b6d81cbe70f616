package session

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aviate-labs/agent-go/identity"

	"kedge/device"
	"kedge/ic/signature"
)

// Private keys as the tools of the Internet Computer write them:
//
//	PRIVATE KEY       PKCS #8 (RFC 5958): Ed25519, P-256, secp256k1; icp identity export
//	EC PRIVATE KEY    SEC 1 (RFC 5915): P-256, secp256k1; dfx, openssl. The curve is named in it, or in a
//	                  block EC PARAMETERS before it.
//
// crypto/x509 reads them all but secp256k1, which the Go library does not have.

var (
	oidPublicKeyEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSecp256k1   = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// pkcs8 is a PrivateKeyInfo, its attributes left out.
type pkcs8 struct {
	Version   int
	Algorithm struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	PrivateKey []byte
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
}

// sec1 is an ECPrivateKey.
type sec1 struct {
	Version    int
	PrivateKey []byte
	Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

// ReadIdentity reads an unencrypted private key that signs calls as itself.
func ReadIdentity(path string) (identity.Identity, error) {
	if strings.Contains(path, "PRIVATE KEY") {
		return nil, errors.New("what should name the PEM file of an identity is a private key itself: put it into a file with mode 0600, and take it out of the history of the shell")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	key, err := parsePEM(data)
	if err != nil {
		return nil, fmt.Errorf("identity %q is not a PEM file with an unencrypted Ed25519, secp256k1 or P-256 key: %w", path, err)
	}
	return device.AgentIdentity(key), nil
}

func parsePEM(data []byte) (*signature.Signer, error) {
	var curve asn1.ObjectIdentifier
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "EC PARAMETERS":
			if _, err := asn1.Unmarshal(block.Bytes, &curve); err != nil {
				return nil, fmt.Errorf("its parameters: %w", err)
			}
		case "PRIVATE KEY":
			return parsePKCS8(block.Bytes)
		case "EC PRIVATE KEY":
			return parseSEC1(block.Bytes, curve)
		default:
			return nil, fmt.Errorf("it has a block %q", block.Type)
		}
	}
	return nil, errors.New("it has no private key")
}

func parsePKCS8(der []byte) (*signature.Signer, error) {
	var info pkcs8
	if rest, err := asn1.Unmarshal(der, &info); err == nil && len(rest) == 0 && info.Algorithm.Algorithm.Equal(oidPublicKeyEC) {
		var curve asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &curve); err == nil && curve.Equal(oidSecp256k1) {
			return parseSEC1(info.PrivateKey, curve)
		}
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("its key is of another kind")
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return signature.NewEd25519(key.Seed())
	case *ecdsa.PrivateKey:
		return p256Signer(key)
	}
	return nil, errors.New("its key is of another kind")
}

func parseSEC1(der []byte, curve asn1.ObjectIdentifier) (*signature.Signer, error) {
	var key sec1
	if rest, err := asn1.Unmarshal(der, &key); err != nil || len(rest) != 0 {
		return nil, errors.New("its key is damaged")
	}
	if key.Curve != nil {
		curve = key.Curve
	}
	if curve.Equal(oidSecp256k1) {
		const size = 32
		if len(key.PrivateKey) > size {
			return nil, errors.New("its key is damaged")
		}
		scalar := make([]byte, size) // some writers leave leading zeros out
		copy(scalar[size-len(key.PrivateKey):], key.PrivateKey)
		return signature.NewSecp256k1(scalar)
	}
	p256, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return nil, errors.New("its key is of another kind")
	}
	return p256Signer(p256)
}

func p256Signer(key *ecdsa.PrivateKey) (*signature.Signer, error) {
	if key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("its curve is %s", key.Curve.Params().Name)
	}
	scalar, err := key.Bytes()
	if err != nil {
		return nil, errors.New("its key is damaged")
	}
	return signature.NewP256(scalar)
}
