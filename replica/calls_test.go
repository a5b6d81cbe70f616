package replica_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

func TestCallsBetweenCanisters(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")

	require.Equal(t, "ping", string(w.call(a, "forward", to(b, "echo", "ping"))), "a query method is called as an update")
	require.EqualValues(t, 5, w.numbers(a)[0], "the reply callback ran with its env")
	require.Equal(t, a.Bytes(), w.call(a, "forward", to(b, "whoami", "")), "the caller is the canister")
	require.Equal(t, "self", string(w.call(a, "forward", to(a, "echo", "self"))), "a canister may call itself")
	deep := to(b, "forward", string(to(a, "echo", "there and back")))
	require.Equal(t, "there and back", string(w.call(a, "forward", deep)))
	random := w.call(a, "forward", to(principal.Management, "raw_rand", "DIDL\x00\x00"))
	require.NotEqual(t, random, w.call(a, "forward", to(principal.Management, "raw_rand", "DIDL\x00\x00")))
	require.Equal(t, "trap", string(w.call(a, "unsent", to(b, "echo", ""))), "a call that is not performed is dropped")
	require.Equal(t, "trap", string(w.call(a, "reply_then_forward", to(b, "echo", ""))), "the answer comes before the call")
	require.EqualValues(t, 4, w.numbers(a)[0], "whose callback runs all the same")
}

func TestRejectsBetweenCanisters(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")
	nobody := principal.Canister(77)
	empty, err := w.Create(ctx, owner, replica.CreateOptions{})
	require.NoError(t, err)

	for name, test := range map[string]struct {
		callee principal.Principal
		method string
		want   string // reject code and text, as the reject callback passes it on
	}{
		"the canister's own":   {b, "refuse", "4refused"},
		"a trap":               {b, "crash", "5IC0502: Error from Canister " + b.String() + ": Canister trapped: unreachable"},
		"no such method":       {b, "nothing", "5IC0536: Error from Canister " + b.String() + ": Canister has no update method 'nothing'"},
		"no such canister":     {nobody, "echo", "3No route to canister " + nobody.String()},
		"no answer":            {b, "silent", "5No response"},
		"no code":              {empty, "echo", "5IC0537: Error from Canister " + empty.String() + ": Attempted to execute a message, but the canister contains no Wasm module"},
		"composite query":      {b, "forward_query", "5IC0527: Composite query cannot be called in replicated mode"},
		"management, unknown":  {principal.Management, "nothing", "5IC0536: Management canister has no method 'nothing'"},
		"management, absent":   {principal.Management, "list_canisters", "4This local network has no subnet admins"},
		"management, argument": {principal.Management, "http_request", "4Error decoding candid: Cannot parse header : binary parser error: io error"},
		"management, routing": {principal.Management, "start_canister", "3Unable to route management canister request start_canister: " +
			`UserError(UserError { code: InvalidManagementPayload, description: "Error decoding candid: Cannot parse header : binary parser error: io error" })`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Call(ctx, alice, a, "forward", to(test.callee, test.method, ""))
			refused(t, err, reject.CanisterRejectedMessage, test.want)
			require.EqualValues(t, 6, w.numbers(a)[0], "the reject callback ran")
		})
	}
}

func TestCleanupAfterTrap(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")

	_, err := w.Call(ctx, alice, a, "forward_trap", to(b, "echo", ""))
	refused(t, err, reject.CalledTrap, "Canister called `ic0.trap` with message: 'trap in callback'")
	require.Equal(t, [3]uint64{0, 0, 9}, w.numbers(a), "the callback left nothing, cleanup ran")
	logs, err := w.Logs(a)
	require.NoError(t, err)
	require.Len(t, logs, 2)
	require.Equal(t, "trap", string(logs[0].Content), "what the trapped callback logged stays")
	require.Equal(t, "[TRAP]: trap in callback", string(logs[1].Content))

	_, err = w.Call(ctx, alice, a, "forward_trap_twice", to(b, "echo", ""))
	refused(t, err, reject.CalledTrap, "call_on_cleanup also failed:")
	refused(t, err, reject.CalledTrap, "trap in cleanup")
	require.Equal(t, [3]uint64{0, 0, 9}, w.numbers(a))

	_, err = w.Call(ctx, alice, a, "forward_silent", to(b, "echo", ""))
	refused(t, err, reject.DidNotReply, "did not reply to the call")
}

