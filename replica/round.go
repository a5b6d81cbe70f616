package replica

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/exec"
)

// Round is one step of the network. All that is not in the state before it and yet decides the state
// after it is here: applying the same rounds to the same state gives the same state.
type Round struct {
	Time    uint64   // nanoseconds since 1970; more than in the round before
	Seed    [32]byte // randomness
	Ingress []*Ingress
}

// roundBudget is how many instructions a round starts messages for; what still waits then runs in the
// next round, so that a certificate comes in between.
const roundBudget = 7_000_000_000

// roundMessages is the most messages of one round.
const roundMessages = 5_000

// state is everything that rounds change.
type state struct {
	height    uint64
	time      uint64
	seed      [32]byte
	draws     uint64 // of randomness in this round
	canisters map[principal.Principal]*canister
	order     []*canister // in order of creation
	nextIndex uint64      // of the next canister id
	deleted   map[principal.Principal]bool
	queue     []message
	ingress   map[request.ID]*ingressEntry
	expiry    expiries // ingress entries in order of their end

	// spent counts the round's instructions.
	spent uint64
}

// apply executes a round. It is the only way in which the state changes, beside the operations of tests.
// The caller holds the network's lock.
func (n *Network) apply(ctx context.Context, r Round) {
	s := &n.state
	s.height++
	s.time = max(r.Time, s.time+1)
	s.seed, s.draws, s.spent = r.Seed, 0, 0

	n.expire()
	n.chargeForTime(ctx)
	for _, in := range r.Ingress {
		n.induct(in)
	}
	n.enqueueTasks()

	for executed := 0; len(s.queue) > 0 && executed < roundMessages && s.spent < roundBudget; executed++ {
		next := s.queue[0]
		s.queue = s.queue[1:]
		n.execute(ctx, next)
	}
	if len(s.queue) == 0 {
		s.queue = nil // let the array go
	}
	n.finishStopping()
}

// busy reports whether messages wait.
func (s *state) busy() bool { return len(s.queue) > 0 }

// enqueue adds a message to the end of the queue.
func (s *state) enqueue(m message) { s.queue = append(s.queue, m) }

// enqueueTasks adds the heartbeats of this round and the timers that are due.
func (n *Network) enqueueTasks() {
	s := &n.state
	for _, c := range s.order {
		if c.status != running || c.module == nil {
			continue
		}
		if c.globalTimer != 0 && c.globalTimer <= s.time {
			c.globalTimer = 0
			if c.module.Has(exec.EntryTimer) {
				s.enqueue(message{receiver: c.id, task: &task{exec.Timer, exec.EntryTimer}})
			}
		}
		if c.module.Has(exec.EntryHeartbeat) {
			s.enqueue(message{receiver: c.id, task: &task{exec.Heartbeat, exec.EntryHeartbeat}})
		}
	}
}

// hasHeartbeat reports whether a canister wants to run in every round.
func (s *state) hasHeartbeat() bool {
	return slices.ContainsFunc(s.order, func(c *canister) bool {
		return c.status == running && c.module != nil && c.module.Has(exec.EntryHeartbeat)
	})
}

// random returns 32 bytes that depend on the round's seed and on nothing else.
func (s *state) random() []byte {
	s.draws++
	var block [40]byte
	copy(block[:], s.seed[:])
	binary.BigEndian.PutUint64(block[32:], s.draws)
	sum := sha256.Sum256(block[:])
	return sum[:]
}

// execute runs one message.
func (n *Network) execute(ctx context.Context, m message) {
	if m.receiver == principal.Management {
		n.executeManagement(ctx, m.request)
		return
	}
	c := n.state.canisters[m.receiver]
	switch {
	case m.response != nil:
		if c != nil {
			n.executeResponse(ctx, c, m.response)
		}
	case m.task != nil:
		if c != nil {
			n.executeTask(ctx, c, m.task)
		}
	case c == nil:
		n.respond(m.request.origin, refused(notFound(m.receiver)), m.request.cycles)
	default:
		n.executeRequest(ctx, c, m.request)
	}
}
