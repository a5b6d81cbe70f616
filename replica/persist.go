package replica

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kedge/internal/fileio"
	"kedge/replica/certified"
	"kedge/replica/journal"
	"kedge/replica/subnet"
)

// How a network with a state directory survives. A round is executed, then written to the log, and only
// then is anything that it did told to anybody. So what was acknowledged is in the log; what is not in the
// log was never acknowledged. A network that starts loads the newest checkpoint and executes the rounds of
// the log again.

// record is what the log keeps of a round: the round, and the trace after it.
type record struct {
	Round subnet.Round
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

// commit executes a round, logs it, and tells the world. The caller holds the network's lock.
func (n *Network) commit(ctx context.Context, r subnet.Round) {
	if n.failure != nil {
		return // what it would do could not be kept
	}
	changed := n.subnet.Apply(ctx, r)
	if err := n.logRound(r); err != nil {
		n.fail(err)
		return
	}
	n.clock.follow(n.subnet.Time())
	n.publish(changed)
	n.print(changed.Outputs)
	if n.server != nil {
		n.snapshot(0)
	}
	n.startOutcalls(changed.Outcalls)
}

// fail ends the network because a round could not be kept: nobody is told of it, so nothing that was acknowledged is
// lost. The caller holds the network's lock.
func (n *Network) fail(err error) {
	n.failure = fmt.Errorf("the state could not be written to %s, so the network ends: %w; "+
		"everything that it acknowledged is kept: make room and start it again", n.options.StateDir, err)
	n.complain("%v", n.failure)
	n.failed <- n.failure
	n.cancel()
	if n.server != nil {
		go func() { _ = n.server.Close() }()
	}
}

// Failed brings the error that ends a network by itself: its state cannot be written any more. Close is still to be
// called.
func (n *Network) Failed() <-chan error { return n.failed }

// logRound writes a round that was executed to the log, if there is one.
func (n *Network) logRound(r subnet.Round) error {
	if n.journal == nil {
		return nil
	}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(record{r, n.subnet.Trace()}); err != nil {
		return fmt.Errorf("encode round %d: %w", n.subnet.Height(), err)
	}
	if err := n.journal.dir.Append(encoded.Bytes()); err != nil {
		return fmt.Errorf("round %d: %w", n.subnet.Height(), err)
	}
	n.journal.rounds++
	if n.journal.rounds >= checkpointRounds || n.journal.dir.LogSize() >= checkpointBytes {
		return n.checkpoint()
	}
	return nil
}

// checkpoint writes the whole state and begins a new log.
func (n *Network) checkpoint() error {
	if err := n.journal.dir.Checkpoint(n.subnet.Save); err != nil {
		return err
	}
	n.journal.rounds = 0
	return nil
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
		changed, err := n.subnet.Load(ctx, bytes.NewReader(found.Checkpoint))
		if err != nil {
			return err
		}
		n.publish(changed)
	}
	for _, encoded := range found.Records {
		if err := n.replay(ctx, encoded); err != nil {
			return fmt.Errorf("%s: %w", n.options.StateDir, err)
		}
	}
	return nil
}

// replay executes a round of the log again.
func (n *Network) replay(ctx context.Context, encoded []byte) error {
	var r record
	if err := gob.NewDecoder(bytes.NewReader(encoded)).Decode(&r); err != nil {
		return fmt.Errorf("decode round %d of the log: %w", n.subnet.Height()+1, err)
	}
	changed := n.subnet.Apply(ctx, r.Round)
	if n.subnet.Trace() != r.Trace {
		return fmt.Errorf("round %d of the log gave another result than when it was first executed: "+
			"the log was written by another version, or with another page model; start the network once with that version and "+
			"end it (kedge network stop): then all of it is in a checkpoint, which later versions read", n.subnet.Height())
	}
	n.publish(changed) // but what was printed then is not printed again
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
	if n.journal.rounds > 0 && n.failure == nil {
		err = n.checkpoint()
	}
	return errors.Join(err, n.journal.dir.Close())
}
