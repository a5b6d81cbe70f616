package subnet

import (
	"bytes"
	"slices"

	"kedge/ic/management"
	"kedge/replica/cycles"
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
	if c.module == nil {
		return nil, reject.New(reject.CanisterRejectedMessage, "Failed to create snapshot for empty canister %s:", c.ID)
	}
	s := &snapshot{Taken: m.state.Time, Version: c.Version, Code: c.Code,
		CodeHash: c.CodeHash, Image: c.instance.Capture(), CertifiedData: c.CertifiedData, Chunks: slices.Clone(c.Chunks),
		Timer: c.GlobalTimer, LowMemory: c.LowMemory}
	use := c.memory()
	s.Size = use.heap + use.stable + use.globals + use.code + use.chunks
	if err := m.mayKeepSnapshot(c, a.ReplaceSnapshot); err != nil {
		return nil, err
	}
	if err := m.checkGrowth(c, s.Size); err != nil {
		return nil, err
	}
	if err := m.chargeInstructions(c, snapshotInstructions+s.Size, m.req.Caller); err != nil {
		return nil, err
	}
	m.keepSnapshot(c, s, a.ReplaceSnapshot)
	if a.UninstallCode != nil && *a.UninstallCode {
		m.uninstall(m.ctx, c, m.by(a.SenderCanisterVersion))
	}
	return management.EncodeTakeCanisterSnapshotResult(s.info()), nil
}

func (s *snapshot) info() management.SnapshotInfo {
	return management.SnapshotInfo{ID: s.ID, TakenAtTimestamp: s.Taken, TotalSize: s.Size}
}

func loadSnapshot(m *managementCall, c *canister, a management.LoadSnapshotArg) ([]byte, *reject.Error) {
	s, refusal := m.snapshotFor(c, a.SnapshotID)
	if refusal != nil {
		return nil, refusal
	}
	module, err := m.acquireModule(m.ctx, s.CodeHash, s.Code)
	if err != nil {
		return nil, exec.InvalidWasm(c.ID, err)
	}
	compile := module.CompileCost(m.state.Compiled[s.CodeHash])
	if err := m.chargeLoading(c, exec.ExecutionCost(snapshotInstructions+s.Size+compile)); err != nil {
		m.releaseModule(m.ctx, module)
		return nil, err
	}
	if s.Uploaded {
		if err := module.CheckGlobals(s.GlobalTypes); err != nil {
			m.releaseModule(m.ctx, module)
			return nil, invalid("The snapshot's globals do not fit its module: %s", err)
		}
	}
	instance, err := m.engine.Restore(m.ctx, module, s.Image)
	if err != nil {
		m.releaseModule(m.ctx, module)
		return nil, exec.InvalidWasm(c.ID, err)
	}
	if c.instance != nil {
		m.must(c.instance.Close(m.ctx))
		m.releaseModule(m.ctx, c.module)
	}
	// The code of an uploaded snapshot may be changed later.
	c.module, c.instance, c.Code, c.CodeHash = module, instance, bytes.Clone(s.Code), s.CodeHash
	c.measure()
	c.CertifiedData, c.Chunks, c.GlobalTimer = s.CertifiedData, slices.Clone(s.Chunks), 0
	if s.Uploaded {
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

// snapshotFor finds a snapshot that a caller wants to load in a canister: the canister's own, or one of another
// canister that the caller controls, too.
func (m *managementCall) snapshotFor(c *canister, id []byte) (*snapshot, *reject.Error) {
	if at := c.findSnapshot(id); at >= 0 {
		return c.Snapshots[at], nil
	}
	for _, other := range m.state.Order {
		at := other.findSnapshot(id)
		switch {
		case at < 0:
		case other.isController(m.req.Caller):
			return other.Snapshots[at], nil
		default:
			return nil, advised(reject.New(reject.CanisterRejectedMessage, "The snapshot %s does not belong to canister %s.", snapshotName(id), c.ID),
				"Use the `list_canister_snapshot` API to see which snapshots are present.", "canister-snapshot-invalid-ownership")
		}
	}
	return nil, noSnapshot(c, id)
}

// chargeLoading makes a canister pay for the snapshot that is loaded in it.
func (m *managementCall) chargeLoading(c *canister, cost cycles.Amount) *reject.Error {
	if m.liquid(c).Less(cost) {
		err := m.outOfCycles(c, cost, m.req.Caller)
		return advised(reject.New(reject.OutOfCycles, "Canister snapshotting failed with: `%s`", err.Message),
			"Try sending more cycles with the request.", "canister-snapshot-not-enough-cycles")
	}
	m.charge(c, cost, &c.Consumed.Instructions)
	return nil
}

func listSnapshots(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	list := make([]management.SnapshotInfo, 0, len(c.Snapshots))
	for _, s := range c.Snapshots {
		list = append(list, s.info())
	}
	return management.EncodeListCanisterSnapshotsResult(list), nil
}

func deleteSnapshot(_ *managementCall, c *canister, a management.SnapshotArg) ([]byte, *reject.Error) {
	at := c.findSnapshot(a.SnapshotID)
	if at < 0 {
		return nil, noSnapshot(c, a.SnapshotID)
	}
	c.Snapshots = slices.Delete(c.Snapshots, at, at+1)
	return emptyReply, nil
}
