package replica

import (
	"kedge/ic/principal"
)

// change is an entry of a canister's history.
type change struct {
	time          uint64
	version       uint64
	user          principal.Principal // who did it, if fromCanister is false
	fromCanister  bool
	callerVersion uint64 // of the canister that did it, if it said
	hasVersion    bool
	kind          changeKind
	controllers   []principal.Principal
	moduleHash    [32]byte
	environment   []byte // hash of the environment variables; nil if there are none
	snapshot      []byte // id
	snapshotTaken uint64
	snapshotOf    uint64 // version of the canister in the snapshot
}

type changeKind uint8

const (
	changeCreation changeKind = iota
	changeUninstall
	changeInstall
	changeReinstall
	changeUpgrade
	changeLoadSnapshot
	changeControllers
)

// maxHistory is how many entries a history keeps.
const maxHistory = 20

// record adds an entry to the history of a canister, after its version was raised.
func (n *Network) record(c *canister, entry change) {
	entry.time, entry.version = n.state.time, c.version
	c.changeCount++
	c.history = append(c.history, entry)
	if len(c.history) > maxHistory {
		c.history = c.history[len(c.history)-maxHistory:]
	}
}

// changeBySystem is the origin of what the network does by itself, in the name of the canister.
func changeBySystem(c *canister) change {
	return change{user: c.id, fromCanister: true}
}
