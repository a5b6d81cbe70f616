package certified

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"kedge/ic/certificate"
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/internal/minicbor"
)

// State is the certified state of a network. Its setters and Certify are for one goroutine at a time, that
// of the rounds; all else may be called by any.
type State struct {
	keys   *Keys
	ranges []certificate.Range
	fixed  hashtree.Map // what never changes: subnets and ranges

	canisterTree hashtree.Map
	requestTree  hashtree.Map
	metrics      Metrics
	delegation   *certificate.Delegation
	delegatedAt  uint64 // nanoseconds
	height       uint64

	mu        sync.RWMutex // guards what follows
	canisters map[principal.Principal]*Canister
	requests  map[request.ID]*Request
	settled   []request.ID // since the last Certify
	waiters   map[request.ID][]chan *Snapshot

	latest atomic.Pointer[Snapshot]
}

// Options are the choices that a network leaves.
type Options struct {
	SubnetType string              // "application" if empty
	Ranges     []certificate.Range // ids that canisters may have; DefaultRanges if empty
}

// DefaultRanges holds every id that the network can allocate, those of the well-known canisters of mainnet
// among them.
func DefaultRanges() []certificate.Range {
	return []certificate.Range{{Start: principal.Canister(0), End: principal.Canister(1<<64 - 1)}}
}

// NewState returns the state of a network without canisters. Nothing is certified yet.
func NewState(keys *Keys, options Options) *State {
	if options.SubnetType == "" {
		options.SubnetType = "application"
	}
	if len(options.Ranges) == 0 {
		options.Ranges = DefaultRanges()
	}
	s := &State{
		keys:      keys,
		ranges:    options.Ranges,
		canisters: map[principal.Principal]*Canister{},
		requests:  map[request.ID]*Request{},
		waiters:   map[request.ID][]chan *Snapshot{},
	}
	root, app := keys.RootID().Bytes(), keys.SubnetID().Bytes()
	allRanges := certificate.EncodeRanges(options.Ranges)
	noRanges := certificate.EncodeRanges(nil)

	rootTree := set(set(set(hashtree.Map{}, "public_key", keys.RootDER()), "type", []byte("system")), "canister_ranges", noRanges)
	s.fixed = s.fixed.With([]byte("canister_ranges"), hashtree.Map{}.
		With(root, hashtree.Empty()).
		With(app, hashtree.Labeled(options.Ranges[0].Start.Bytes(), hashtree.Leaf(allRanges))).Tree())
	node := hashtree.Labeled(keys.NodeID().Bytes(), hashtree.Labeled([]byte("public_key"), hashtree.Leaf(keys.nodeDER())))
	appTree := set(set(set(hashtree.Map{}, "public_key", keys.Subnet.Public().DER()), "type", []byte(options.SubnetType)), "canister_ranges", allRanges).
		With([]byte("node"), node)
	s.fixed = s.fixed.With([]byte("subnet"), hashtree.Map{}.With(root, rootTree.Tree()).With(app, appTree.Tree()).Tree())
	s.fixed = s.fixed.With([]byte("api_boundary_nodes"), hashtree.Empty())
	return s
}

// Keys returns the network's keys.
func (s *State) Keys() *Keys { return s.keys }

// Hosts tells whether the id is in the ranges of the application subnet.
func (s *State) Hosts(canister principal.Principal) bool {
	for _, r := range s.ranges {
		if r.Contains(canister) {
			return true
		}
	}
	return false
}

// SetCanister records a canister, new or changed.
func (s *State) SetCanister(id principal.Principal, c Canister) {
	s.mu.Lock()
	s.canisters[id] = &c
	s.mu.Unlock()
	s.canisterTree = s.canisterTree.With(id.Bytes(), c.tree().Tree())
}

// SetCertifiedData changes the certified data of a canister that has a module; it costs less than
// SetCanister. A canister that is not there is left alone.
func (s *State) SetCertifiedData(id principal.Principal, data []byte) {
	s.mu.Lock()
	old := s.canisters[id]
	if old == nil || old.ModuleHash == nil {
		s.mu.Unlock()
		return
	}
	c := *old
	c.CertifiedData = data
	s.canisters[id] = &c
	s.mu.Unlock()

	tree, _ := s.canisterTree.Get(id.Bytes())
	s.canisterTree = s.canisterTree.With(id.Bytes(), set(hashtree.MapOf(tree), "certified_data", data).Tree())
}

// RemoveCanister forgets a canister.
func (s *State) RemoveCanister(id principal.Principal) {
	s.mu.Lock()
	delete(s.canisters, id)
	s.mu.Unlock()
	s.canisterTree = s.canisterTree.Without(id.Bytes())
}

// SetRequest records a request, new or changed. Who waits for it is woken by the Certify after it settled.
func (s *State) SetRequest(id request.ID, r Request) {
	s.mu.Lock()
	s.requests[id] = &r
	if r.Status.Settled() {
		s.settled = append(s.settled, id)
	}
	s.mu.Unlock()
	s.requestTree = s.requestTree.With(id[:], r.tree())
}

// RemoveRequest forgets a request.
func (s *State) RemoveRequest(id request.ID) {
	s.mu.Lock()
	delete(s.requests, id)
	s.mu.Unlock()
	s.requestTree = s.requestTree.Without(id[:])
}

