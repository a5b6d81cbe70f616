package subnet

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/builtin"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// Round is one step of the subnet. All that is not in the state before it and yet decides the state
// after it is here: applying the same rounds to the same state gives the same state.
type Round struct {
	Time    uint64   // nanoseconds since 1970; more than in the round before
	Seed    [32]byte // randomness
	Ingress []*Ingress
	Stable  []StableWrite // by tests, before all else

	Finished []uint64 // numbers of the executions that went on between rounds and whose end this round takes in

	LimitInstalls bool            // an expensive installation is followed by rounds that refuse one
	AllowOutcalls bool            // canisters may make HTTP outcalls
	Outcalls      []OutcallResult // what came of earlier ones
}

// StableWrite replaces the stable memory of a canister.
type StableWrite struct {
	Canister principal.Principal
	Content  []byte
}

// roundBudget is how many instructions a round starts messages for; what still waits then runs in the
// next round, so that a certificate comes in between, and reads need not wait for long.
const roundBudget = 100_000_000

// installRate is how many instructions of installations a round forgives a canister.
const installRate = 2_000_000_000

// roundMessages is the most messages of one round.
const roundMessages = 5_000

// state is everything that rounds change.
type state struct {
	Height    uint64
	Time      uint64
	Seed      [32]byte
	Draws     uint64 // of randomness in this round
	Canisters map[principal.Principal]*canister
	Order     []*canister       // in order of creation
	NextIndex uint64            // of the next canister id
	Compiled  map[[32]byte]bool // hashes of the modules that were ever installed: again they cost less
	Deleted   map[principal.Principal]bool
	Builtin   builtin.State
	Queue     []message
	Ingress   map[request.ID]*ingressEntry
	Expiry    expiries // ingress entries in order of their end

	LimitInstalls bool              // in this round
	AllowOutcalls bool              // in this round
	Outcalls      []*pendingOutcall // that are under way, in order of their numbers
	NextOutcall   uint64

	Executions    []*execution // that go on between rounds
	NextExecution uint64

	// Trace is a hash of all that happened.
	Trace [32]byte

	// Spent counts the round's instructions.
	Spent uint64
}

// Apply executes a round and returns what it changed. It is the only way in which the state changes.
func (n *Subnet) Apply(ctx context.Context, r Round) Changes {
	s := &n.state
	s.Height++
	s.Time = max(r.Time, s.Time+1)
	s.Seed, s.Draws, s.Spent = r.Seed, 0, 0
	s.AllowOutcalls, s.LimitInstalls = r.AllowOutcalls, r.LimitInstalls

	n.trace.begin(s.Trace)
	n.expire()
	n.chargeForTime(ctx)
	for _, id := range r.Finished {
		n.finish(ctx, id)
	}
	for _, w := range r.Stable {
		n.writeStable(w)
	}
	for _, result := range r.Outcalls {
		n.finishOutcall(ctx, result)
	}
	for _, in := range r.Ingress {
		n.induct(in)
	}
	n.executeFirst(ctx)
	n.enqueueTasks()

	var waiting []message
	for executed := 0; len(s.Queue) > 0 && executed < roundMessages && s.Spent < roundBudget; {
		next := s.Queue[0]
		s.Queue = s.Queue[1:]
		if n.waits(next) || next.drawsRandomness() {
			waiting = append(waiting, next)
			continue
		}
		n.execute(ctx, next)
		executed++
	}
	if s.Queue = append(waiting, s.Queue...); len(s.Queue) == 0 {
		s.Queue = nil // let the array go
	}
	n.finishStopping()
	for _, c := range s.Order {
		c.InstallDebit -= min(c.InstallDebit, installRate)
	}
	s.Trace = n.trace.end()
	return n.takeChanges()
}

// enqueue adds a message to the end of the queue.
func (s *state) enqueue(m message) { s.Queue = append(s.Queue, m) }

// drawsRandomness reports whether a message asks for randomness: that of the round behind the one in which it was
// asked for, as on production, so that nobody who asks can know it.
func (m message) drawsRandomness() bool {
	return m.Receiver == principal.Management && m.Request != nil && m.Request.Method == "raw_rand"
}

// executeFirst executes the calls of the management canister that wait when the round begins: they come before all
// that canisters do.
func (n *Subnet) executeFirst(ctx context.Context) {
	s := &n.state
	waiting := s.Queue
	s.Queue = nil
	var others []message
	for _, m := range waiting {
		if m.Receiver == principal.Management && s.Spent < roundBudget && !n.waits(m) {
			n.execute(ctx, m)
		} else {
			others = append(others, m)
		}
	}
	s.Queue = append(others, s.Queue...)
}