func TestCyclesOfCalls(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")
	balance := func(id principal.Principal) cycles.Amount {
		amount, err := w.Balance(ctx, id)
		require.NoError(t, err)
		return amount
	}
	beforeA, beforeB := balance(a), balance(b)
	refund := binary.LittleEndian.Uint64(w.call(a, "forward_cycles", to(b, "take_half", "")))
	require.EqualValues(t, 500, refund, "the half that was not accepted comes back")

	spentA, reportA := beforeA.Minus(balance(a)), report(w, a)
	// Ingress, two steps, the call, its payload and its response, and the cycles that b kept.
	least := uint64(1_200_000 + 2*5_000_000 + 260_000 + 500 + reportA)
	require.False(t, spentA.Less(cycles.New(least)), "spent %s, at least %d", spentA, least)
	require.True(t, spentA.Less(cycles.New(least+2_000_000)), "spent %s, at least %d", spentA, least)
	spentB := beforeB.Minus(balance(b))
	require.Equal(t, cycles.New(5_000_000+report(w, b)-500), spentB)
}

func report(w *world, id principal.Principal) uint64 {
	r, err := w.LastReport(id)
	require.NoError(w, err)
	return r.Instructions
}

func TestBestEffortCallExpires(t *testing.T) {
	w := newWorld(t, stopped)
	a, b := w.deploy("scenario"), w.deploy("scenario")
	// b waits for itself to stop, which it cannot while it waits: its answer never comes.
	control(w, b, b)
	ended := make(chan error, 1)
	go func() {
		_, err := w.Call(ctx, alice, a, "forward_best_effort", to(b, "forward", string(to(principal.Management, "stop_canister", stopArgument(b)))))
		ended <- err
	}()
	for len(ended) == 0 {
		require.NoError(t, w.Advance(ctx, time.Second))
		time.Sleep(time.Millisecond)
	}
	refused(t, <-ended, reject.CanisterRejectedMessage, "6Call deadline has expired.")
}

func TestQueriesChangeNothing(t *testing.T) {
	w := newWorld(t)
	a, b := w.deploy("scenario"), w.deploy("scenario")
	for range 3 {
		require.EqualValues(t, 1, binary.LittleEndian.Uint64(w.ask(a, "count_up", nil)))
		require.EqualValues(t, 1, binary.LittleEndian.Uint64(w.call(a, "count_up", nil)), "nor when called as an update")
		w.ask(a, "grow", nil)
	}
	require.Zero(t, w.numbers(a)[0])
	status, err := w.Status(ctx, a)
	require.NoError(t, err)
	require.EqualValues(t, 4<<16, status.MemoryMetrics.WasmMemorySize.Uint64())

	_, err = w.Query(ctx, alice, a, "forward", nil)
	refused(t, err, reject.MethodNotFound, "Canister has no query method 'forward'")

	require.Equal(t, "far", string(w.ask(a, "forward_query", to(b, "echo", "far"))))
	require.Equal(t, "farther", string(w.ask(a, "forward_query", to(b, "forward_query", string(to(w.deploy("scenario"), "echo", "farther"))))))
	require.Zero(t, w.numbers(a)[0], "the callback of a composite query is undone, too")
	require.Equal(t, "loop", string(w.ask(a, "forward_query", to(b, "forward_query", string(to(a, "echo", "loop"))))), "in circles, too")
	deep := to(a, "echo", "x")
	for range 5 {
		deep = to(a, "forward_query", string(deep))
	}
	require.Equal(t, "x", string(w.ask(a, "forward_query", deep)), "six wait, the seventh answers at once")
	_, err = w.Query(ctx, alice, a, "forward_query", to(a, "forward_query", string(deep)))
	refused(t, err, reject.QueryCallGraphTooDeep, "Composite query calls exceeded the maximum call depth.") // the whole query ends
	_, err = w.Query(ctx, alice, a, "forward_query", to(b, "crash", ""))
	refused(t, err, reject.CanisterRejectedMessage, "5Error from Canister "+b.String()+": Canister has no query method 'crash'")
	_, err = w.Call(ctx, alice, a, "forward_query", nil)
	refused(t, err, reject.CompositeQueryInReplicatedMode, "Composite query cannot be called in replicated mode")
}
