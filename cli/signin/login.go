package signin

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/certificate"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
	"kedge/internal/fileio"
)

type loginOptions struct {
	frontend
	origin, out, sessionKey, lasts string
	print                          bool
}

type loginView struct {
	Principal  principal.Principal `json:"principal"`
	Origin     string              `json:"origin"`
	Expires    string              `json:"expires"`
	Delegation *client.Chain       `json:"delegation,omitempty"`      // with --print
	SessionPEM string              `json:"session_key_pem,omitempty"` // with --print
	File       string              `json:"file,omitempty"`
	KeyFile    string              `json:"key_file,omitempty"`
}

func (a verbs) loginCommand() *cobra.Command {
	var o loginOptions
	cmd := &cobra.Command{
		Use:   "login ORIGIN",
		Short: "sign in to an application: get a delegation for a session key",
		Long: `Makes a session key and has the canister delegate to it for the application at
ORIGIN. The chain of delegations is JSON as DelegationChain.fromJSON of
@icp-sdk/core reads it, the session key a PEM file. Both are stored, readable by
their owner alone, as .kedge/sessions/HOST.json and HOST.pem; --out names other
files. Whoever has both is signed in until the delegation expires.

--print prints them instead, secret key included. --session-key takes the public
key of a session elsewhere, whose secret key is then nobody's business here.`,
		Example: `  kedge login https://app.example
  kedge login https://app.example --lasts 8h --out session
  kedge login https://app.example --session-key 302a3005… --json
  kedge login https://app.example --print --json
  kedge login https://bkyz2-fmaaa-aaaaa-qaaaq-cai.icp0.io --exact-origin`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.origin = args[0]
			return a.login(cmd.Context(), o)
		},
	}
	o.frontend.flags(cmd)
	cmd.Flags().StringVar(&o.out, "out", "", "store as OUT.json and OUT.pem")
	cmd.Flags().StringVar(&o.lasts, "lasts", "30m", "how long the session lasts, at most 30d or the anchor's session limit")
	cmd.Flags().StringVar(&o.sessionKey, "session-key", "", "public key of the session, DER in hexadecimal, in place of a new key")
	cmd.Flags().BoolVar(&o.print, "print", false, "print the delegation and the secret session key in place of storing them")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) login(ctx context.Context, o loginOptions) error {
	if o.print && o.out != "" {
		return ui.Usagef("--print and --out exclude each other")
	}
	lasts, err := ui.ParseSpan(o.lasts)
	if err != nil {
		return err
	}
	if lasts == 0 || lasts > longestSession {
		return ui.Usagef("--lasts %s: a session lasts at least a second and at most %s", ui.SpanText(lasts), ui.SpanText(longestSession))
	}
	if o.origin, err = o.frontend.of(a.UI, o.origin); err != nil {
		return err
	}
	public, secret, err := a.newSessionKey(o.sessionKey)
	if err != nil {
		return err
	}
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	chain, err := signIn(ctx, s, o.origin, public, lasts)
	if err != nil {
		return err
	}
	if err := a.checkLength(ctx, s, chain, lasts); err != nil {
		return err
	}
	expires := ui.Time(chain.Delegations[0].Delegation.Expiration)
	view := loginView{Principal: principal.SelfAuthenticating(chain.PublicKey), Origin: o.origin, Expires: expires}
	if o.print {
		view.Delegation, view.SessionPEM = &chain, string(secret)
		text, err := json.MarshalIndent(chain, "", "  ")
		if err != nil {
			return fmt.Errorf("encoding the delegation: %w", err)
		}
		return a.Result(view, string(text)+"\n"+string(secret))
	}
	if view.File, view.KeyFile, err = storeLogin(o, chain, secret); err != nil {
		return err
	}
	return a.Result(view, fmt.Sprintf("%s at %s until %s\ndelegation in %s", view.Principal, o.origin,
		ui.WhenNanos(chain.Delegations[0].Delegation.Expiration, a.Now()), view.File))
}

// longestSession is the longest that the canister allows on any anchor.
const longestSession = 30 * 24 * time.Hour

// checkLength refuses a session that the canister made shorter than it was asked to: whoever counts on a
// length must not find out when it is over.
func (a verbs) checkLength(ctx context.Context, s *session.Session, chain client.Chain, lasts time.Duration) error {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	if limit := info.SessionLimitS; limit != nil && uint64(lasts/time.Second) > *limit {
		return ui.Hinted(provider.Refused("sessions of anchor %d last at most %s, so none of %s was stored", s.Anchor, ui.Seconds(*limit), ui.SpanText(lasts)),
			"--lasts %s asks for the longest; kedge session-limit changes it", ui.Seconds(*limit))
	}
	return nil
}

