package replica

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/exec"
	"kedge/replica/subnet"
)

// Submission is a call that was taken in.
type Submission struct {
	network *Network
	id      request.ID
	method  string
	done    <-chan struct{}
}

// Submit makes a call of a method of a canister as sender without waiting for its reply. The canister may be
// principal.Management. An error means that the call was refused before it was taken in: it cost nobody
// anything, and no certificate tells of it.
func (n *Network) Submit(ctx context.Context, sender, canister principal.Principal, method string, arg []byte) (*Submission, error) {
	effective := canister
	if canister == principal.Management {
		if id, ok := subnet.Target(method, arg); ok {
			effective = id
		}
	}
	in := &subnet.Ingress{ID: n.inbox.freshID(), Sender: sender, Canister: canister, Effective: effective, Method: method, Arg: arg,
		Expiry: n.now() + uint64(5*time.Minute), Size: envelopeSize(sender, canister, method, arg)}
	done, err := n.submit(ctx, in)
	if err != nil {
		return nil, err
	}
	return &Submission{network: n, id: in.ID, method: method, done: done}, nil
}

// envelopeSize is the size in bytes of the CBOR envelope that a call would have without a signature: it is paid
// for. The constant is the maps, their keys, request_type, ingress_expiry, and null for nonce and sender_sig.
func envelopeSize(sender, canister principal.Principal, method string, arg []byte) int {
	const fixed = 110
	size := fixed
	for _, length := range []int{sender.Len(), canister.Len(), len(method), len(arg)} {
		size += length
		switch { // the head of a longer string is longer, too
		case length >= 1<<16:
			size += 4
		case length >= 1<<8:
			size += 2
		case length >= 24:
			size++
		}
	}
	return size
}

// Done is closed when the call has its answer.
func (s *Submission) Done() <-chan struct{} { return s.done }

// Wait waits for the answer. A refusal is a *reject.Error.
func (s *Submission) Wait(ctx context.Context) ([]byte, error) {
	n := s.network
	select {
	case <-s.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the reply to %q: %w", s.method, ctx.Err())
	case <-n.closing:
		return nil, fmt.Errorf("wait for the reply to %q: the network was closed", s.method)
	}
	n.lock.RLock()
	defer n.lock.RUnlock()
	r, known := n.subnet.Request(s.id)
	switch {
	case !known:
		return nil, fmt.Errorf("the reply to %q was forgotten before it was read: the clock moved too far", s.method)
	case r.Reject != nil:
		return nil, r.Reject
	}
	return r.Reply, nil
}

// executed adds up what a network executes, by role.
type executed struct {
	lock  sync.Mutex
	total map[exec.Kind]exec.Report
}

func (e *executed) add(kind exec.Kind, r exec.Report) {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.total == nil {
		e.total = make(map[exec.Kind]exec.Report)
	}
	e.total[kind] = e.total[kind].Plus(r)
}

// Executed returns what the network has executed since it was started, failed executions included, by the role
// in which canisters ran. Installations are not in it.
func (n *Network) Executed() map[exec.Kind]exec.Report {
	n.executed.lock.Lock()
	defer n.executed.lock.Unlock()
	return maps.Clone(n.executed.total)
}
