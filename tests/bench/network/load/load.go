// Package load puts load on a network over HTTP and checks what comes back. Requests are signed beforehand,
// so that what is measured is the network, and not the signing; the checks are made while it runs, as every
// client makes them.
package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
)

// Plan is a load.
type Plan struct {
	URL      string
	Canister principal.Principal
	Type     request.Type // request.Call or request.Query
	Method   string
	Arg      []byte
	Clients  int // each has one request under way
	Requests int // of all clients
}

// maxRequests bounds a load: signed requests are kept in memory, and expire.
const maxRequests = 100_000

// lifetime is how long a signed request is good for; the network takes five minutes at most.
const lifetime = 4 * time.Minute

// signatureOf says of how many replies one has its signature verified. Everything else is checked of all.
const signatureOf = 100

// Result are what a load measured.
type Result struct {
	Requests   int           `json:"requests"`
	Elapsed    time.Duration `json:"elapsed_ns"`
	Median     time.Duration `json:"median_ns"` // from sending a request to having read its reply
	P99        time.Duration `json:"p99_ns"`
	Signatures int           `json:"signatures"` // that were verified
}

// PerSecond is the number of requests a second.
func (f Result) PerSecond() float64 { return float64(f.Requests) / f.Elapsed.Seconds() }

// signed is a request that is ready to be sent.
type signed struct {
	id   request.ID
	body []byte
}

// client is one of the clients, with all that it is to send.
type client struct {
	requests []signed
	took     []time.Duration
	verified int
}

// Run signs the requests, sends them, and checks the replies; the first that is wrong ends it.
func Run(ctx context.Context, p Plan) (Result, error) {
	if p.Clients < 1 || p.Requests < p.Clients || p.Requests > maxRequests {
		return Result{}, fmt.Errorf("%d requests of %d clients: there must be at least one each, and at most %d in all", p.Requests, p.Clients, maxRequests)
	}
	network, err := meet(ctx, p)
	if err != nil {
		return Result{}, err
	}
	clients := make([]*client, p.Clients)
	for i := range clients {
		share := p.Requests / p.Clients
		if i < p.Requests%p.Clients {
			share++
		}
		if clients[i], err = prepare(p, i, share); err != nil {
			return Result{}, err
		}
	}
	transport := &http.Transport{MaxIdleConnsPerHost: p.Clients, MaxConnsPerHost: p.Clients, DisableCompression: true}
	defer transport.CloseIdleConnections()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	begin := time.Now()
	for _, c := range clients {
		running.Go(func() {
			if err := c.run(ctx, p, transport, network); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	f := Result{Requests: p.Requests, Elapsed: time.Since(begin)}
	if err := context.Cause(ctx); err != nil {
		return Result{}, err
	}
	var took []time.Duration
	for _, c := range clients {
		took = append(took, c.took...)
		f.Signatures += c.verified
	}
	slices.Sort(took)
	f.Median, f.P99 = took[len(took)/2], took[len(took)*99/100]
	return f, nil
}

// prepare signs a client's requests. Its key follows from its number: what it signs guards nothing.
func prepare(p Plan, number, requests int) (*client, error) {
	seed := make([]byte, 32)
	binary.BigEndian.PutUint64(seed, uint64(number))
	signer, err := signature.NewEd25519(seed)
	if err != nil {
		return nil, fmt.Errorf("make the key of client %d: %w", number, err)
	}
	expiry := uint64(time.Now().Add(lifetime).UnixNano())
	c := &client{requests: make([]signed, requests), took: make([]time.Duration, 0, requests)}
	for i := range c.requests {
		envelope, err := request.Sign(request.Content{
			Type: p.Type, Canister: p.Canister, Method: p.Method, Arg: p.Arg,
			IngressExpiry: expiry, Nonce: binary.BigEndian.AppendUint64(nil, uint64(i)),
		}, signer, nil)
		if err != nil {
			return nil, fmt.Errorf("sign request %d of client %d: %w", i, number, err)
		}
		c.requests[i] = signed{envelope.Content.ID(), envelope.Encode()}
	}
	return c, nil
}

// run sends the client's requests one after the other.
func (c *client) run(ctx context.Context, p Plan, transport http.RoundTripper, n *network) error {
	action := map[request.Type]string{request.Call: "v3/canister/%s/call", request.Query: "v2/canister/%s/query"}[p.Type]
	url := p.URL + "/api/" + fmt.Sprintf(action, p.Canister)
	for i, r := range c.requests {
		begin := time.Now()
		body, err := post(ctx, transport, url, r.body)
		if err != nil {
			return err
		}
		c.took = append(c.took, time.Since(begin))
		thorough := i%signatureOf == 0
		if p.Type == request.Call {
			err = n.checkCall(r.id, body, thorough)
		} else {
			err = n.checkQuery(r.id, body, thorough)
		}
		if err != nil {
			return fmt.Errorf("the reply to request %s: %w", r.id, err)
		}
		if thorough {
			c.verified++
		}
	}
	return nil
}

// maxReply is more than any reply has.
const maxReply = 1 << 20

func post(ctx context.Context, transport http.RoundTripper, url string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	r.Header.Set("Content-Type", "application/cbor")
	reply, err := transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("send a request: %w", err)
	}
	defer reply.Body.Close()
	content, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read a reply: %w", err)
	case reply.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %s: %.200q", reply.Status, content)
	}
	return content, nil
}
