package subnet

import (
	"context"

	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// emptyReply is the Candid encoding of no values.
var emptyReply = []byte("DIDL\x00\x00")

// stopTimeout is how long a request to stop waits, in nanoseconds.
const stopTimeout = 5 * 60 * 1_000_000_000

// stop begins to stop a canister; the request is answered when it has stopped.
func (n *Subnet) stop(c *canister, from origin, refund cycles.Amount) {
	c.Version++ // even if nothing changes
	if c.Status == stopped {
		n.respond(from, replied(emptyReply), refund)
		return
	}
	c.Status = stopping
	c.StopRequests = append(c.StopRequests, stopRequest{from, n.state.Time, refund})
}

// start lets a canister run again and cancels the requests to stop it.
func (n *Subnet) start(c *canister) {
	c.Status = running
	c.Version++ // even if it ran
	for _, r := range c.StopRequests {
		n.respond(r.Origin, refused(reject.New(reject.StoppingCancelled, "Canister %s's stop request was cancelled.", c.ID)), r.Refund)
	}
	c.StopRequests = nil
}

// finishStopping stops the canisters that were asked to and have nothing open any more.
func (n *Subnet) finishStopping() {
	for _, c := range n.state.Order {
		if c.Status != stopping || c.execution != nil || len(c.Contexts) > 0 || len(c.Callbacks) > 0 {
			continue
		}
		c.Status = stopped
		c.Version++
		for _, r := range c.StopRequests {
			n.respond(r.Origin, replied(emptyReply), r.Refund)
		}
		c.StopRequests = nil
	}
}

// expireStops gives up on requests to stop that waited too long; the canister goes on stopping.
func (n *Subnet) expireStops(c *canister) {
	for len(c.StopRequests) > 0 && c.StopRequests[0].Since+stopTimeout <= n.state.Time {
		r := c.StopRequests[0]
		c.StopRequests = c.StopRequests[1:]
		n.respond(r.Origin, refused(reject.New(reject.StopRequestTimeout, "Stop canister request timed out")), r.Refund)
	}
}

// uninstall removes the code of a canister and all that it held, and rejects what awaits its answer.
func (n *Subnet) uninstall(ctx context.Context, c *canister) {
	if c.instance != nil {
		n.must(c.instance.Close(ctx))
	}
	n.releaseModule(ctx, c.module)
	c.Code, c.CodeHash, c.module, c.instance = nil, [32]byte{}, nil, nil
	c.measure()
	c.CertifiedData, c.GlobalTimer, c.LowMemory = nil, 0, false
	c.Chunks = nil
	c.Logs.clear()
	n.touchCanister(c.ID)
	c.Version++

	for _, id := range sortedKeys(c.Contexts) {
		if context := c.Contexts[id]; !context.Answered {
			n.answer(context, refused(reject.New(reject.CanisterRejectedMessage, "Canister has been uninstalled.")))
		}
	}
	clear(c.Contexts)
	// Responses to calls in flight still bring their cycles back: the callbacks stay, without contexts.
}

// remove deletes a canister; its id is never used again.
func (n *Subnet) remove(ctx context.Context, c *canister) {
	if c.instance != nil {
		n.must(c.instance.Close(ctx))
	}
	n.releaseModule(ctx, c.module)
	s := &n.state
	delete(s.Canisters, c.ID)
	n.touchCanister(c.ID)
	s.Deleted[c.ID] = true
	kept := s.Order[:0:0]
	for _, other := range s.Order {
		if other != c {
			kept = append(kept, other)
		}
	}
	s.Order = kept
}
