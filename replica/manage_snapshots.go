package replica

import (
	"bytes"
	"encoding/binary"
	"slices"

	"kedge/replica/exec"
	"kedge/replica/management"
	"kedge/replica/reject"
)

// maxSnapshots is the most snapshots of one canister.
const maxSnapshots = 10

// find returns the index of a snapshot, -1 if there is none.
func (c *canister) findSnapshot(id []byte) int {
	return slices.IndexFunc(c.snapshots, func(s *snapshot) bool { return bytes.Equal(s.id, id) })
}

func noSnapshot(c *canister, id []byte) *reject.Error {
	return reject.New(reject.SnapshotNotFound, "Could not find the snapshot ID %x for canister %s.", id, c.id)
}

func takeSnapshot(m *managementCall, c *canister, a management.TakeSnapshotArg) ([]byte, *reject.Error) {
	if c.module == nil {
		return nil, exec.WasmModuleNotFound(c.id)
	}
	replace := -1
	if a.ReplaceSnapshot != nil {
		if replace = c.findSnapshot(a.ReplaceSnapshot); replace < 0 {
			return nil, noSnapshot(c, a.ReplaceSnapshot)
		}
	} else if len(c.snapshots) >= maxSnapshots {
		return nil, invalid("Canister %s has reached the maximum number of snapshots allowed: %d.", c.id, maxSnapshots)
	}
	s := &snapshot{id: binary.BigEndian.AppendUint64(nil, c.nextShot), taken: m.state.time, version: c.version, code: c.code,
		codeHash: c.codeHash, image: c.instance.Capture(), certifiedData: c.certifiedData, chunks: slices.Clone(c.chunks)}
	s.id = append(s.id, c.id.Bytes()...)
	use := c.memory()
	s.size = use.heap + use.stable + use.globals + use.code + use.chunks
	c.nextShot++
	if replace >= 0 {
		c.snapshots = slices.Delete(c.snapshots, replace, replace+1)
	}
	c.snapshots = append(c.snapshots, s)
	if a.UninstallCode != nil && *a.UninstallCode {
		m.uninstall(m.ctx, c, m.by(a.SenderCanisterVersion))
	}
	return management.EncodeTakeCanisterSnapshotResult(s.info()), nil
}

func (s *snapshot) info() management.SnapshotInfo {
	return management.SnapshotInfo{ID: s.id, TakenAtTimestamp: s.taken, TotalSize: s.size}
}

func loadSnapshot(m *managementCall, c *canister, a management.LoadSnapshotArg) ([]byte, *reject.Error) {
	at := c.findSnapshot(a.SnapshotID)
	if at < 0 {
		return nil, noSnapshot(c, a.SnapshotID)
	}
	s := c.snapshots[at]
	module, err := m.acquireModule(m.ctx, s.codeHash, s.code)
	if err != nil {
		return nil, exec.InvalidWasm(c.id, err)
	}
	instance, err := m.engine.Restore(m.ctx, module, s.image)
	if err != nil {
		m.releaseModule(m.ctx, module)
		return nil, exec.InvalidWasm(c.id, err)
	}
	if c.instance != nil {
		m.must(c.instance.Close(m.ctx))
		m.releaseModule(m.ctx, c.module)
	}
	c.module, c.instance, c.code, c.codeHash = module, instance, s.code, s.codeHash
	c.certifiedData, c.chunks, c.globalTimer = s.certifiedData, slices.Clone(s.chunks), 0
	c.version++
	by := m.by(a.SenderCanisterVersion)
	by.kind, by.snapshot, by.snapshotTaken, by.snapshotOf = changeLoadSnapshot, s.id, s.taken, s.version
	m.record(c, by)
	m.touchCanister(c.id)
	return emptyReply, nil
}

func listSnapshots(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	list := make([]management.SnapshotInfo, 0, len(c.snapshots))
	for _, s := range c.snapshots {
		list = append(list, s.info())
	}
	return management.EncodeListCanisterSnapshotsResult(list), nil
}

func deleteSnapshot(_ *managementCall, c *canister, a management.SnapshotArg) ([]byte, *reject.Error) {
	at := c.findSnapshot(a.SnapshotID)
	if at < 0 {
		return nil, noSnapshot(c, a.SnapshotID)
	}
	c.snapshots = slices.Delete(c.snapshots, at, at+1)
	return emptyReply, nil
}
