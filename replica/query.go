package replica

import (
	"context"
	"time"

	"kedge/ic/principal"
	"kedge/replica/reject"
	"kedge/replica/subnet"
)

// maxCompositeTime is how long a composite query may take.
const maxCompositeTime = 10 * time.Second

// query executes a query of the state of now.
func (n *Network) query(ctx context.Context, q subnet.Query) ([]byte, *reject.Error) {
	reading := &reading{network: n, pauses: pauses{executor: n.executor}}
	n.lock.RLock()
	defer reading.end()
	deadline := time.Now().Add(maxCompositeTime)
	q.Time = n.now()
	q.Certificate = reading.certificate
	q.Expired = func() bool { return time.Now().After(deadline) }
	q.Pause, q.Leave, q.Return = reading.pauses.Pause, reading.leave, reading.back
	a := n.subnet.Query(ctx, q)
	n.print(a.Outputs)
	return a.Reply, a.Err
}

// reading is a query that shares the network's lock, until it takes long: then it goes on without.
type reading struct {
	network *Network
	pauses  pauses
	left    bool
}

// leave gives the lock back. From now on the query takes turns with long messages.
func (r *reading) leave() {
	r.left = true
	r.network.executor.running.Add(1) // the network's end, which needs the lock first, waits for it
	r.network.lock.RUnlock()
	r.pauses.isLong = true
	r.pauses.turns <- struct{}{}
}

func (r *reading) end() {
	if !r.left {
		r.network.lock.RUnlock()
		return
	}
	<-r.pauses.turns
	r.network.executor.running.Done()
}

// back takes the lock again for a while.
func (r *reading) back() (leave func()) {
	r.network.lock.RLock()
	return r.network.lock.RUnlock
}

// certificate makes a data certificate.
func (r *reading) certificate(canister principal.Principal) []byte {
	if r.left {
		r.network.lock.RLock()
		defer r.network.lock.RUnlock()
	}
	return r.network.snapshot(certificateAge).DataCertificate(canister)
}
