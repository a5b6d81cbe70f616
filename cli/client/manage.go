package client

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/aviate-labs/agent-go/certification/hashtree"

	"kedge/ic/management"
	"kedge/ic/management/tolerant"
	"kedge/ic/principal"
)

// What the management canister does for the controllers of a canister.

// managed makes a call of the management canister that is about one canister.
func managed[T any](ctx context.Context, c *Client, canister principal.Principal, method string, arg []byte, decode func([]byte) (T, error)) (T, error) {
	reply, err := c.CallFor(ctx, principal.Management, canister, method, arg)
	return decoded(method, reply, err, decode)
}

// managedQuery is managed for the methods that are queries too: those cost the canister nothing.
func managedQuery[T any](ctx context.Context, c *Client, canister principal.Principal, method string, arg []byte, decode func([]byte) (T, error)) (T, error) {
	reply, err := c.QueryFor(ctx, principal.Management, canister, method, arg)
	return decoded(method, reply, err, decode)
}

func decoded[T any](method string, reply []byte, err error, decode func([]byte) (T, error)) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	value, err := decode(reply)
	if err != nil {
		return none, fmt.Errorf("reading the reply of %s: %w", method, err)
	}
	return value, nil
}

func nothing(decode func([]byte) error) func([]byte) (struct{}, error) {
	return func(b []byte) (struct{}, error) { return struct{}{}, decode(b) }
}

// Status returns the certified status of a canister that the caller controls. What the network does not tell is
// zero: older ones tell less.
func (c *Client) Status(ctx context.Context, canister principal.Principal) (management.Status, error) {
	return managed(ctx, c, canister, "canister_status",
		management.EncodeCanisterStatusArgs(management.CanisterArg{CanisterID: canister}), decodeStatus)
}

func decodeStatus(reply []byte) (management.Status, error) {
	t, err := tolerant.DecodeCanisterStatusResult(reply)
	if err != nil {
		return management.Status{}, err
	}
	amount := func(n **big.Int) *big.Int {
		if n == nil {
			return new(big.Int)
		}
		return *n
	}
	s := management.Status{
		Status: management.RunState(t.Status), ModuleHash: t.ModuleHash,
		MemorySize: amount(t.MemorySize), Cycles: amount(t.Cycles), IdleCyclesBurnedPerDay: amount(t.IdleCyclesBurnedPerDay),
		Settings: management.DefiniteSettings{
			Controllers: t.Settings.Controllers, FreezingThreshold: amount(t.Settings.FreezingThreshold),
			WasmMemoryLimit: amount(t.Settings.WasmMemoryLimit), ReservedCyclesLimit: amount(t.Settings.ReservedCyclesLimit),
		},
	}
	if t.Version != nil {
		s.Version = *t.Version
	}
	memory := t.MemoryMetrics
	if memory == nil {
		memory = new(tolerant.StatusMemory)
	}
	s.MemoryMetrics.StableMemorySize, s.MemoryMetrics.WasmMemorySize = amount(memory.StableMemorySize), amount(memory.WasmMemorySize)
	s.MemoryMetrics.SnapshotsSize = amount(memory.SnapshotsSize)
	if v := t.Settings.LogVisibility; v != nil {
		s.Settings.LogVisibility = management.Visibility{Tag: management.VisibilityTag(v.Tag), AllowedViewers: v.AllowedViewers}
	}
	return s, nil
}

// Metrics returns what the canister has spent cycles on so far. It is a query: reading it costs nothing.
func (c *Client) Metrics(ctx context.Context, canister principal.Principal) (management.CyclesConsumed, error) {
	m, err := managedQuery(ctx, c, canister, "canister_metrics",
		management.EncodeCanisterMetricsArgs(management.CanisterArg{CanisterID: canister}), management.DecodeCanisterMetricsResult)
	return m.CyclesConsumed, err
}

// Logs returns the records of the canister's log from a number on, as far as the network keeps them.
func (c *Client) Logs(ctx context.Context, canister principal.Principal, from uint64) ([]management.LogRecord, error) {
	logs, err := managedQuery(ctx, c, canister, "fetch_canister_logs",
		management.EncodeFetchCanisterLogsArgs(management.LogsArg{CanisterID: canister}), management.DecodeFetchCanisterLogsResult)
	if err != nil {
		return nil, err
	}
	for i, r := range logs.CanisterLogRecords { // in the order of their numbers
		if r.Idx >= from {
			return logs.CanisterLogRecords[i:], nil
		}
	}
	return nil, nil
}

// StartCanister starts a stopped canister; one that runs is left as it is.
func (c *Client) StartCanister(ctx context.Context, canister principal.Principal) error {
	_, err := managed(ctx, c, canister, "start_canister",
		management.EncodeStartCanisterArgs(management.CanisterArg{CanisterID: canister}), nothing(management.DecodeStartCanisterResult))
	return err
}

