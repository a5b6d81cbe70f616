package replica

import (
	"container/heap"
	"slices"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/certified"
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
	Expiry    uint64 // nanoseconds since 1970
	Size      int    // of the signed envelope in bytes, which is paid for
}

// ingressEntry is what the network knows of an ingress message.
type ingressEntry struct {
	status    certified.Status
	published certified.Status // as the certified state has it
	sender    principal.Principal
	receiver  principal.Principal
	effective principal.Principal
	answer    answer
	done      chan struct{} // closed when it has its answer
}

// answerLifetime is how long an answer can be read after it came, in nanoseconds. A request is remembered
// until it has expired in any case, so that it is never executed twice.
const answerLifetime = 5 * 60 * 1_000_000_000

// expiring is when an ingress entry is forgotten.
type expiring struct {
	at uint64
	id request.ID
}

type expiries []expiring

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].at < e[j].at }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *expiries) Push(x any)        { *e = append(*e, x.(expiring)) }
func (e *expiries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// remember makes the entry of a new ingress message.
func (s *state) remember(in *Ingress, done chan struct{}) {
	s.ingress[in.ID] = &ingressEntry{status: certified.Received, sender: in.Sender, receiver: in.Canister, effective: in.Effective, done: done}
	heap.Push(&s.expiry, expiring{max(in.Expiry, s.time) + answerLifetime, in.ID})
}

// induct takes an ingress message into the state: it is paid for and waits.
func (n *Network) induct(in *Ingress) {
	s := &n.state
	if s.ingress[in.ID] != nil {
		return // sent twice
	}
	n.inboxLock.Lock()
	done := n.arriving[in.ID]
	delete(n.arriving, in.ID)
	n.inboxLock.Unlock()
	if done == nil {
		done = make(chan struct{})
	}
	s.remember(in, done)
	n.touch(in.ID)
	if err := n.payIngress(in); err != nil {
		n.complete(in.ID, refused(err))
		return
	}
	s.enqueue(message{receiver: in.Canister, request: &call{
		origin: origin{kind: fromUser, request: in.ID},
		caller: in.Sender, method: in.Method, arg: in.Arg,
	}})
}

// freeMethods are the management methods that cost their canister nothing.
var freeMethods = map[string]bool{
	"provisional_create_canister_with_cycles": true, "provisional_top_up_canister": true,
	"create_canister": true, "update_settings": true,
}

// payIngress makes the canister that an ingress message is for pay for it.
func (n *Network) payIngress(in *Ingress) *reject.Error {
	payer := n.state.canisters[in.Effective]
	if in.Canister == principal.Management && (payer == nil || freeMethods[in.Method]) {
		return nil
	}
	if payer == nil {
		return notFound(in.Effective)
	}
	cost := exec.IngressCost(in.Size)
	if n.liquid(payer).Less(cost) {
		return outOfCycles(payer)
	}
	n.charge(payer, cost, &payer.consumed.ingress)
	return nil
}

// markProcessing notes that an ingress message is being executed.
func (n *Network) markProcessing(o origin) {
	if o.kind != fromUser {
		return
	}
	if entry := n.state.ingress[o.request]; entry != nil && entry.status == certified.Received {
		entry.status = certified.Processing
		n.touch(o.request)
	}
}

// complete gives an ingress message its answer.
func (n *Network) complete(id request.ID, a answer) {
	entry := n.state.ingress[id]
	if entry == nil || entry.status.Settled() {
		return
	}
	entry.status, entry.answer = certified.Replied, a
	if a.err != nil {
		entry.status = certified.Rejected
	}
	n.touch(id)
}

// expire forgets what has passed its time: ingress messages, best-effort calls, requests to stop.
func (n *Network) expire() {
	s := &n.state
	for len(s.expiry) > 0 && s.expiry[0].at <= s.time {
		n.forget(heap.Pop(&s.expiry).(expiring).id)
	}
	for _, c := range s.order {
		n.expireCalls(c)
		n.expireStops(c)
	}
}

// expireCalls answers the best-effort calls of a canister whose deadline has passed, in order.
func (n *Network) expireCalls(c *canister) {
	var expired []uint64
	for id, call := range c.callbacks {
		if call.deadline != 0 && call.deadline <= n.state.time && !call.expired {
			call.expired = true
			expired = append(expired, id)
		}
	}
	slices.Sort(expired)
	for _, id := range expired {
		err := reject.New(reject.DeadlineExpired, "Call deadline has expired.")
		n.state.enqueue(message{receiver: c.id, response: &response{callback: id, answer: refused(err)}})
	}
}
