package subnet

import (
	"errors"
	"fmt"

	"kedge/ic/principal"
	"kedge/replica/exec"
)

// What Go programs read and write of a canister other than its methods.

// errEmpty is what operations on the memory of a canister without code fail with.
var errEmpty = errors.New("the canister has no code, so it has no stable memory")

// errExecuting is what operations on the memory of a canister fail with while it executes a long message.
var errExecuting = errors.New("the canister is executing a long message")

// Exists reports whether there is a canister with the id; the built-in ones are none.
func (n *Subnet) Exists(canister principal.Principal) bool { return n.state.Canisters[canister] != nil }

// Logs returns the log of a canister, oldest entry first.
func (n *Subnet) Logs(canister principal.Principal) ([]exec.Log, error) {
	c := n.state.Canisters[canister]
	if c == nil {
		return nil, NotFound(canister)
	}
	var out []exec.Log
	for _, entry := range c.Logs.Entries {
		out = append(out, exec.Log{Time: entry.Time, Content: entry.Content})
	}
	return out, nil
}

// StableMemory returns a copy of a canister's stable memory. Its length is a multiple of 64 KiB.
func (n *Subnet) StableMemory(canister principal.Principal) ([]byte, error) {
	c, err := n.withCode(canister)
	if err != nil {
		return nil, err
	}
	defer n.config.Exclusive(c.ID)()
	return c.instance.Stable().Bytes(), nil
}

// CheckStableWrite returns why a round could not replace a canister's stable memory by so many bytes.
func (n *Subnet) CheckStableWrite(canister principal.Principal, size int) error {
	if _, err := n.withCode(canister); err != nil {
		return err
	}
	if n.Executing(canister) {
		return errExecuting
	}
	if size > exec.MaxStablePages*exec.WasmPage {
		return fmt.Errorf("%d bytes are more than stable memory can hold", size)
	}
	return nil
}

// withCode finds a canister that has code.
func (n *Subnet) withCode(id principal.Principal) (*canister, error) {
	c := n.state.Canisters[id]
	switch {
	case c == nil:
		return nil, NotFound(id)
	case c.module == nil:
		return nil, errEmpty
	}
	return c, nil
}

// writeStable replaces the stable memory of a canister that has one.
func (n *Subnet) writeStable(w StableWrite) {
	c := n.state.Canisters[w.Canister]
	if c == nil || c.module == nil {
		return
	}
	stable := exec.NewStable()
	stable.Grow((uint64(len(w.Content)) + exec.WasmPage - 1) / exec.WasmPage)
	stable.WriteAt(w.Content, 0)
	c.instance.SetStable(stable)
	c.measure()
}