// turn is what a canister may do next: canisters take turns between timer, heartbeat and messages.
type turn uint8

const (
	turnMessage turn = iota
	turnTimer
	turnHeartbeat
	turns
)

// enqueueTasks puts the heartbeats of this round and the timers that are due before all that waits: at most one
// for each canister, if it is its turn.
func (n *Subnet) enqueueTasks() {
	s := &n.state
	waits := make(map[principal.Principal]bool)
	for _, m := range s.Queue {
		waits[m.Receiver] = true
	}
	var tasks []message
	for _, c := range s.Order {
		if c.Status != running || c.module == nil || c.execution != nil {
			continue
		}
		if t := n.nextTask(c, waits[c.ID]); t != nil {
			tasks = append(tasks, message{Receiver: c.ID, Task: t})
		}
	}
	s.Queue = append(tasks, s.Queue...)
}

// nextTask is the task that it is a canister's turn for; nil if it is a message's turn or there is nothing to do.
func (n *Subnet) nextTask(c *canister, waits bool) *task {
	for range turns {
		current := c.Turn
		c.Turn = (c.Turn + 1) % turns
		switch {
		case current == turnTimer && c.GlobalTimer != 0 && c.GlobalTimer < n.state.Time: // as run on production: not in the round of that very time
			if !n.canRun(c) {
				continue // it fires when the canister can pay for it
			}
			c.GlobalTimer = 0
			if c.module.Has(exec.EntryTimer) {
				return &task{exec.Timer, exec.EntryTimer}
			}
		case current == turnHeartbeat && c.module.Has(exec.EntryHeartbeat):
			return &task{exec.Heartbeat, exec.EntryHeartbeat}
		case current == turnMessage && waits:
			return nil
		}
	}
	return nil
}

// canRun reports whether a canister can pay for a message in advance.
func (n *Subnet) canRun(c *canister) bool {
	return !n.liquid(c).Less(exec.ExecutionCost(exec.LimitUpdate))
}

// TimerDue reports whether a timer that was due by a time, in nanoseconds since 1970, waits for its canister's turn.
func (n *Subnet) TimerDue(by uint64) bool {
	return slices.ContainsFunc(n.state.Order, func(c *canister) bool {
		return c.Status == running && c.module != nil && c.execution == nil && c.GlobalTimer != 0 && c.GlobalTimer <= by && n.canRun(c)
	})
}

// HasHeartbeat reports whether a canister wants to run in every round.
func (n *Subnet) HasHeartbeat() bool {
	return slices.ContainsFunc(n.state.Order, func(c *canister) bool {
		return c.Status == running && c.module != nil && c.module.Has(exec.EntryHeartbeat)
	})
}

// random returns 32 bytes that depend on the round's seed and on nothing else.
func (s *state) random() []byte {
	s.Draws++
	var block [40]byte
	copy(block[:], s.Seed[:])
	binary.BigEndian.PutUint64(block[32:], s.Draws)
	sum := sha256.Sum256(block[:])
	return sum[:]
}

// execute runs one message.
func (n *Subnet) execute(ctx context.Context, m message) {
	if m.Receiver == principal.Management {
		n.executeManagement(ctx, m.Request)
		return
	}
	if m.Request != nil && n.builtin(m.Receiver) {
		n.executeBuiltin(m.Receiver, m.Request)
		return
	}
	c := n.state.Canisters[m.Receiver]
	switch {
	case m.Response != nil:
		if c != nil {
			n.executeResponse(ctx, c, m.Response)
		}
	case m.Task != nil:
		if c != nil {
			n.executeTask(ctx, c, m.Task)
		}
	case c == nil:
		err := NotFound(m.Receiver)
		if !n.state.Deleted[m.Receiver] {
			err = reject.New(reject.CanisterNotFound, "No route to canister %s", m.Receiver)
		}
		n.respond(m.Request.Origin, refused(err), m.Request.Cycles)
	default:
		n.executeRequest(ctx, c, m.Request)
	}
}

// NextEvent is when something is due next, in nanoseconds since 1970; zero if nothing is.
func (n *Subnet) NextEvent() uint64 {
	var first uint64
	note := func(at uint64) {
		if at != 0 && (first == 0 || at < first) {
			first = at
		}
	}
	for _, c := range n.state.Order {
		if c.Status == running && c.execution == nil && c.GlobalTimer != 0 && n.canRun(c) {
			note(c.GlobalTimer)
		}
		for _, call := range c.Callbacks {
			if !call.Expired {
				note(call.Deadline)
			}
		}
		for _, r := range c.StopRequests {
			note(r.Since + stopTimeout)
		}
	}
	return first
}
