package replica

import (
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/management"
	"kedge/replica/reject"
)

// runStates are the running states in Candid, whose cases are ordered by the hashes of their names.
var runStates = map[status]management.RunState{
	running: management.RunStateRunning, stopping: management.RunStateStopping, stopped: management.RunStateStopped,
}

// deployments are the kinds of installations in Candid.
var deployments = map[changeKind]management.DeploymentMode{
	changeInstall: management.DeploymentModeInstall, changeReinstall: management.DeploymentModeReinstall,
	changeUpgrade: management.DeploymentModeUpgrade,
}

// daySeconds is the number of seconds of a day.
const daySeconds = 24 * 60 * 60

func canisterStatus(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	use := c.memory()
	s := management.Status{
		Status:            runStates[c.status],
		ReadyForMigration: c.status == stopped,
		Version:           c.version,
		Settings:          c.settings.encode(),
		ModuleHash:        c.moduleHash(),
		MemorySize:        nat(use.total()),
		MemoryMetrics: management.MemoryMetrics{
			WasmMemorySize: nat(use.heap), StableMemorySize: nat(use.stable), GlobalMemorySize: nat(use.globals),
			WasmBinarySize: nat(use.code), CustomSectionsSize: nat(use.sections), CanisterHistorySize: nat(use.history),
			WasmChunkStoreSize: nat(use.chunks), SnapshotsSize: nat(use.snapshots), LogMemoryStoreSize: nat(use.logs),
		},
		Cycles:                 c.balance.Big(),
		ReservedCycles:         cycles.Amount{}.Big(),
		IdleCyclesBurnedPerDay: c.burnPerSecond().Times(daySeconds).Big(),
		QueryStats: management.QueryStats{NumCallsTotal: nat(0), NumInstructionsTotal: nat(0),
			RequestPayloadBytesTotal: nat(0), ResponsePayloadBytesTotal: nat(0)},
	}
	return management.EncodeCanisterStatusResult(s), nil
}

// moduleHash is the hash of the code as uploaded; nil if there is none.
func (c *canister) moduleHash() []byte {
	if c.module == nil {
		return nil
	}
	return c.codeHash[:]
}

func canisterMetrics(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	used := c.consumed
	return management.EncodeCanisterMetricsResult(management.Metrics{CyclesConsumed: management.CyclesConsumed{
		Memory: used.memory.Big(), ComputeAllocation: used.compute.Big(), IngressInduction: used.ingress.Big(),
		Instructions: used.instructions.Big(), RequestAndResponseTransmission: used.transmission.Big(),
		Uninstall: nat(0), CanisterCreation: used.creation.Big(), HttpOutcalls: nat(0), BurnedCycles: used.burned.Big(),
	}}), nil
}

func canisterInfo(_ *managementCall, c *canister, a management.InfoArg) ([]byte, *reject.Error) {
	info := management.Info{TotalNumChanges: c.changeCount, ModuleHash: c.moduleHash(), Controllers: c.settings.controllers}
	if a.NumRequestedChanges != nil {
		first := len(c.history) - int(min(*a.NumRequestedChanges, uint64(len(c.history))))
		for _, entry := range c.history[first:] {
			info.RecentChanges = append(info.RecentChanges, entry.encode())
		}
	}
	return management.EncodeCanisterInfoResult(info), nil
}

// encode gives an entry of the history its Candid form.
func (e change) encode() management.Change {
	out := management.Change{TimestampNanos: e.time, CanisterVersion: e.version}
	if e.fromCanister {
		out.Origin = management.Origin{Tag: management.OriginTagFromCanister, FromCanister: management.OriginFromCanister{CanisterID: e.user}}
		if e.hasVersion {
			out.Origin.FromCanister.CanisterVersion = &e.callerVersion
		}
	} else {
		out.Origin = management.Origin{Tag: management.OriginTagFromUser, FromUser: management.OriginFromUser{UserID: e.user}}
	}
	switch e.kind {
	case changeCreation:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagCreation,
			Creation: management.ChangeDetailsCreation{Controllers: e.controllers, EnvironmentVariablesHash: e.environment}}
	case changeUninstall:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagCodeUninstall}
	case changeControllers:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagControllersChange,
			ControllersChange: management.ChangeDetailsControllersChange{Controllers: e.controllers}}
	case changeLoadSnapshot:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagLoadSnapshot,
			LoadSnapshot: management.ChangeDetailsLoadSnapshot{SnapshotID: e.snapshot, CanisterVersion: e.snapshotOf, TakenAtTimestamp: e.snapshotTaken,
				Source: management.ChangeDetailsLoadSnapshotSource{Tag: management.ChangeDetailsLoadSnapshotSourceTagTakenFromCanister}}}
	default:
		out.Details = management.ChangeDetails{Tag: management.ChangeDetailsTagCodeDeployment,
			CodeDeployment: management.ChangeDetailsCodeDeployment{
				Mode: deployments[e.kind], ModuleHash: e.moduleHash[:]}}
	}
	return out
}

func canisterMetadata(m *managementCall, c *canister, a management.MetadataArg) ([]byte, *reject.Error) {
	if c.module == nil {
		return nil, exec.WasmModuleNotFound(c.id)
	}
	section, ok := c.module.Section(a.Name)
	if !ok || !section.Public && !c.isController(m.req.caller) {
		return nil, reject.New(reject.CanisterRejectedMessage, "The canister %s has no metadata section with the name %s.", c.id, a.Name)
	}
	return management.EncodeCanisterMetadataResult(management.Metadata{Value: section.Data}), nil
}

func fetchLogs(_ *managementCall, c *canister, a management.LogsArg) ([]byte, *reject.Error) {
	var out management.Logs
	for _, entry := range c.logs.entries {
		if f := a.Filter; f != nil {
			value, within := entry.index, f.ByIdx
			if f.Tag == management.LogFilterTagByTimestampNanos {
				value, within = entry.time, f.ByTimestampNanos
			}
			if value < within.Start || value >= within.End {
				continue
			}
		}
		out.CanisterLogRecords = append(out.CanisterLogRecords,
			management.LogRecord{Idx: entry.index, TimestampNanos: entry.time, Content: entry.content})
	}
	return management.EncodeFetchCanisterLogsResult(out), nil
}
