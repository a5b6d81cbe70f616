package replica

import (
	"fmt"
	"io"
	"sync"

	"kedge/ic/principal"
	"kedge/replica/certified"
	"kedge/replica/exec"
	"kedge/replica/subnet"
)

// What the world learns of a round: the certified state follows, those who wait for answers wake, and what
// canisters printed is printed. The signature is made when somebody needs it.

// publish tells what a round changed. The caller holds the network's lock.
func (n *Network) publish(changed subnet.Changes) {
	n.uncertified = true
	for _, id := range changed.Forgotten {
		n.certified.RemoveRequest(id)
	}
	n.publishCanisters(changed.Canisters)
	for _, c := range changed.Data {
		n.certified.SetCertifiedData(c.ID, c.Data)
	}
	for _, r := range changed.Requests {
		n.certified.SetRequest(r.ID, r.Request)
		if r.Status.Settled() {
			n.inbox.settled(r.ID)
		}
	}
}

func (n *Network) publishCanisters(changed []subnet.CanisterChange) {
	for _, c := range changed {
		if c.Deleted {
			n.certified.RemoveCanister(c.ID)
			continue
		}
		n.certified.SetCanister(c.ID, c.Canister)
	}
}

// print writes what canisters printed for people to see, and keeps what was consumed for tests.
func (n *Network) print(outputs []subnet.Output) {
	for _, o := range outputs {
		if o.Step != nil {
			n.executed.add(o.Kind, *o.Step)
		}
		if o.Total != nil {
			n.reports.set(o.Canister, *o.Total)
		}
		for _, entry := range o.Logs {
			if n.options.Log != nil {
				// Nobody can be told that the log itself cannot be written.
				_, _ = io.WriteString(n.options.Log, fmt.Sprintf("[Canister %s] %s\n", o.Canister, entry.Content))
			}
		}
	}
}

// reports are what the last call, query or installation of each canister consumed.
type reports struct {
	lock sync.Mutex
	last map[principal.Principal]exec.Report
}

func (r *reports) set(canister principal.Principal, report exec.Report) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.last == nil {
		r.last = make(map[principal.Principal]exec.Report)
	}
	r.last[canister] = report
}

func (r *reports) of(canister principal.Principal) exec.Report {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.last[canister]
}

// snapshot returns a certified snapshot of the state of now that is at most maxAge nanoseconds old. The
// caller holds the network's lock, for reading at least: the state stands still.
func (n *Network) snapshot(maxAge uint64) *certified.Snapshot {
	n.certifying.Lock()
	defer n.certifying.Unlock()
	latest, now := n.certified.Latest(), n.now()
	if latest != nil && !n.uncertified && latest.Time()+maxAge >= now {
		return latest
	}
	fresh, err := n.certified.Certify(now)
	n.must(err)
	n.uncertified = false
	return fresh
}
