package subnet

import (
	"kedge/ic/management"
	"kedge/replica/cycles"
	"kedge/replica/reject"
	"kedge/replica/subnet/reply"
)

// runStates are the running states in Candid, whose cases are ordered by the hashes of their names.
var runStates = map[status]reply.RunState{
	running: reply.RunStateRunning, stopping: reply.RunStateStopping, stopped: reply.RunStateStopped,
}

// deployments are the kinds of installations in Candid.
var deployments = map[changeKind]management.DeploymentMode{
	changeInstall: management.DeploymentModeInstall, changeReinstall: management.DeploymentModeReinstall,
	changeUpgrade: management.DeploymentModeUpgrade,
}

func canisterStatus(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	use := c.memory()
	s := reply.Status{
		Controller:        c.Settings.firstController(),
		Balance:           []reply.StatusBalance{{F0: []byte{0}, F1: c.Balance.Big()}},
		FreezingThreshold: nat(c.Settings.FreezingThreshold),
		Status:            runStates[c.Status],
		ReadyForMigration: c.Status == stopped,
		Version:           c.Version,
		Settings:          c.Settings.encode(),
		ModuleHash:        c.moduleHash(),
		MemorySize:        nat(use.total()),
		MemoryMetrics: reply.MemoryMetrics{
			WasmMemorySize: nat(use.heap), StableMemorySize: nat(use.stable), GlobalMemorySize: nat(use.globals),
			WasmBinarySize: nat(use.code), CustomSectionsSize: nat(use.sections), CanisterHistorySize: nat(use.history),
			WasmChunkStoreSize: nat(use.chunks), SnapshotsSize: nat(use.snapshots), LogMemoryStoreSize: nat(use.logs),
		},
		Cycles:                 c.Balance.Big(),
		ReservedCycles:         cycles.Amount{}.Big(),
		IdleCyclesBurnedPerDay: m.rates(c, use.total()).total().Big(),
		QueryStats: reply.QueryStats{NumCallsTotal: nat(0), NumInstructionsTotal: nat(0),
			RequestPayloadBytesTotal: nat(0), ResponsePayloadBytesTotal: nat(0)},
	}
	return reply.EncodeCanisterStatusResult(s), nil
}

// moduleHash is the hash of the code as uploaded; nil if there is none.
func (c *canister) moduleHash() []byte {
	if c.module == nil {
		return nil
	}
	return c.CodeHash[:]
}

func canisterMetrics(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	used := c.Consumed
	return management.EncodeCanisterMetricsResult(management.Metrics{CyclesConsumed: management.CyclesConsumed{
		Memory: used.Memory.Big(), ComputeAllocation: used.Compute.Big(), IngressInduction: used.Ingress.Big(),
		Instructions: used.Instructions.Big(), RequestAndResponseTransmission: used.Transmission.Big(),
		Uninstall: used.Uninstalled.Big(), CanisterCreation: used.Creation.Big(), HttpOutcalls: used.Outcalls.Big(), BurnedCycles: used.Burned.Big(),
	}}), nil
}

func canisterInfo(_ *managementCall, c *canister, a management.InfoArg) ([]byte, *reject.Error) {
	info := management.Info{TotalNumChanges: c.ChangeCount, ModuleHash: c.moduleHash(), Controllers: c.Settings.Controllers}
	if a.NumRequestedChanges != nil {
		first := len(c.History) - int(min(*a.NumRequestedChanges, uint64(len(c.History))))
		for _, entry := range c.History[first:] {
			info.RecentChanges = append(info.RecentChanges, entry.encode())
		}
	}
	return management.EncodeCanisterInfoResult(info), nil
}

// encode gives an entry of the history its Candid form.
func (e change) encode() management.Change {
	out := management.Change{TimestampNanos: e.Time, CanisterVersion: e.Version}
	if e.FromCanister {
		out.Origin = management.Origin{Tag: management.OriginTagFromCanister, FromCanister: management.OriginFromCanister{CanisterID: e.User}}
		if e.HasVersion {
			out.Origin.FromCanister.CanisterVersion = &e.CallerVersion
		}
	} else {
		out.Origin = management.Origin{Tag: management.OriginTagFromUser, FromUser: management.OriginFromUser{UserID: e.User}}
	}
	switch e.Kind {
	case changeCreation:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagCreation,
			Creation: management.ChangeDetailsCreation{Controllers: e.Controllers, EnvironmentVariablesHash: e.Environment}}
	case changeUninstall:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagCodeUninstall}
	case changeControllers:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagControllersChange,
			ControllersChange: management.ChangeDetailsControllersChange{Controllers: e.Controllers}}
	case changeLoadSnapshot:
		source := management.SnapshotSourceTagTakenFromCanister
		if e.SnapshotUploaded {
			source = management.SnapshotSourceTagMetadataUpload
		}
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagLoadSnapshot,
			LoadSnapshot: management.ChangeDetailsLoadSnapshot{SnapshotID: e.Snapshot, CanisterVersion: e.SnapshotOf, TakenAtTimestamp: e.SnapshotTaken,
				Source: management.SnapshotSource{Tag: source}}}
	default:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagCodeDeployment,
			CodeDeployment: management.ChangeDetailsCodeDeployment{
				Mode: deployments[e.Kind], ModuleHash: e.ModuleHash[:]}}
	}
	return out
}

func canisterMetadata(m *managementCall, c *canister, a management.MetadataArg) ([]byte, *reject.Error) {
	if c.module == nil {
		return nil, reject.New(reject.CanisterRejectedMessage, "The canister %s has no Wasm module and hence no metadata is available.", c.ID)
	}
	section, ok := c.module.Section(a.Name)
	if !ok || !section.Public && !c.isController(m.req.Caller) {
		return nil, reject.New(reject.CanisterRejectedMessage, "The canister %s has no metadata section with the name %s.", c.ID, a.Name)
	}
	return management.EncodeCanisterMetadataResult(management.Metadata{Value: section.Data}), nil
}

func fetchLogs(_ *managementCall, c *canister, a management.LogsArg) ([]byte, *reject.Error) {
	var out management.Logs
	for _, entry := range c.Logs.Entries {
		if f := a.Filter; f != nil {
			value, within := entry.Index, f.ByIdx
			if f.Tag == management.LogFilterTagByTimestampNanos {
				value, within = entry.Time, f.ByTimestampNanos
			}
			if value < within.Start || value >= within.End {
				continue
			}
		}
		out.CanisterLogRecords = append(out.CanisterLogRecords,
			management.LogRecord{Idx: entry.Index, TimestampNanos: entry.Time, Content: entry.Content})
	}
	return management.EncodeFetchCanisterLogsResult(out), nil
}
