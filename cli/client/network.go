package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aviate-labs/agent-go/certification"
	"github.com/fxamacker/cbor/v2"

	"kedge/ic/certificate"
)

// MainnetURL is where the Internet Computer answers.
const MainnetURL = "https://icp-api.io"

// statusTimeout is how long a network may take to say that it is there.
const statusTimeout = 10 * time.Second

// statusLimit bounds the reply of the status endpoint in bytes.
const statusLimit = 64 << 10

// Network is where calls go and the key that vouches for the answers.
type Network struct {
	URL     *url.URL
	RootKey []byte // 133 bytes, DER of the BLS12-381 key
	Clock   *Clock // shared by the clients of the network; [New] makes one if it is nil

	Now func() time.Time // this machine's clock; nil is the system's

	// Waiting tells a person that a request is under way, until what it returns is called; nil tells nobody.
	Waiting func() (done func())
}

func (n Network) now() time.Time {
	if n.Now == nil {
		return time.Now()
	}
	return n.Now()
}

// ErrNoRootKey says that nothing vouches for the answers of a network.
var ErrNoRootKey = errors.New("its root key is not known, and only a network on this machine is asked for it")

// UnreachableError is a network that does not answer, or not as one.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the network at %s cannot be reached: %v", e.URL, e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// MainnetRootKey returns the root key of the Internet Computer, 133 bytes of DER.
func MainnetRootKey() []byte {
	key, err := hex.DecodeString(certification.RootKey)
	if err != nil {
		panic("client: " + err.Error()) // a constant of agent-go
	}
	return key
}

// Mainnet returns the Internet Computer.
func Mainnet() Network {
	u, err := url.Parse(MainnetURL)
	if err != nil {
		panic("client: " + err.Error())
	}
	return Network{URL: u, RootKey: MainnetRootKey()}
}

// IsMainnet reports whether the root key is that of the Internet Computer.
func (n Network) IsMainnet() bool { return bytes.Equal(n.RootKey, MainnetRootKey()) }

// Fingerprint returns 16 hexadecimal digits that tell the network from others: the beginning of the
// SHA-256 of its root key.
func (n Network) Fingerprint() string {
	sum := sha256.Sum256(n.RootKey)
	return hex.EncodeToString(sum[:8])
}

// ParseRootKey reads a root key from hexadecimal digits and checks that it is one.
func ParseRootKey(digits string) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(digits))
	if err != nil {
		return nil, fmt.Errorf("the root key is not hexadecimal: %w", err)
	}
	if err := checkRootKey(key); err != nil {
		return nil, err
	}
	return key, nil
}

func checkRootKey(key []byte) error {
	if len(key) != 133 {
		return fmt.Errorf("a root key has 133 bytes of DER, this one has %d", len(key))
	}
	if _, err := certificate.ParsePublicKey(key); err != nil {
		return fmt.Errorf("the root key is not a BLS12-381 key in DER: %w", err)
	}
	return nil
}

// Open finds a network by its URL. Without a root key, the network is asked for it, over a loopback
// address only: whoever can answer in its place could certify anything. The error wraps
// [ErrNoRootKey] or is an [*UnreachableError].
func Open(ctx context.Context, address string, rootKey []byte) (Network, error) {
	u, err := parseURL(address)
	if err != nil {
		return Network{}, err
	}
	if rootKey != nil {
		if err := checkRootKey(rootKey); err != nil {
			return Network{}, err
		}
		return Network{URL: u, RootKey: rootKey}, nil
	}
	if !Loopback(u.Hostname()) {
		return Network{}, fmt.Errorf("the network %q cannot be trusted: %w", address, ErrNoRootKey)
	}
	status, err := Ask(ctx, u)
	if err != nil {
		return Network{}, err
	}
	return Network{URL: u, RootKey: status.RootKey}, nil
}

func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("network %q is neither a name nor a URL of the form http://host:port", address)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("network %q has more than a scheme, a host and a port", address)
	}
	u.Path = ""
	return u, nil
}

// Loopback reports whether a host name can only mean this machine (RFC 6761, section 6.3, for
// localhost and the names below it).
func Loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Status is what a network says of itself. Nothing vouches for it.
type Status struct {
	RootKey []byte `cbor:"root_key"`
	Health  string `cbor:"replica_health_status"`
	Version string `cbor:"impl_version"`
}

// Ask reads the status endpoint. The error is an [*UnreachableError].
func Ask(ctx context.Context, u *url.URL) (Status, error) {
	asked := ctx
	unreachable := func(err error) (Status, error) {
		if asked.Err() != nil {
			return Status{}, asked.Err()
		}
		return Status{}, &UnreachableError{URL: u.String(), Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("/api/v2/status").String(), nil)
	if err != nil {
		return unreachable(err)
	}
	response, err := (&http.Client{CheckRedirect: noRedirect, Transport: transportFor(u)}).Do(request)
	if err != nil {
		return unreachable(plain(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return unreachable(fmt.Errorf("its status endpoint answers %s", response.Status))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, statusLimit))
	if err != nil {
		return unreachable(plain(err))
	}
	var status Status
	if err := cbor.Unmarshal(body, &status); err != nil {
		return unreachable(fmt.Errorf("its status is not CBOR, so it is something else: %w", err))
	}
	if err := checkRootKey(status.RootKey); err != nil {
		return unreachable(err)
	}
	return status, nil
}

// noRedirect follows no redirection: a network on this machine must not send its visitors elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// plain removes the method and URL that net/http puts around an error.
func plain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// IsLocal reports whether the network can only be one on this machine.
func (n Network) IsLocal() bool { return Loopback(n.URL.Hostname()) }
