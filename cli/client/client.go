package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aviate-labs/agent-go"
	"github.com/aviate-labs/agent-go/certification/hashtree"
	"github.com/aviate-labs/agent-go/identity"
	agentprincipal "github.com/aviate-labs/agent-go/principal"

	"kedge/ic/principal"
	"kedge/ic/request"
)

const (
	// ingressExpiry is how long a request may be under way, the longest that the network takes, and
	// how old a certificate may be.
	ingressExpiry = 5 * time.Minute

	// pollDelay and pollTimeout are for calls that the network accepts and answers later.
	pollDelay   = 250 * time.Millisecond
	pollTimeout = 5 * time.Minute
)

// Client calls canisters of one network as one identity.
type Client struct {
	network Network
	agent   *agent.Agent
}

// Session is an identity and, if it is a session key, the delegations that let it act for another.
type Session struct {
	Identity    identity.Identity
	Delegations []request.SignedDelegation
}

// Anonymous is the session of nobody.
func Anonymous() Session { return Session{Identity: new(identity.AnonymousIdentity)} }

// New returns a client. It does not touch the network.
func New(network Network, session Session) (*Client, error) {
	a, err := agent.New(agent.Config{
		Identity:      session.Identity,
		IngressExpiry: ingressExpiry,
		FetchRootKey:  true, // from the transport, which answers with the key that is trusted
		PollDelay:     pollDelay,
		PollTimeout:   pollTimeout,
		ClientConfig: []agent.ClientOption{
			agent.WithHostURL(network.URL),
			agent.WithHttpClient(&http.Client{
				CheckRedirect: direct.CheckRedirect,
				Transport:     &transport{network: network, delegations: session.Delegations, base: http.DefaultTransport},
			}),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("setting up a client of %s: %w", network.URL, err)
	}
	return &Client{network: network, agent: a}, nil
}

// Network returns the network that the client talks to.
func (c *Client) Network() Network { return c.network }

// Sender returns the principal that the client's calls come from.
func (c *Client) Sender() principal.Principal {
	p, err := principal.FromBytes(c.agent.Sender().Raw)
	if err != nil {
		panic("client: " + err.Error()) // made by agent-go from a key
	}
	return p
}

// Query makes a query whose reply one node signed. The argument and the reply are Candid. A refusal
// of the canister is a [*Reject].
func (c *Client) Query(ctx context.Context, canister principal.Principal, method string, arg []byte) (reply []byte, err error) {
	defer recoverUntrusted(&err)
	message, err := c.agent.CreateRawAPIRequest(agent.RequestTypeQuery, forAgent(canister), method, arg)
	if err != nil {
		return nil, fmt.Errorf("preparing the query %s: %w", method, err)
	}
	if err := message.QueryWithContext(ctx, &reply, false); err != nil {
		return nil, explain(err)
	}
	return reply, nil
}

// Call makes an update call and returns its certified reply. The argument and the reply are
// Candid. A refusal of the canister is a [*Reject].
func (c *Client) Call(ctx context.Context, canister principal.Principal, method string, arg []byte) ([]byte, error) {
	return c.CallFor(ctx, canister, canister, method, arg)
}

// CallFor is [Client.Call] with an effective canister of its own: calls of the management canister
// travel to the subnet of the canister that they are about.
func (c *Client) CallFor(ctx context.Context, canister, effective principal.Principal, method string, arg []byte) (reply []byte, err error) {
	defer recoverUntrusted(&err)
	message, err := c.agent.CreateRawAPIRequest(agent.RequestTypeCall, forAgent(canister), method, arg)
	if err != nil {
		return nil, fmt.Errorf("preparing the call %s: %w", method, err)
	}
	if err := message.WithEffectiveCanisterID(forAgent(effective)).CallAndWaitWithContext(ctx, &reply); err != nil {
		return nil, explain(err)
	}
	return reply, nil
}

// ModuleHash returns the certified SHA-256 of the module that a canister runs, or nil if the
// canister is empty or does not exist.
func (c *Client) ModuleHash(_ context.Context, canister principal.Principal) (hash []byte, err error) {
	defer recoverUntrusted(&err)
	hash, err = c.agent.GetCanisterModuleHash(forAgent(canister))
	if err != nil {
		return nil, explain(err)
	}
	return hash, nil
}

func forAgent(p principal.Principal) agentprincipal.Principal {
	// The management canister has no bytes but is not nil: agent-go leaves out what is nil.
	return agentprincipal.Principal{Raw: append([]byte{}, p.Bytes()...)}
}

// recoverUntrusted turns a panic of agent-go, which it has for replies that no node sends, into an
// error.
func recoverUntrusted(err *error) {
	if r := recover(); r != nil {
		*err = &UntrustedError{Err: fmt.Errorf("it makes no sense: %v", r)}
	}
}

// Exists reports whether there is a canister with this id, certified by the network.
func (c *Client) Exists(_ context.Context, canister principal.Principal) (exists bool, err error) {
	defer recoverUntrusted(&err)
	_, err = c.agent.GetCanisterInfo(forAgent(canister), "controllers")
	var lookup hashtree.LookupError
	if errors.As(err, &lookup) && lookup.Type == hashtree.LookupResultAbsent {
		return false, nil
	}
	if err != nil {
		return false, explain(err)
	}
	return true, nil
}