// StopCanister stops a canister: it takes no calls any more, and returns when those under way are answered.
func (c *Client) StopCanister(ctx context.Context, canister principal.Principal) error {
	_, err := managed(ctx, c, canister, "stop_canister",
		management.EncodeStopCanisterArgs(management.CanisterArg{CanisterID: canister}), nothing(management.DecodeStopCanisterResult))
	return err
}

// TakeSnapshot keeps module and memories of a canister, in the place of another snapshot if one is named.
func (c *Client) TakeSnapshot(ctx context.Context, canister principal.Principal, replace []byte) (management.SnapshotInfo, error) {
	return managed(ctx, c, canister, "take_canister_snapshot",
		management.EncodeTakeCanisterSnapshotArgs(management.TakeSnapshotArg{CanisterID: canister, ReplaceSnapshot: replace}),
		management.DecodeTakeCanisterSnapshotResult)
}

// LoadSnapshot gives a canister the module and the memories of a snapshot.
func (c *Client) LoadSnapshot(ctx context.Context, canister principal.Principal, id []byte) error {
	return retryInstall(ctx, retryPause, func() error {
		_, err := managed(ctx, c, canister, "load_canister_snapshot",
			management.EncodeLoadCanisterSnapshotArgs(management.LoadSnapshotArg{CanisterID: canister, SnapshotID: id}),
			nothing(management.DecodeLoadCanisterSnapshotResult))
		return err
	})
}

// Snapshots lists the snapshots of a canister.
func (c *Client) Snapshots(ctx context.Context, canister principal.Principal) ([]management.SnapshotInfo, error) {
	return managed(ctx, c, canister, "list_canister_snapshots",
		management.EncodeListCanisterSnapshotsArgs(management.CanisterArg{CanisterID: canister}), management.DecodeListCanisterSnapshotsResult)
}

// DeleteSnapshot removes a snapshot for ever.
func (c *Client) DeleteSnapshot(ctx context.Context, canister principal.Principal, id []byte) error {
	_, err := managed(ctx, c, canister, "delete_canister_snapshot",
		management.EncodeDeleteCanisterSnapshotArgs(management.SnapshotArg{CanisterID: canister, SnapshotID: id}),
		nothing(management.DecodeDeleteCanisterSnapshotResult))
	return err
}

// TopUp gives a canister cycles out of nothing. Only networks for development offer it.
func (c *Client) TopUp(ctx context.Context, canister principal.Principal, cycles *big.Int) error {
	_, err := managed(ctx, c, canister, "provisional_top_up_canister",
		management.EncodeProvisionalTopUpCanisterArgs(management.ProvisionalTopUpArg{CanisterID: canister, Amount: cycles}),
		nothing(management.DecodeProvisionalTopUpCanisterResult))
	return err
}

// UpdateSettings changes the settings that are not nil.
func (c *Client) UpdateSettings(ctx context.Context, canister principal.Principal, s management.Settings) error {
	_, err := managed(ctx, c, canister, "update_settings",
		management.EncodeUpdateSettingsArgs(management.UpdateSettingsArg{CanisterID: canister, Settings: s}),
		nothing(management.DecodeUpdateSettingsResult))
	return err
}

// Metadata returns a certified custom section of the module that a canister runs, such as candid:service; nil
// if it has none of that name.
func (c *Client) Metadata(_ context.Context, canister principal.Principal, name string) (text []byte, err error) {
	err = c.inTime(func() error { text, err = c.metadata(canister, name); return err })
	return text, err
}

func (c *Client) metadata(canister principal.Principal, name string) (text []byte, err error) {
	defer recoverUntrusted(&err)
	text, err = c.agent.GetCanisterMetadata(forAgent(canister), name)
	var lookup hashtree.LookupError
	if errors.As(err, &lookup) && lookup.Type == hashtree.LookupResultAbsent {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	return text, nil
}

// Controllers returns the certified list of a canister's controllers, which everybody may read.
func (c *Client) Controllers(_ context.Context, canister principal.Principal) (list []principal.Principal, err error) {
	err = c.inTime(func() error { list, err = c.controllers(canister); return err })
	return list, err
}

func (c *Client) controllers(canister principal.Principal) (list []principal.Principal, err error) {
	defer recoverUntrusted(&err)
	found, err := c.agent.GetCanisterControllers(forAgent(canister))
	if err != nil {
		return nil, explain(err)
	}
	for _, raw := range found {
		p, err := principal.FromBytes(raw.Raw)
		if err != nil {
			return nil, &UntrustedError{Err: err}
		}
		list = append(list, p)
	}
	return list, nil
}
