package subnet

import (
	"context"
	"slices"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/outcall"
	"kedge/replica/reject"
)

// HTTP outcalls, as far as they are part of the state: a request that a canister made waits in it until a later
// round brings its result. Executing a log again needs no server.

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

// maxOutcalls is the most that may be under way.
const maxOutcalls = 3000

// Outcall is a request that a round has taken into the state, to be performed.
type Outcall struct {
	ID      uint64
	Request outcall.Request
}

// PendingOutcalls are the numbers of the outcalls that await their result.
func (n *Subnet) PendingOutcalls() (ids []uint64) {
	for _, o := range n.state.Outcalls {
		ids = append(ids, o.ID)
	}
	return ids
}

// switchedOn reports whether a management method is one that this round may execute.
func (n *Subnet) switchedOn(method string) bool {
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
	m.changes.Outcalls = append(m.changes.Outcalls, Outcall{s.NextOutcall, r})
	m.pending = true
	return nil, nil
}

// finishOutcall answers the canister that made an outcall.
func (n *Subnet) finishOutcall(ctx context.Context, result OutcallResult) {
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
func (n *Subnet) transform(ctx context.Context, o *pendingOutcall, response outcall.Response) ([]byte, *reject.Error) {
	c, t := n.state.Canisters[o.Caller], o.Request.Transform
	switch {
	case c == nil:
		return nil, NotFound(o.Caller)
	case c.Status != running:
		return nil, notRunning(c)
	case c.module == nil:
		return nil, exec.WasmModuleNotFound(c.ID)
	case n.liquid(c).IsZero():
		return nil, n.outOfCycles(c, cycles.Amount{}, c.ID)
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
	reply, err := queryAnswer(c.ID, s.Out)
	if err == nil && len(reply) > outcall.MaxResponse {
		return nil, outcall.TooLarge(len(reply))
	}
	return reply, err
}
