package subnet

import (
	"container/heap"
	"slices"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/certified"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// Ingress is a call by a user, whose signature has been verified.
type Ingress struct {
	ID        request.ID
	Sender    principal.Principal
	Canister  principal.Principal // who is called; may be the management canister
	Effective principal.Principal // the canister that the call is about
	Method    string
	Arg       []byte
	Info      exec.CallerInfo
	Expiry    uint64 // nanoseconds since 1970
	Size      int    // of the signed envelope in bytes, which is paid for
}

// ingressEntry is what the subnet knows of an ingress message.
type ingressEntry struct {
	Status    certified.Status
	Sender    principal.Principal
	Receiver  principal.Principal
	Effective principal.Principal
	Answer    answer
}

// certified is the entry as it is certified.
func (e *ingressEntry) certified() certified.Request {
	return certified.Request{Sender: e.Sender, Receiver: e.Receiver, Effective: e.Effective,
		Status: e.Status, Reply: e.Answer.Reply, Reject: e.Answer.Err}
}

// Request returns what is known of a request that was taken in and is not forgotten yet.
func (n *Subnet) Request(id request.ID) (r certified.Request, known bool) {
	if e := n.state.Ingress[id]; e != nil {
		return e.certified(), true
	}
	return r, false
}

// answerLifetime is how long an answer can be read after it came, in nanoseconds. A request is remembered
// until it has expired in any case, so that it is never executed twice.
const answerLifetime = 5 * 60 * 1_000_000_000

// expiring is when an ingress entry is forgotten.
type expiring struct {
	At uint64
	ID request.ID
}

type expiries []expiring

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].At < e[j].At }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiring)) }
func (e *expiries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// remember makes the entry of a new ingress message.
func (s *state) remember(in *Ingress) {
	s.Ingress[in.ID] = &ingressEntry{Status: certified.Received, Sender: in.Sender, Receiver: in.Canister, Effective: in.Effective}
	heap.Push(&s.Expiry, expiring{max(in.Expiry, s.Time) + answerLifetime, in.ID})
}

// induct takes an ingress message into the state: it is paid for and waits.
func (n *Subnet) induct(in *Ingress) {
	s := &n.state
	if s.Ingress[in.ID] != nil {
		return // sent twice
	}
	s.remember(in)
	n.touch(in.ID)
	if err := n.payIngress(in); err != nil {
		n.complete(in.ID, refused(err))
		return
	}
	s.enqueue(message{Receiver: in.Canister, Request: &call{
		Origin: origin{Kind: fromUser, Request: in.ID},
		Caller: in.Sender, Info: in.Info, Method: in.Method, Arg: in.Arg,
	}})
}

// freeMethods are the management methods that cost their canister nothing.
var freeMethods = map[string]bool{
	"provisional_create_canister_with_cycles": true, "provisional_top_up_canister": true,
	"create_canister": true,
}

// maxDelayedFee is the greatest argument of update_settings that is paid for after the settings have changed, in
// bytes: so a canister whose freezing threshold is too high can be set free.
const maxDelayedFee = 338

// delayedFee reports whether a call pays for its induction after it was executed.
func delayedFee(canister principal.Principal, method string, arg []byte) bool {
	return canister == principal.Management && method == "update_settings" && len(arg) <= maxDelayedFee
}

// payer is the canister that pays for an ingress message, nil if nobody does, with the price.
func (n *Subnet) payer(in *Ingress) (*canister, cycles.Amount, *reject.Error) {
	payer := n.state.Canisters[in.Effective]
	if in.Canister == principal.Management && (payer == nil || freeMethods[in.Method] || delayedFee(in.Canister, in.Method, in.Arg)) ||
		n.builtin(in.Canister) {
		return nil, cycles.Amount{}, nil
	}
	if payer == nil {
		return nil, cycles.Amount{}, NotFound(in.Effective)
	}
	cost := exec.IngressCost(in.Size)
	if n.liquid(payer).Less(cost) {
		return nil, cost, n.outOfCycles(payer, cost, in.Sender)
	}
	return payer, cost, nil
}

// checkIngressFee refuses an ingress message that nobody can pay for.
func (n *Subnet) checkIngressFee(in *Ingress) *reject.Error {
	_, _, err := n.payer(in)
	return err
}

// payIngress makes the canister that an ingress message is for pay for it.
func (n *Subnet) payIngress(in *Ingress) *reject.Error {
	payer, cost, err := n.payer(in)
	if payer != nil {
		n.charge(payer, cost, &payer.Consumed.Ingress)
	}
	return err
}

// payDelayedFee makes a canister pay for a call of update_settings after it was executed.
func (n *Subnet) payDelayedFee(c *canister, r *call) {
	if c == nil || r.Origin.Kind != fromUser || !delayedFee(principal.Management, r.Method, r.Arg) {
		return
	}
	if cost := exec.IngressCost(len(r.Method) + len(r.Arg)); !n.liquid(c).Less(cost) {
		n.charge(c, cost, &c.Consumed.Ingress)
	}
}

// markProcessing notes that an ingress message is being executed.
func (n *Subnet) markProcessing(o origin) {
	if o.Kind != fromUser {
		return
	}
	if entry := n.state.Ingress[o.Request]; entry != nil && entry.Status == certified.Received {
		entry.Status = certified.Processing
		n.touch(o.Request)
	}
}

// complete gives an ingress message its answer.
func (n *Subnet) complete(id request.ID, a answer) {
	entry := n.state.Ingress[id]
	if entry == nil || entry.Status.Settled() {
		return
	}
	entry.Status, entry.Answer = certified.Replied, a
	n.trace.add(id, a.Reply, a.Err)
	if a.Err != nil {
		entry.Status = certified.Rejected
	}
	n.touch(id)
}

// expire forgets what has passed its time: ingress messages, best-effort calls, requests to stop.
func (n *Subnet) expire() {
	s := &n.state
	for len(s.Expiry) > 0 && s.Expiry[0].At <= s.Time {
		n.forget(heap.Pop(&s.Expiry).(expiring).ID)
	}
	for _, c := range s.Order {
		n.expireCalls(c)
		n.expireStops(c)
	}
}

// expireCalls answers the best-effort calls of a canister whose deadline has passed, in order.
func (n *Subnet) expireCalls(c *canister) {
	var expired []uint64
	for id, call := range c.Callbacks {
		if call.Deadline != 0 && call.Deadline <= n.state.Time && !call.Expired {
			call.Expired = true
			expired = append(expired, id)
		}
	}
	slices.Sort(expired)
	for _, id := range expired {
		err := reject.New(reject.DeadlineExpired, "Call deadline has expired.")
		n.state.enqueue(message{Receiver: c.ID, Response: &response{Callback: id, Answer: refused(err)}})
	}
}
