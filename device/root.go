package device

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"kedge/device/credid"
	"kedge/device/derive"
)

// RootKind says how the keys of a [Root] are derived from its secret.
type RootKind string

// The kinds of root.
const (
	// RootWords is the entropy of BIP-39 words, 16 to 32 bytes; keys start from the BIP-39 seed of the
	// words without a passphrase, as a Trezor's and a Ledger's do.
	RootWords RootKind = "words"
	// RootSecret is a secret of 16 to 64 bytes that keys start from directly, as those of a Trezor that was
	// set up with SLIP-0039 shares do.
	RootSecret RootKind = "secret"
	// RootPrime is the 32-byte application seed of a Passport Prime.
	RootPrime RootKind = "passport-prime"
)

// rootEntropy is the size of a new root in bytes: 24 words.
const rootEntropy = 32

// Root is what all derived keys of a [SecurityKey] come from. The zero Root is none: a key with it has
// stored credentials alone.
//
// It prints as a placeholder, so that it cannot slip into a log.
type Root struct {
	kind         RootKind
	secret, seed []byte // seed is what derivations start from
	print        Fingerprint
	away         bool // the secret is in another process, see [Outline]
}

// NewRoot draws a root of 24 words from random, which must be a cryptographic source.
func NewRoot(random io.Reader) (Root, error) {
	entropy := make([]byte, rootEntropy)
	if _, err := io.ReadFull(random, entropy); err != nil {
		return Root{}, fmt.Errorf("drawing a seed: %w", err)
	}
	return ParseRoot(RootWords, entropy)
}

// RootFromPhrase returns the root whose words these are.
func RootFromPhrase(p Phrase) (Root, error) {
	entropy, err := bip39.EntropyFromMnemonic(strings.Join(p.words, " "))
	if err != nil {
		return Root{}, ErrPhraseChecksum
	}
	return ParseRoot(RootWords, entropy)
}

// ParseRoot returns the root of a kind with the secret.
func ParseRoot(kind RootKind, secret []byte) (Root, error) {
	r := Root{kind: kind, secret: bytes.Clone(secret), seed: bytes.Clone(secret)}
	switch n := len(secret); kind {
	case RootWords:
		words, err := bip39.NewMnemonic(secret)
		if err != nil {
			return Root{}, fmt.Errorf("the entropy of words has 16, 20, 24, 28 or 32 bytes, this one has %d", n)
		}
		r.seed = bip39.NewSeed(words, "")
	case RootSecret:
		if n < 16 || n > 64 {
			return Root{}, fmt.Errorf("a secret has 16 to 64 bytes, this one has %d", n)
		}
	case RootPrime:
		if n != credid.PrimeSeedSize {
			return Root{}, fmt.Errorf("the application seed of a Passport Prime has %d bytes, this one has %d", credid.PrimeSeedSize, n)
		}
	default:
		return Root{}, fmt.Errorf("there is no root of kind %q", kind)
	}
	private, err := r.fingerprintKey()
	if err != nil {
		return Root{}, err
	}
	r.print, err = fingerprintOf(private.Public().(ed25519.PublicKey))
	return r, err
}

// IsZero reports whether there is no root.
func (r Root) IsZero() bool { return r.kind == "" }

// Kind returns the kind, empty for the zero Root.
func (r Root) Kind() RootKind { return r.kind }

// Equal reports whether both derive the same keys.
func (r Root) Equal(other Root) bool {
	if r.away || other.away {
		return r.kind == other.kind && r.print == other.print
	}
	return r.kind == other.kind && subtle.ConstantTimeCompare(r.secret, other.secret) == 1
}

// Fingerprint returns the fingerprint of the root, zero for the zero Root.
func (r Root) Fingerprint() Fingerprint { return r.print }

// phrase returns the words of the root; only one of kind [RootWords] has some.
func (r Root) phrase() (Phrase, error) {
	if r.kind != RootWords {
		return Phrase{}, fmt.Errorf("this key has no words, its seed is of kind %q", r.kind)
	}
	if r.away {
		return Phrase{}, ErrAway
	}
	words, err := bip39.NewMnemonic(r.secret)
	if err != nil {
		return Phrase{}, err
	}
	return Phrase{words: strings.Fields(words)}, nil
}

// errNoSeed says that something derived was asked of a key that has nothing to derive it from.
var errNoSeed = errors.New("this key has no seed, it holds stored credentials alone")

// derivable says whether new credentials can be derived.
func (r Root) derivable() error {
	switch {
	case r.kind == "":
		return errNoSeed
	case r.away:
		return ErrAway
	case r.kind == RootPrime:
		return errors.New("a key from the seed of a Passport Prime holds what was found, and makes no new credentials")
	}
	return nil
}

// String returns a placeholder with the fingerprint.
func (r Root) String() string {
	if r.IsZero() {
		return "no seed"
	}
	return "seed " + r.print.String()
}

// Format prints the placeholder for every verb, %#v and %x included.
func (r Root) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, r.String()) }

// Fingerprint tells seeds apart without giving them away: it is the SHA-256 of the DER public key
// (Ed25519, 44 bytes) at the SLIP-0010 path m/1262830663'/0', the number being "KEDG".
type Fingerprint [sha256.Size]byte

// String returns the first 8 bytes, in groups of four hexadecimal digits.
func (f Fingerprint) String() string {
	return fmt.Sprintf("%x-%x-%x-%x", f[0:2], f[2:4], f[4:6], f[6:8])
}

// Matches reports whether text is the fingerprint as [Fingerprint.String] shows it, in any case, with or
// without the hyphens and spaces.
func (f Fingerprint) Matches(text string) bool {
	plain := strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(text))
	return plain == strings.ReplaceAll(f.String(), "-", "")
}

var fingerprintPath = []uint32{1262830663 | derive.Hardened, derive.Hardened}

func (r Root) fingerprintKey() (ed25519.PrivateKey, error) {
	if r.away {
		return nil, ErrAway
	}
	return derive.Ed25519(r.seed, fingerprintPath...)
}

func fingerprintOf(public ed25519.PublicKey) (Fingerprint, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Fingerprint{}, err
	}
	return sha256.Sum256(der), nil
}
