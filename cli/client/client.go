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
	// ingressExpiry is how long a request may be under way. The network takes five minutes; one less
	// leaves a minute to a clock that is fast.
	ingressExpiry = 4 * time.Minute

	// certificateAge is how old a certificate may be, and how far its time may be ahead.
	certificateAge = 5 * time.Minute

	// pollDelay and pollTimeout are for calls that the network accepts and answers later.
	pollDelay   = 250 * time.Millisecond
	pollTimeout = 5 * time.Minute
)

// Client calls canisters of one network as one identity.
type Client struct {
	network Network
	session Session
	agent   *agent.Agent
	ahead   time.Duration // the network's clock, as the agent has it
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
	if network.Clock == nil {
		network.Clock = new(Clock)
	}
	c := &Client{network: network, session: session}
	return c, c.setUp()
}

// setUp makes an agent of the network's time, as far as that is known.
func (c *Client) setUp() error {
	c.ahead = c.network.Clock.Ahead()
	a, err := agent.New(agent.Config{
		Identity:      c.session.Identity,
		IngressExpiry: ingressExpiry + c.ahead,
		FetchRootKey:  true, // from the transport, which answers with the key that is trusted
		PollDelay:     pollDelay,
		PollTimeout:   pollTimeout,
		ClientConfig: []agent.ClientOption{
			agent.WithHostURL(c.network.URL),
			agent.WithHttpClient(&http.Client{
				CheckRedirect: noRedirect,
				Transport:     &transport{network: c.network, delegations: c.session.Delegations, base: transportFor(c.network.URL)},
			}),
		},
	})
	if err != nil {
		return fmt.Errorf("setting up a client of %s: %w", c.network.URL, err)
	}
	c.agent = a
	return nil
}

// inTime makes a request, and once more if the network says that it is not of its time.
func (c *Client) inTime(request func() error) error {
	for attempt := 1; ; attempt++ {
		if c.ahead != c.network.Clock.Ahead() {
			if err := c.setUp(); err != nil {
				return err
			}
		}
		err := request()
		var refused *HTTPError
		if errors.As(err, &refused) {
			err = c.network.Clock.learnFrom(refused, time.Now(), c.network.now())
		}
		var clock *ClockError
		if attempt > 1 || !errors.As(err, &clock) || !clock.Learned {
			return err
		}
	}
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
func (c *Client) Query(ctx context.Context, canister principal.Principal, method string, arg []byte) ([]byte, error) {
	return c.QueryFor(ctx, canister, canister, method, arg)
}

// QueryFor is [Client.Query] with an effective canister of its own, as [Client.CallFor] is for calls.
func (c *Client) QueryFor(ctx context.Context, canister, effective principal.Principal, method string, arg []byte) (reply []byte, err error) {
	err = c.inTime(func() error { reply, err = c.query(ctx, canister, effective, method, arg); return err })
	return reply, err
}

func (c *Client) query(ctx context.Context, canister, effective principal.Principal, method string, arg []byte) (reply []byte, err error) {
	defer recoverUntrusted(&err)
	message, err := c.agent.CreateRawAPIRequest(agent.RequestTypeQuery, forAgent(canister), method, arg)
	if err != nil {
		return nil, fmt.Errorf("preparing the query %s: %w", method, err)
	}
	if err := message.WithEffectiveCanisterID(forAgent(effective)).QueryWithContext(ctx, &reply, false); err != nil {
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
	err = c.inTime(func() error { reply, err = c.callFor(ctx, canister, effective, method, arg); return err })
	return reply, err
}

func (c *Client) callFor(ctx context.Context, canister, effective principal.Principal, method string, arg []byte) (reply []byte, err error) {
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
	err = c.inTime(func() error { hash, err = c.moduleHash(canister); return err })
	return hash, err
}

func (c *Client) moduleHash(canister principal.Principal) (hash []byte, err error) {
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
	err = c.inTime(func() error { exists, err = c.exists(canister); return err })
	return exists, err
}

func (c *Client) exists(canister principal.Principal) (exists bool, err error) {
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
