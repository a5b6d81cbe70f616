package subnet

import (
	"bytes"
	"slices"

	"kedge/ic/management"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// What the work of the management canister on snapshots costs, besides an instruction a byte.
const (
	snapshotInstructions = 2_000_000_000 // taking, loading, metadata
	transferInstructions = 5_000_000     // a piece that is read or uploaded
)

// maxSnapshots is the most snapshots of one canister.
const maxSnapshots = 10

// find returns the index of a snapshot, -1 if there is none.
func (c *canister) findSnapshot(id []byte) int {
	return slices.IndexFunc(c.Snapshots, func(s *snapshot) bool { return bytes.Equal(s.ID, id) })
}

func takeSnapshot(m *managementCall, c *canister, a management.TakeSnapshotArg) ([]byte, *reject.Error) {
	if err := m.mayKeepSnapshot(c, a.ReplaceSnapshot); err != nil {
		return nil, err
	}
	use := c.memory()
	size := use.heap + use.stable + use.globals + use.code + use.chunks + uint64(len(c.CertifiedData))
	uninstall := a.UninstallCode != nil && *a.UninstallCode
	change := change64{grow: size, shrink: c.replacedSize(a.ReplaceSnapshot)}
	if uninstall {
		change.shrink += use.heap + use.stable + use.globals + use.code + use.sections + use.chunks + use.logs
	}
	charged := c.Balance
	if err := m.chargeChange(c, change, snapshotInstructions+size, m.req.Caller); err != nil {
		return nil, err
	}
	if c.module == nil { // found out last, but not paid for
		c.Balance, c.Consumed.Instructions = charged, c.Consumed.Instructions.Minus(charged.Minus(c.Balance))
		return nil, reject.New(reject.CanisterRejectedMessage, "Failed to create snapshot for empty canister %s:", c.ID)
	}
	s := &snapshot{Taken: m.state.Time, Version: c.Version, Size: size, Code: c.Code,
		CodeHash: c.CodeHash, Image: c.instance.Capture(), CertifiedData: c.CertifiedData, Chunks: slices.Clone(c.Chunks),
		Timer: c.GlobalTimer, LowMemory: c.LowMemory}
	m.keepSnapshot(c, s, a.ReplaceSnapshot)
	if uninstall {
		m.uninstallFor(c, a.SenderCanisterVersion)
	}
	return management.EncodeTakeCanisterSnapshotResult(s.info()), nil
}

// replacedSize is the size of a snapshot that is to be replaced; zero if none is named.
func (c *canister) replacedSize(id []byte) uint64 {
	if at := c.findSnapshot(id); id != nil && at >= 0 {
		return c.Snapshots[at].Size
	}
	return 0
}

func (s *snapshot) info() management.SnapshotInfo {
	return management.SnapshotInfo{ID: s.ID, TakenAtTimestamp: s.Taken, TotalSize: s.Size}
}

func loadSnapshot(m *managementCall, c *canister, a management.LoadSnapshotArg) ([]byte, *reject.Error) {
	s, refusal := m.snapshotFor(c, a.SnapshotID)
	if refusal != nil {
		return nil, refusal
	}
	if prepaid := exec.ExecutionCost(exec.LimitInstall); m.liquid(c).Less(prepaid) {
		return nil, cannotManage(m.outOfCycles(c, prepaid, m.req.Caller).Message)
	}
	module, err := m.acquireModule(m.ctx, s.CodeHash, s.Code)
	if err != nil {
		m.charge(c, exec.ExecutionCost(exec.InvalidCost(s.Code)), &c.Consumed.Instructions)
		return nil, exec.InvalidWasm(c.ID, err)
	}
	// What compiling costs is paid whatever comes of the rest.
	m.charge(c, exec.ExecutionCost(module.CompileCost(m.state.Compiled[s.CodeHash])), &c.Consumed.Instructions)
	instance, refusal := m.restore(c, s, module)
	if refusal != nil {
		m.releaseModule(m.ctx, module)
		return nil, refusal
	}
	if c.instance != nil {
		m.must(c.instance.Close(m.ctx))
		m.releaseModule(m.ctx, c.module)
	}
	// The code of an uploaded snapshot may be changed later.
	c.module, c.instance, c.Code, c.CodeHash = module, instance, bytes.Clone(s.Code), s.CodeHash
	c.measure()
	c.CertifiedData, c.Chunks = s.CertifiedData, slices.Clone(s.Chunks)
	if s.Uploaded { // one that was taken leaves the timer alone
		c.GlobalTimer, c.LowMemory = s.Timer, s.LowMemory
	}
	c.Version++
	by := m.by(a.SenderCanisterVersion)
	by.Kind, by.Snapshot, by.SnapshotTaken, by.SnapshotOf = changeLoadSnapshot, s.ID, s.Taken, s.Version
	by.SnapshotUploaded = s.Uploaded
	m.record(c, by)
	m.touchCanister(c.ID)
	return emptyReply, nil
}

// restore makes the instance that a snapshot holds, and lets the canister pay for it.
func (m *managementCall) restore(c *canister, s *snapshot, module *exec.Module) (*exec.Instance, *reject.Error) {
	if s.Uploaded && module.CheckGlobals(s.GlobalTypes) != nil {
		return nil, invalid("Wasm exported globals of canister module and snapshot metadata do not match.")
	}
	instance, err := m.engine.Restore(m.ctx, module, s.Image)
	if err != nil {
		return nil, exec.InvalidWasm(c.ID, err)
	}
	loaded := *c
	loaded.Code, loaded.module, loaded.Chunks = s.Code, module, s.Chunks
	loaded.heapPages, loaded.stablePages = instance.HeapPages(), instance.StablePages()
	change := change64{grow: loaded.memory().total(), shrink: c.memory().total()}
	if refusal := m.chargeChange(c, change, snapshotInstructions+s.Size, m.req.Caller); refusal != nil {
		m.must(instance.Close(m.ctx))
		return nil, refusal
	}
	return instance, nil
}

// snapshotFor finds a snapshot that a caller wants to load in a canister: the canister's own, or one of another
// canister that the caller controls, too. The id of a snapshot names its canister.
func (m *managementCall) snapshotFor(c *canister, id []byte) (*snapshot, *reject.Error) {
	owner, ok := snapshotOwner(id)
	if !ok {
		return nil, noSnapshot(c.ID, id)
	}
	other := m.state.Canisters[owner]
	if other == nil {
		return nil, noSnapshot(owner, id)
	}
	at := other.findSnapshot(id)
	switch {
	case at < 0:
		return nil, noSnapshot(owner, id)
	case other != c && !other.isController(m.req.Caller):
		return nil, notSnapshotsController(c, id, m.req.Caller)
	}
	return other.Snapshots[at], nil
}

func listSnapshots(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	list := make([]management.SnapshotInfo, 0, len(c.Snapshots))
	for _, s := range c.Snapshots {
		list = append(list, s.info())
	}
	return management.EncodeListCanisterSnapshotsResult(list), nil
}

func deleteSnapshot(m *managementCall, c *canister, a management.SnapshotArg) ([]byte, *reject.Error) {
	at := c.findSnapshot(a.SnapshotID)
	if at < 0 {
		return nil, noSnapshot(c.ID, a.SnapshotID)
	}
	if err := m.checkChange(c, change64{shrink: c.Snapshots[at].Size}); err != nil {
		return nil, err
	}
	c.Snapshots = slices.Delete(c.Snapshots, at, at+1)
	return emptyReply, nil
}