// newSessionKey returns the public key of the session in DER, and unless the key is somebody else's
// its secret in PEM (PKCS #8).
func (a verbs) newSessionKey(given string) (public, secret []byte, err error) {
	if given != "" {
		public, err := hex.DecodeString(given)
		if err != nil {
			return nil, nil, ui.Usagef("--session-key is not hexadecimal")
		}
		if _, err := signature.ParsePublicKey(public); err != nil {
			return nil, nil, ui.Usagef("--session-key: %w", err)
		}
		return public, nil, nil
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(a.Random, seed); err != nil {
		return nil, nil, fmt.Errorf("drawing a session key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	if public, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return nil, nil, fmt.Errorf("encoding a session key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding a session key: %w", err)
	}
	return public, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// signIn has the canister delegate to the session key, and believes the delegation only when its
// signature verifies.
func signIn(ctx context.Context, s *session.Session, origin string, sessionKey []byte, lasts time.Duration) (client.Chain, error) {
	nanos := uint64(lasts)
	reply, err := s.Call(ctx, "prepare_delegation", kedge.EncodePrepareDelegationArgs(s.Anchor, origin, sessionKey, &nanos))
	if err != nil {
		return client.Chain{}, err
	}
	userKey, expiration, err := kedge.DecodePrepareDelegationResult(reply)
	if err != nil {
		return client.Chain{}, fmt.Errorf("the reply of prepare_delegation cannot be read: %w", err)
	}
	reply, err = s.Query(ctx, "get_delegation", kedge.EncodeGetDelegationArgs(s.Anchor, origin, sessionKey, expiration))
	response, err := provider.Decoded("get_delegation", reply, err, kedge.DecodeGetDelegationResult)
	if err != nil {
		return client.Chain{}, err
	}
	if response.Tag != kedge.GetDelegationResponseTagSignedDelegation {
		return client.Chain{}, ui.Hinted(provider.Refused("the canister does not have the delegation that it prepared"), "try again")
	}
	given := response.SignedDelegation
	signed := request.SignedDelegation{
		Delegation: request.Delegation{PublicKey: given.Delegation.Pubkey, Expiration: given.Delegation.Expiration, Targets: given.Delegation.Targets},
		Signature:  given.Signature,
	}
	if !bytes.Equal(signed.Delegation.PublicKey, sessionKey) || signed.Delegation.Expiration != expiration {
		return client.Chain{}, &client.UntrustedError{Err: errors.New("its delegation is for another key or time")}
	}
	if err := verifyDelegation(s, userKey, signed); err != nil {
		return client.Chain{}, &client.UntrustedError{Err: fmt.Errorf("its delegation: %w", err)}
	}
	return client.Chain{PublicKey: userKey, Delegations: []request.SignedDelegation{signed}}, nil
}

func verifyDelegation(s *session.Session, userKey []byte, d request.SignedDelegation) error {
	root, err := certificate.ParsePublicKey(s.Client.Network().RootKey)
	if err != nil {
		return err
	}
	key, err := signature.ParsePublicKey(userKey)
	if err != nil {
		return err
	}
	if canisterKey, ok := key.CanisterKey(); !ok || canisterKey.Canister != s.Canister {
		return fmt.Errorf("its key is not one of canister %s", s.Canister)
	}
	return (&signature.Verifier{Root: root}).VerifyKey(key, d.Delegation.SigningPayload(), d.Signature)
}

// storeLogin writes the chain and the secret key. A later sign-in at the same place is what the earlier
// one was for, so both files are replaced, and a secret key that the chain is not for does not stay. The
// chain goes last: with it, the session is whole.
func storeLogin(o loginOptions, chain client.Chain, secret []byte) (file, keyFile string, err error) {
	prefix := o.out
	if prefix == "" {
		if err := project.Make(); err != nil {
			return "", "", err
		}
		prefix = filepath.Join(project.Folder(), "sessions", fileName(o.origin))
		if err := os.MkdirAll(filepath.Dir(prefix), 0o700); err != nil {
			return "", "", fmt.Errorf("making the folder of sessions: %w", err)
		}
	}
	text, err := json.MarshalIndent(chain, "", "  ")
	if err != nil {
		return "", "", fmt.Errorf("encoding the delegation: %w", err)
	}
	file = prefix + ".json"
	for _, old := range []string{file, prefix + ".pem"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("taking the earlier session away: %w", err)
		}
	}
	if secret != nil {
		keyFile = prefix + ".pem"
		if err := fileio.WriteFile(keyFile, secret, 0o600); err != nil {
			return "", "", fmt.Errorf("storing the session key: %w", err)
		}
	}
	if err := fileio.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return "", "", fmt.Errorf("storing the delegation: %w", err)
	}
	return file, keyFile, nil
}

// fileName makes a file name of a canonical origin. Origins that differ have names that differ: the host
// of an https origin is itself, other schemes stand before it, _p is before a port, and whatever is
// neither letter, digit, dot nor dash is its code after _.
func fileName(origin string) string {
	scheme, rest, _ := strings.Cut(origin, "://")
	host, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		host, port = rest[:i], rest[i+1:]
	}
	var b strings.Builder
	if scheme != "https" {
		b.WriteString(scheme + "_s")
	}
	for _, c := range []byte(host) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' && b.Len() > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	if port != "" {
		b.WriteString("_p" + port)
	}
	return b.String()
}
