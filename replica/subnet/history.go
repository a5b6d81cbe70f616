package subnet

import (
	"kedge/ic/principal"
)

// change is an entry of a canister's history.
type change struct {
	Time          uint64
	Version       uint64
	User          principal.Principal // who did it, if fromCanister is false
	FromCanister  bool
	CallerVersion uint64 // of the canister that did it, if it said
	HasVersion    bool
	Kind          changeKind
	Controllers   []principal.Principal
	ModuleHash    [32]byte
	Environment   []byte // hash of the environment variables; nil if there are none
	Snapshot      []byte // id
	SnapshotTaken uint64
	SnapshotOf    uint64 // version of the canister in the snapshot

	SnapshotUploaded bool
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
func (n *Subnet) record(c *canister, entry change) {
	entry.Time, entry.Version = n.state.Time, c.Version
	c.ChangeCount++
	c.History = append(c.History, entry)
	if len(c.History) > maxHistory {
		c.History = c.History[len(c.History)-maxHistory:]
	}
}