// Metrics are the subnet's own numbers.
type Metrics struct {
	Canisters          uint64
	StateBytes         uint64
	ConsumedCycles     [2]uint64 // low and high half
	UpdateTransactions uint64
}

// SetMetrics changes the subnet's metrics.
func (s *State) SetMetrics(m Metrics) { s.metrics = m }

func (m Metrics) encode() []byte {
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 4)
	pair := func(key, value uint64) {
		out = minicbor.AppendHead(minicbor.AppendHead(out, minicbor.Uint, key), minicbor.Uint, value)
	}
	pair(0, m.Canisters)
	pair(1, m.StateBytes)
	out = minicbor.AppendHead(minicbor.AppendHead(out, minicbor.Uint, 2), minicbor.Map, 2)
	pair(0, m.ConsumedCycles[0])
	pair(1, m.ConsumedCycles[1])
	pair(3, m.UpdateTransactions)
	return out
}

// delegationAge is how far the time may move before the delegation is signed again. Clients accept
// delegations of up to 30 days.
const delegationAge = uint64(24 * 60 * 60 * 1e9)

// Certify signs the state as it is at the time, in nanoseconds since 1970, publishes it as the latest
// snapshot and wakes who waits for requests that have settled.
func (s *State) Certify(time uint64) (*Snapshot, error) {
	if age := max(time, s.delegatedAt) - min(time, s.delegatedAt); s.delegation == nil || age > delegationAge {
		if err := s.delegate(time); err != nil {
			return nil, err
		}
	}
	subnets, _ := s.fixed.Get([]byte("subnet"))
	app := s.keys.SubnetID().Bytes()
	own, _ := hashtree.MapOf(subnets).Get(app)
	own = set(hashtree.MapOf(own), "metrics", s.metrics.encode()).Tree()

	top := s.fixed.With([]byte("subnet"), hashtree.MapOf(subnets).With(app, own).Tree())
	top = set(top, "time", hashtree.EncodeNat(time))
	top = top.With([]byte("canister"), s.canisterTree.Tree())
	top = top.With([]byte("request_status"), s.requestTree.Tree())

	cert, err := certificate.Sign(top.Tree(), s.keys.Subnet, s.delegation)
	if err != nil {
		return nil, fmt.Errorf("certify the state: %w", err)
	}
	s.height++
	snapshot := &Snapshot{state: s, cert: *cert, top: top, time: time, height: s.height}
	s.publish(snapshot)
	return snapshot, nil
}

func (s *State) publish(snapshot *Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest.Store(snapshot)
	for _, id := range s.settled {
		for _, waiter := range s.waiters[id] {
			waiter <- snapshot // has room for it
		}
		delete(s.waiters, id)
	}
	s.settled = s.settled[:0]
}

// delegate signs the key of the application subnet with the root key. The certificate holds the
// ranges in the flat form and in the sharded one, so it serves the endpoints of every version.
func (s *State) delegate(time uint64) error {
	app := s.keys.SubnetID().Bytes()
	top := set(s.fixed, "time", hashtree.EncodeNat(time))
	cert, err := certificate.Sign(top.Tree(), s.keys.Root, nil)
	if err != nil {
		return fmt.Errorf("delegate to the subnet: %w", err)
	}
	cert.Tree = cert.Tree.Witness(
		[][]byte{[]byte("time")},
		[][]byte{[]byte("subnet"), app, []byte("public_key")},
		[][]byte{[]byte("subnet"), app, []byte("canister_ranges")},
		[][]byte{[]byte("canister_ranges"), app})
	s.delegation = &certificate.Delegation{Subnet: s.keys.SubnetID(), Certificate: cert.Encode()}
	s.delegatedAt = time
	return nil
}

// Latest returns the newest snapshot, nil if nothing has been certified yet.
func (s *State) Latest() *Snapshot { return s.latest.Load() }

// Canister returns what is known of a canister.
func (s *State) Canister(id principal.Principal) (*Canister, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.canisters[id]
	return c, ok
}

// Canisters returns the ids of all canisters, in no order.
func (s *State) Canisters() []principal.Principal {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]principal.Principal, 0, len(s.canisters))
	for id := range maps.Keys(s.canisters) {
		out = append(out, id)
	}
	return out
}

// Request returns what is known of a request. It may be newer than the latest snapshot.
func (s *State) Request(id request.ID) (*Request, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.requests[id]
	return r, ok
}

// Wait returns a snapshot in which the request is settled, as soon as there is one; the request need not be
// known yet. It returns nil when ctx ends before.
func (s *State) Wait(ctx context.Context, id request.ID) *Snapshot {
	s.mu.Lock()
	if latest := s.latest.Load(); latest != nil && latest.settled(id) {
		s.mu.Unlock()
		return latest
	}
	woken := make(chan *Snapshot, 1)
	s.waiters[id] = append(s.waiters[id], woken)
	s.mu.Unlock()

	select {
	case snapshot := <-woken:
		return snapshot
	case <-ctx.Done():
		s.forget(id, woken)
		return nil
	}
}

func (s *State) forget(id request.ID, woken chan *Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.waiters[id]
	for i := range list {
		if list[i] == woken {
			s.waiters[id] = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(s.waiters[id]) == 0 {
		delete(s.waiters, id)
	}
}
