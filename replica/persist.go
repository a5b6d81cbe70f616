package replica

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/internal/fileio"
	"kedge/replica/certified"
	"kedge/replica/exec"
	"kedge/replica/journal"
)

// How a network with a state directory survives. A round is executed, then written to the log, and only
// then is anything that it did told to anybody. So what was acknowledged is in the log; what is not in the
// log was never acknowledged. A network that starts loads the newest checkpoint and executes the rounds of
// the log again.

// record is what the log keeps of a round: the round, and the trace after it.
type record struct {
	Round Round
	Trace [32]byte
}

// Checkpoints are made when the log has grown by so much: a network that starts should not have to
// execute for long.
const (
	checkpointBytes  = 256 << 20
	checkpointRounds = 20_000
)

// stateDir is the state directory of a network.
type stateDir struct {
	dir    *journal.Dir
	rounds int // since the last checkpoint
}

// trace is a running hash of all that rounds did: the instructions and balance after each step, every
// answer. Executing a log again must give the same trace, or the state is not the one that was
// acknowledged.
type trace struct {
	hash hash.Hash
}

// begin starts the trace of a round from that of the round before.
func (t *trace) begin(before [32]byte) {
	t.hash = sha256.New()
	t.hash.Write(before[:])
}

// add adds to the trace. A hash cannot fail.
func (t *trace) add(parts ...any) {
	if t.hash != nil {
		_, _ = fmt.Fprintln(t.hash, parts...)
	}
}

// end returns the trace after the round.
func (t *trace) end() (sum [32]byte) {
	t.hash.Sum(sum[:0])
	t.hash = nil
	return sum
}

// commit executes a round, logs it, and tells the world. The caller holds the network's lock.
func (n *Network) commit(ctx context.Context, r Round) {
	n.apply(ctx, r)
	n.must(n.logRound(r))
	n.publish()
	if n.server != nil {
		n.snapshot(0)
	}
	n.startOutcalls()
}

// logRound writes a round that was executed to the log, if there is one.
func (n *Network) logRound(r Round) error {
	if n.journal == nil {
		return nil
	}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(record{r, n.state.Trace}); err != nil {
		return fmt.Errorf("encode round %d: %w", n.state.Height, err)
	}
	if err := n.journal.dir.Append(encoded.Bytes()); err != nil {
		return fmt.Errorf("round %d: %w", n.state.Height, err)
	}
	n.journal.rounds++
	if n.journal.rounds >= checkpointRounds || n.journal.dir.LogSize() >= checkpointBytes {
		return n.checkpoint()
	}
	return nil
}

// checkpoint writes the whole state and begins a new log.
func (n *Network) checkpoint() error {
	if err := n.journal.dir.Checkpoint(n.saveState); err != nil {
		return err
	}
	n.journal.rounds = 0
	return nil
}

// checkpointFormat is raised when what checkpoints hold changes.
const checkpointFormat = 1

// savedState is the content of a checkpoint.
type savedState struct {
	Format    int
	Pages     exec.PageModel
	State     state // without what follows
	Canisters []savedCanister
	Ingress   []savedIngress
	Deleted   []principal.Principal
}

type savedCanister struct {
	Canister *canister
	Image    *exec.Image // nil if it has no code
}

type savedIngress struct {
	ID    request.ID
	Entry *ingressEntry
}

func (n *Network) saveState(w io.Writer) error {
	s := savedState{Format: checkpointFormat, Pages: n.options.Pages, State: n.state}
	s.State.Canisters, s.State.Order, s.State.Ingress, s.State.Deleted = nil, nil, nil, nil
	for _, c := range n.state.Order {
		saved := savedCanister{Canister: c}
		if c.instance != nil {
			saved.Image = c.instance.Capture()
		}
		s.Canisters = append(s.Canisters, saved)
	}
	for _, e := range n.state.Expiry { // every entry is there once, in an order that is part of the state
		s.Ingress = append(s.Ingress, savedIngress{e.ID, n.state.Ingress[e.ID]})
	}
	for id := range n.state.Deleted {
		s.Deleted = append(s.Deleted, id)
	}
	return gob.NewEncoder(w).Encode(&s)
}

