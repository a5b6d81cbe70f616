package client

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/management/tolerant"
	"kedge/ic/principal"
)

// A status is read as production writes it, and as networks wrote it that had fewer fields.
func TestStatusOfNetworksOfAllAges(t *testing.T) {
	big1, big2 := big.NewInt(1), big.NewInt(2)
	full := management.Status{
		Status: management.RunStateStopped, Version: 7, ModuleHash: []byte{1}, MemorySize: big1, Cycles: big2, ReservedCycles: big1, IdleCyclesBurnedPerDay: big1,
		Settings: management.DefiniteSettings{
			Controllers: []principal.Principal{principal.Anonymous}, ComputeAllocation: big1, MemoryAllocation: big1, FreezingThreshold: big2, ReservedCyclesLimit: big1,
			MinimumIncomingCanisterCallCycles: big1, LogVisibility: management.Visibility{Tag: management.VisibilityTagPublic}, LogMemoryLimit: big1, WasmMemoryLimit: big2, WasmMemoryThreshold: big1,
		},
		MemoryMetrics: management.MemoryMetrics{WasmMemorySize: big1, StableMemorySize: big2, GlobalMemorySize: big1, WasmBinarySize: big1, CustomSectionsSize: big1,
			CanisterHistorySize: big1, WasmChunkStoreSize: big1, SnapshotsSize: big1, LogMemoryStoreSize: big1},
		QueryStats: management.QueryStats{NumCallsTotal: big1, NumInstructionsTotal: big1, RequestPayloadBytesTotal: big1, ResponsePayloadBytesTotal: big1},
	}
	s, err := decodeStatus(management.EncodeCanisterStatusResult(full))
	require.NoError(t, err)
	require.Equal(t, uint64(7), s.Version)
	require.Equal(t, full.Status, s.Status)
	require.Equal(t, full.Settings.Controllers, s.Settings.Controllers)
	require.Equal(t, full.Settings.LogVisibility, s.Settings.LogVisibility)
	require.Equal(t, big2, s.MemoryMetrics.StableMemorySize)
	require.Equal(t, big2, s.Settings.FreezingThreshold)

	old := tolerant.EncodeCanisterStatusResult(tolerant.Status{Status: tolerant.RunStateRunning, Settings: tolerant.StatusSettings{Controllers: []principal.Principal{principal.Anonymous}}, Cycles: &big2})
	s, err = decodeStatus(old)
	require.NoError(t, err)
	require.Equal(t, management.RunStateRunning, s.Status)
	require.Equal(t, big2, s.Cycles)
	require.Zero(t, s.Version)
	require.NotNil(t, s.IdleCyclesBurnedPerDay)
	require.NotNil(t, s.MemoryMetrics.StableMemorySize)
}
