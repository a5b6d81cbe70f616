package replica

import (
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/certified"
)

// How the certified state follows the state. Rounds note what they change; publish tells it to the
// certified state in one go, and the signature is made when somebody needs it.

// touch notes that a request changed in this round.
func (n *Network) touch(id request.ID) { n.changed.requests = append(n.changed.requests, id) }

// touchCanister notes that the controllers or the code of a canister changed in this round.
func (n *Network) touchCanister(id principal.Principal) {
	n.changed.canisters = append(n.changed.canisters, id)
}

// touchData notes that the certified data of a canister changed in this round.
func (n *Network) touchData(id principal.Principal) { n.changed.data = append(n.changed.data, id) }

// forget removes a request whose time has passed.
func (n *Network) forget(id request.ID) {
	delete(n.state.Ingress, id)
	n.changed.forgotten = append(n.changed.forgotten, id)
}

// changes is what a round changed of what is certified, in order.
type changes struct {
	requests, forgotten []request.ID
	canisters, data     []principal.Principal
}

// publish brings the certified state up to date and wakes those who wait for answers. The caller holds
// the network's lock.
func (n *Network) publish() {
	changed := n.changed
	n.changed = changes{}
	n.uncertified = true
	for _, id := range changed.forgotten {
		n.certified.RemoveRequest(id)
	}
	for _, id := range changed.canisters {
		n.publishCanister(id)
	}
	for _, id := range changed.data {
		if c := n.state.Canisters[id]; c != nil {
			n.certified.SetCertifiedData(id, c.CertifiedData)
		}
	}
	for _, id := range changed.requests {
		n.publishRequest(id)
	}
}

func (n *Network) publishCanister(id principal.Principal) {
	c := n.state.Canisters[id]
	if c == nil {
		n.certified.RemoveCanister(id)
		return
	}
	entry := certified.Canister{Controllers: c.Settings.Controllers, CertifiedData: c.CertifiedData, CreatedAt: c.Created, InstalledAt: c.Installed}
	if c.module != nil {
		entry.ModuleHash = c.CodeHash[:]
		for _, s := range c.module.Sections {
			entry.Metadata = append(entry.Metadata, certified.Metadata{Name: s.Name, Public: s.Public, Data: s.Data})
		}
	}
	n.certified.SetCanister(id, entry)
}

func (n *Network) publishRequest(id request.ID) {
	e := n.state.Ingress[id]
	if e == nil || e.published == e.Status {
		return
	}
	e.published = e.Status
	n.certified.SetRequest(id, certified.Request{Sender: e.Sender, Receiver: e.Receiver, Effective: e.Effective,
		Status: e.Status, Reply: e.Answer.Reply, Reject: e.Answer.Err})
	if e.Status.Settled() {
		close(e.done)
	}
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
