package replica

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/outcall"
	"kedge/replica/reject"
)

// HTTP outcalls. What http_request asks for becomes part of the state; once the round is logged, a goroutine
// performs it, and what comes of it is part of a later round. So the log holds every response, and executing
// it again needs no server. A request that was under way when its network ended is not sent again, as its
// server may have seen it: the next network rejects it in its first round.

// pendingOutcall is a request that is under way.
type pendingOutcall struct {
	ID      uint64
	Origin  origin
	Caller  principal.Principal
	Request outcall.Request
	Refund  cycles.Amount // what the call brought beyond the price
}

// OutcallResult is what came of an HTTP outcall, before its transform function: a response, or why there is
// none.
type OutcallResult struct {
	ID       uint64
	Response outcall.Response
	Err      *reject.Error // nil if there is a response
}

const (
	// maxOutcalls is the most that may be under way.
	maxOutcalls = 3000
	// maxRoundResponses is how many bytes of responses a round takes in, but for the last.
	maxRoundResponses = 64 << 20
)

// outcalls is what the network keeps of outcalls beside its state.
type outcalls struct {
	ctx     context.Context // ends with the network, unlike that of who happens to run a round
	client  *http.Client
	started uint64         // the last number that was started; guarded by the network's lock
	running sync.WaitGroup // grows under the network's lock alone

	lock sync.Mutex
	done []OutcallResult // for the next round
}

func (o *outcalls) prepare(ctx context.Context, with options) {
	o.ctx, o.client = ctx, outcall.Client(with.OutcallClient)
}

// switchedOn reports whether a management method is one that this round may execute.
func (n *Network) switchedOn(method string) bool {
	return method != "http_request" || n.state.AllowOutcalls
}

// httpRequest takes an outcall into the state. The caller pays for the greatest response that it allows; what
// it sent beyond that comes back with the answer.
func httpRequest(m *managementCall, r outcall.Request) ([]byte, *reject.Error) {
	if err := r.Check(m.req.Caller); err != nil {
		return nil, err
	}
	price := exec.OutcallCost(r.Size(), r.ResponseLimit())
	if m.req.Cycles.Less(price) {
		return nil, reject.New(reject.CanisterRejectedMessage,
			"http_request request sent with %s cycles, but %s cycles are required.", m.req.Cycles, price)
	}
	s := &m.state
	if len(s.Outcalls) >= maxOutcalls {
		return nil, reject.New(reject.CanisterRejectedMessage, "max number (%d) of http requests in-flight reached.", maxOutcalls)
	}
	if c := s.Canisters[m.req.Caller]; c != nil {
		c.Consumed.Outcalls = c.Consumed.Outcalls.Plus(price)
	}
	s.NextOutcall++
	s.Outcalls = append(s.Outcalls, &pendingOutcall{ID: s.NextOutcall, Origin: m.req.Origin, Caller: m.req.Caller, Request: r,
		Refund: m.req.Cycles.Minus(price)})
	m.pending = true
	return nil, nil
}

// startOutcalls performs the requests of the round that was just logged. The caller holds the network's lock.
func (n *Network) startOutcalls() {
	for _, o := range n.state.Outcalls {
		if o.ID <= n.outcalls.started || n.outcalls.ctx.Err() != nil {
			continue
		}
		n.outcalls.started = o.ID
		n.outcalls.running.Go(func() {
			response, err := o.Request.Perform(n.outcalls.ctx, n.outcalls.client)
			if n.outcalls.ctx.Err() == nil {
				n.deliver(OutcallResult{ID: o.ID, Response: response, Err: err})
			}
		})
	}
}

// interruptOutcalls rejects the requests that were under way when the network before this one ended.
func (n *Network) interruptOutcalls() {
	n.outcalls.started = n.state.NextOutcall
	for _, o := range n.state.Outcalls {
		n.deliver(OutcallResult{ID: o.ID, Err: outcall.Interrupted()})
	}
}

// deliver keeps a result for the next round.
func (n *Network) deliver(result OutcallResult) {
	n.outcalls.lock.Lock()
	n.outcalls.done = append(n.outcalls.done, result)
	n.outcalls.lock.Unlock()
	n.poke()
}

// outcallResults takes the results that a round has room for; its record in the log must not grow too large.
func (n *Network) outcallResults() []OutcallResult {
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

// finishOutcall answers the canister that made an outcall.
func (n *Network) finishOutcall(ctx context.Context, result OutcallResult) {
	s := &n.state
	at := slices.IndexFunc(s.Outcalls, func(o *pendingOutcall) bool { return o.ID == result.ID })
	if at < 0 {
		return
	}
	o := s.Outcalls[at]
	s.Outcalls = slices.Delete(s.Outcalls, at, at+1)
	reply, err := []byte(nil), result.Err
	switch {
	case err != nil:
	case o.Request.Transform == nil:
		reply = outcall.EncodeHttpRequestResult(result.Response)
	default:
		reply, err = n.transform(ctx, o, result.Response)
	}
	if err != nil {
		n.respond(o.Origin, refused(err), o.Refund)
		return
	}
	n.respond(o.Origin, replied(reply), o.Refund)
}

// transform lets a query method of the caller prune a response. Its reply is handed on as it is.
func (n *Network) transform(ctx context.Context, o *pendingOutcall, response outcall.Response) ([]byte, *reject.Error) {
	c, t := n.state.Canisters[o.Caller], o.Request.Transform
	switch {
	case c == nil:
		return nil, notFound(o.Caller)
	case c.Status != running:
		return nil, notRunning(c)
	case c.module == nil:
		return nil, exec.WasmModuleNotFound(c.ID)
	case n.liquid(c).IsZero():
		return nil, outOfCycles(c)
	case !c.module.Has(exec.QueryPrefix + t.Function.Method):
		return nil, exec.MethodNotFound(c.ID, "query", t.Function.Method)
	}
	// Unlike in other queries, the time is that of the round: a log that is executed again must do the same.
	s := c.instance.Run(ctx, exec.Input{
		Kind: exec.Transform, Entry: exec.QueryPrefix + t.Function.Method, Caller: principal.Management,
		Arg:   outcall.EncodeTransformArgs(outcall.TransformArg{Response: response, Context: t.Context}),
		Limit: exec.LimitQuery, MaxReply: exec.MaxReplicatedReply, Env: n.envAt(c, max(n.state.Time, c.LastTime)),
	})
	n.must(s.Rollback(ctx))
	n.print(c, s.Out.Logs)
	reply, err := queryAnswer(c, s.Out)
	if err == nil && len(reply) > outcall.MaxResponse {
		return nil, outcall.TooLarge(len(reply))
	}
	return reply, err
}
