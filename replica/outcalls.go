package replica

import (
	"context"
	"net/http"
	"sync"

	"kedge/replica/outcall"
	"kedge/replica/outcall/fetch"
	"kedge/replica/subnet"
)

// HTTP outcalls. What http_request asks for becomes part of the state; once the round is logged, a goroutine
// performs it, and what comes of it is part of a later round. So the log holds every response, and executing
// it again needs no server. A request that was under way when its network ended is not sent again, as its
// server may have seen it: the next network rejects it in its first round.

// maxRoundResponses is how many bytes of responses a round takes in, but for the last.
const maxRoundResponses = 64 << 20

// outcalls is what the network keeps of outcalls outside of its state.
type outcalls struct {
	ctx     context.Context // ends with the network, unlike that of who happens to run a round
	client  *http.Client
	running sync.WaitGroup // grows under the network's lock alone

	lock sync.Mutex
	done []subnet.OutcallResult // for the next round
}

func (o *outcalls) prepare(ctx context.Context, with options) {
	o.ctx, o.client = ctx, fetch.Client(with.OutcallClient)
}

// startOutcalls performs the requests of the round that was just logged. The caller holds the network's lock.
func (n *Network) startOutcalls(asked []subnet.Outcall) {
	for _, o := range asked {
		if n.outcalls.ctx.Err() != nil {
			return
		}
		n.outcalls.running.Go(func() {
			response, err := fetch.Do(n.outcalls.ctx, n.outcalls.client, &o.Request)
			if n.outcalls.ctx.Err() == nil {
				n.deliver(subnet.OutcallResult{ID: o.ID, Response: response, Err: err})
			}
		})
	}
}

// interruptOutcalls rejects the requests that were under way when the network before this one ended.
func (n *Network) interruptOutcalls() {
	for _, id := range n.subnet.PendingOutcalls() {
		n.deliver(subnet.OutcallResult{ID: id, Err: outcall.Interrupted()})
	}
}

// deliver keeps a result for the next round.
func (n *Network) deliver(result subnet.OutcallResult) {
	n.outcalls.lock.Lock()
	n.outcalls.done = append(n.outcalls.done, result)
	n.outcalls.lock.Unlock()
	n.poke()
}

// outcallResults takes the results that a round has room for; its record in the log must not grow too large.
func (n *Network) outcallResults() []subnet.OutcallResult {
	o := &n.outcalls
	o.lock.Lock()
	defer o.lock.Unlock()
	count, size := 0, 0
	for count < len(o.done) && size < maxRoundResponses {
		size += len(o.done[count].Response.Body)
		count++
	}
	taken := o.done[:count:count]
	if o.done = o.done[count:]; len(o.done) == 0 {
		o.done = nil
	} else {
		n.poke()
	}
	return taken
}
