package subnet

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/exec"
)

// checkpointFormat is raised when what checkpoints hold changes.
const checkpointFormat = 2

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

// Save writes the whole state. Load reads it again.
func (n *Subnet) Save(w io.Writer) error {
	s := savedState{Format: checkpointFormat, Pages: n.config.Pages, State: n.state}
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
	if err := gob.NewEncoder(w).Encode(&s); err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	return nil
}

// Load replaces the empty state of a new subnet by one that Save wrote. All of it counts as changed.
func (n *Subnet) Load(ctx context.Context, r io.Reader) (Changes, error) {
	var s savedState
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return Changes{}, fmt.Errorf("decode the checkpoint: %w", err)
	}
	if s.Format != checkpointFormat {
		return Changes{}, fmt.Errorf("the checkpoint has format %d, this version reads format %d: reset the network", s.Format, checkpointFormat)
	}
	empty := n.state
	n.state = s.State
	n.state.Canisters, n.state.Ingress, n.state.Deleted = empty.Canisters, empty.Ingress, empty.Deleted
	for _, id := range s.Deleted {
		n.state.Deleted[id] = true
	}
	for _, saved := range s.Ingress {
		n.state.Ingress[saved.ID] = saved.Entry
		n.touch(saved.ID)
	}
	for _, saved := range s.Canisters {
		if err := n.loadCanister(ctx, saved); err != nil {
			return Changes{}, fmt.Errorf("load canister %s: %w", saved.Canister.ID, err)
		}
	}
	for _, e := range n.state.Executions {
		if err := n.resume(ctx, e); err != nil {
			return Changes{}, fmt.Errorf("resume execution %d of canister %s: %w", e.ID, e.Canister, err)
		}
	}
	return n.takeChanges(), nil
}

func (n *Subnet) loadCanister(ctx context.Context, saved savedCanister) error {
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
	if c.instance, err = n.engine.Restore(ctx, c.module, saved.Image); err != nil {
		return err
	}
	c.measure()
	return nil
}
