package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/fxamacker/cbor/v2"

	"kedge/ic/certificate"
	"kedge/ic/principal"
	"kedge/ic/request"
)

// replyLimit bounds a reply in bytes; the largest legal one is a call's certificate with 2 MiB of
// reply in it, or a query's 3 MiB.
const replyLimit = 8 << 20

// UntrustedError is an answer that is not what the network certified. Somebody between here and
// there, or the node itself, may have altered it.
type UntrustedError struct{ Err error }

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("the answer of the network cannot be trusted: %s", Sentence(e.Err.Error()))
}

// Unwrap returns the cause.
func (e *UntrustedError) Unwrap() error { return e.Err }

// transport sits between agent-go and the network. It answers the status endpoint itself, with the
// root key that the caller trusts; it adds the delegations of a session to requests; and it checks
// the certificate in the reply of a call, which agent-go does not.
type transport struct {
	network     Network
	delegations []request.SignedDelegation
	base        http.RoundTripper
}

// callPath matches the endpoints of calls and takes the effective canister id out.
var callPath = regexp.MustCompile(`^/api/v[234]/canister/([a-z0-9-]+)/call$`)

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet && r.URL.Path == "/api/v2/status" {
		return t.pinnedStatus(r)
	}
	if t.network.Waiting != nil {
		defer t.network.Waiting()()
	}
	if len(t.delegations) > 0 && r.Body != nil {
		if err := t.addDelegations(r); err != nil {
			return nil, err
		}
	}
	response, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, &UnreachableError{URL: t.network.URL.String(), Err: plain(err)}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, replyLimit+1))
	_ = response.Body.Close()
	if err != nil {
		return nil, &UnreachableError{URL: t.network.URL.String(), Err: plain(err)}
	}
	if len(body) > replyLimit {
		return nil, &UntrustedError{Err: fmt.Errorf("it has more than %d bytes", replyLimit)}
	}
	if match := callPath.FindStringSubmatch(r.URL.Path); match != nil && response.StatusCode == http.StatusOK {
		if err := t.verifyCall(body, match[1]); err != nil {
			return nil, &UntrustedError{Err: err}
		}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	response.ContentLength = int64(len(body))
	return response, nil
}

// pinnedStatus is how agent-go gets the root key: it can only fetch one.
func (t *transport) pinnedStatus(r *http.Request) (*http.Response, error) {
	body, err := cbor.Marshal(Status{RootKey: t.network.RootKey, Health: "healthy"})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// addDelegations puts the field sender_delegation into an envelope. It is not part of what the
// session key signed, so the signature stays.
func (t *transport) addDelegations(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return err
	}
	var envelope map[string]cbor.RawMessage
	if err := cbor.Unmarshal(body, &envelope); err != nil {
		return fmt.Errorf("adding the delegations to a request: %w", err)
	}
	if envelope["sender_delegation"], err = cbor.Marshal(onTheWire(t.delegations)); err != nil {
		return fmt.Errorf("adding the delegations to a request: %w", err)
	}
	if body, err = cbor.Marshal(envelope); err != nil {
		return fmt.Errorf("adding the delegations to a request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

// verifyCall checks the certificate in the reply of a synchronous call: signed by the root key or
// by a subnet that it delegated to and that has the canister, and of now. Whether it is about this
// very request agent-go sees, which looks the request id up in it. A rejection before execution has
// no certificate; it can deny, never pretend.
func (t *transport) verifyCall(body []byte, effective string) error {
	var reply struct {
		Status      string `cbor:"status"`
		Certificate []byte `cbor:"certificate"`
	}
	if err := cbor.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("it is not CBOR: %w", err)
	}
	switch reply.Status {
	case "non_replicated_rejection":
		return nil
	case "replied":
	default:
		return fmt.Errorf("status %q is not one of a call", reply.Status)
	}
	canister, err := principal.Parse(effective)
	if err != nil {
		return err
	}
	root, err := certificate.ParsePublicKey(t.network.RootKey)
	if err != nil {
		return err
	}
	c, err := certificate.Decode(reply.Certificate)
	if err != nil {
		return err
	}
	if err := c.CheckTime(t.network.now(), certificateAge); err != nil {
		return err
	}
	return c.VerifyCanister(root, canister)
}
