package model

import (
	"fmt"

	"kedge/canister/storage"
)

// upgrader keeps one anchor in a stable memory, as the canister does.
type upgrader struct {
	memory *storage.RAM
	number uint64
}

func newUpgrader() (*upgrader, error) {
	u := &upgrader{memory: storage.NewRAM(1 << 12)}
	store, err := storage.Create(u.memory, storage.Config{Lo: 10000, Hi: 10001})
	if err != nil {
		return nil, err
	}
	if u.number, err = store.Allocate(); err != nil {
		return nil, err
	}
	first := state{}
	first.dev[0].on = true
	a := new(arena).build(&first, 0)
	a.Number = u.number
	return u, store.Write(a)
}

// upgrade is the message by which a controller changes the module: the anchor is written, everything
// but stable memory is forgotten, and another module reads it. It must be the same anchor.
func (u *upgrader) upgrade(s *state, r *arena) error {
	a := r.build(s, 2)
	a.Number = u.number
	before, err := storage.Open(u.memory)
	if err != nil {
		return err
	}
	if err := before.Write(a); err != nil {
		return fmt.Errorf("upgrade: write: %w", err)
	}
	after, err := storage.Open(u.memory)
	if err != nil {
		return err
	}
	kept, err := after.Read(u.number)
	if err != nil {
		return fmt.Errorf("upgrade: read: %w", err)
	}
	if got := view(kept, callOf(message{action: read, who: stranger})); got != *s {
		return fmt.Errorf("upgrade: the anchor changed to %+v", got)
	}
	return nil
}