// loadState replaces the empty state by that of a checkpoint.
func (n *Network) loadState(ctx context.Context, content []byte) error {
	var s savedState
	if err := gob.NewDecoder(bytes.NewReader(content)).Decode(&s); err != nil {
		return fmt.Errorf("decode the checkpoint: %w", err)
	}
	if s.Format != checkpointFormat {
		return fmt.Errorf("the checkpoint has format %d, this version reads format %d: reset the network", s.Format, checkpointFormat)
	}
	empty := n.state
	n.state = s.State
	n.state.Canisters, n.state.Ingress, n.state.Deleted = empty.Canisters, empty.Ingress, empty.Deleted
	for _, id := range s.Deleted {
		n.state.Deleted[id] = true
	}
	for _, saved := range s.Ingress {
		saved.Entry.done = make(chan struct{})
		n.state.Ingress[saved.ID] = saved.Entry
		n.touch(saved.ID)
	}
	for _, saved := range s.Canisters {
		if err := n.loadCanister(ctx, saved); err != nil {
			return fmt.Errorf("load canister %s: %w", saved.Canister.ID, err)
		}
	}
	return nil
}

func (n *Network) loadCanister(ctx context.Context, saved savedCanister) error {
	c := saved.Canister
	if c.Contexts == nil {
		c.Contexts = make(map[uint64]*callContext)
	}
	if c.Callbacks == nil {
		c.Callbacks = make(map[uint64]*callback)
	}
	n.state.Canisters[c.ID] = c
	n.state.Order = append(n.state.Order, c)
	n.touchCanister(c.ID)
	if saved.Image == nil {
		return nil
	}
	var err error
	if c.module, err = n.acquireModule(ctx, c.CodeHash, c.Code); err != nil {
		return err
	}
	c.instance, err = n.engine.Restore(ctx, c.module, saved.Image)
	return err
}

// recoverState opens the state directory, loads what it holds and executes its log.
func (n *Network) recoverState(ctx context.Context) error {
	dir, found, err := journal.Open(n.options.StateDir, n.options.Sync)
	if err != nil {
		return err
	}
	n.journal = &stateDir{dir: dir, rounds: len(found.Records)}
	if found.Dropped > 0 {
		n.complain("%s: the log ended inside round %d, which was never acknowledged: dropped %d bytes",
			n.options.StateDir, len(found.Records), found.Dropped)
	}
	if found.Checkpoint != nil {
		if err := n.loadState(ctx, found.Checkpoint); err != nil {
			return err
		}
	}
	n.replaying = true
	defer func() { n.replaying = false }()
	for _, encoded := range found.Records {
		if err := n.replay(ctx, encoded); err != nil {
			return fmt.Errorf("%s: %w", n.options.StateDir, err)
		}
	}
	n.publish()
	return nil
}

// replay executes a round of the log again.
func (n *Network) replay(ctx context.Context, encoded []byte) error {
	var r record
	if err := gob.NewDecoder(bytes.NewReader(encoded)).Decode(&r); err != nil {
		return fmt.Errorf("decode round %d of the log: %w", n.state.Height+1, err)
	}
	n.apply(ctx, r.Round)
	if n.state.Trace != r.Trace {
		return fmt.Errorf("round %d of the log gave another result than when it was first executed: "+
			"the log was written by another version, or with another page model", n.state.Height)
	}
	return nil
}

// keys returns the network's keys: those of its state directory, or new ones.
func (n *Network) keys() (*certified.Keys, error) {
	if n.options.StateDir == "" {
		return certified.GenerateKeys(n.random)
	}
	path := filepath.Join(n.options.StateDir, "keys")
	raw, err := os.ReadFile(path)
	switch {
	case err == nil:
		keys, err := certified.ParseKeys(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return keys, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read the network's keys: %w", err)
	}
	keys, err := certified.GenerateKeys(n.random)
	if err != nil {
		return nil, err
	}
	return keys, writeKeys(path, keys.Bytes())
}

// writeKeys writes a file that is whole or not there.
func writeKeys(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	if err := fileio.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("write the network's keys: %w", err)
	}
	return nil
}

// closeJournal makes a last checkpoint, so that the next start has nothing to execute, and closes.
func (n *Network) closeJournal() error {
	if n.journal == nil {
		return nil
	}
	var err error
	if n.journal.rounds > 0 {
		err = n.checkpoint()
	}
	return errors.Join(err, n.journal.dir.Close())
}
