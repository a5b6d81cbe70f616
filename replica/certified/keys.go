package certified

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"

	"kedge/ic/certificate"
	"kedge/ic/principal"
)

// Keys are the secret keys of a network.
type Keys struct {
	Root   *certificate.SecretKey
	Subnet *certificate.SecretKey
	Node   ed25519.PrivateKey
}

// KeysLen is the size of stored keys: root (32 bytes), subnet (32), seed of the node's key (32).
const KeysLen = 2*certificate.SecretKeyLen + ed25519.SeedSize

// GenerateKeys draws the keys of a new network from random, or from the system's generator if it is nil.
func GenerateKeys(random io.Reader) (*Keys, error) {
	if random == nil {
		random = rand.Reader
	}
	root, err := certificate.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	subnet, err := certificate.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("subnet key: %w", err)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("node key: %w", err)
	}
	return &Keys{Root: root, Subnet: subnet, Node: ed25519.NewKeyFromSeed(seed)}, nil
}

// ParseKeys reads keys that Bytes wrote.
func ParseKeys(raw []byte) (*Keys, error) {
	if len(raw) != KeysLen {
		return nil, fmt.Errorf("keys of a network have %d bytes, got %d", KeysLen, len(raw))
	}
	root, err := certificate.ParseSecretKey(raw[:certificate.SecretKeyLen])
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	subnet, err := certificate.ParseSecretKey(raw[certificate.SecretKeyLen : 2*certificate.SecretKeyLen])
	if err != nil {
		return nil, fmt.Errorf("subnet key: %w", err)
	}
	return &Keys{Root: root, Subnet: subnet, Node: ed25519.NewKeyFromSeed(raw[2*certificate.SecretKeyLen:])}, nil
}

// Bytes returns the keys for storage.
func (k *Keys) Bytes() []byte {
	return bytes.Join([][]byte{k.Root.Bytes(), k.Subnet.Bytes(), k.Node.Seed()}, nil)
}

// ed25519Prefix begins the DER form of Ed25519 keys (RFC 8410).
var ed25519Prefix = []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}

func (k *Keys) nodeDER() []byte {
	return append(bytes.Clone(ed25519Prefix), k.Node.Public().(ed25519.PublicKey)...)
}

// RootDER returns the root's public key in DER, 133 bytes.
func (k *Keys) RootDER() []byte { return k.Root.Public().DER() }

// RootID returns the id of the root subnet.
func (k *Keys) RootID() principal.Principal { return principal.SelfAuthenticating(k.RootDER()) }

// SubnetID returns the id of the application subnet.
func (k *Keys) SubnetID() principal.Principal {
	return principal.SelfAuthenticating(k.Subnet.Public().DER())
}

// NodeID returns the id of the node.
func (k *Keys) NodeID() principal.Principal { return principal.SelfAuthenticating(k.nodeDER()) }
