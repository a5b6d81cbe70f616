package replica_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/reject"
	"kedge/replica/system"
)

// ledger calls the cycles ledger.
func ledger[R any](w *world, decode func([]byte) (R, error), sender principal.Principal, method string, arg []byte) R {
	w.Helper()
	raw, err := w.Call(ctx, sender, system.CyclesLedger, method, arg)
	require.NoError(w, err)
	reply, err := decode(raw)
	require.NoError(w, err)
	return reply
}

func (w *world) account(owner principal.Principal) *big.Int {
	w.Helper()
	raw := w.ask(system.CyclesLedger, "icrc1_balance_of", system.EncodeIcrc1BalanceOfArgs(system.Account{Owner: owner}))
	balance, err := system.DecodeIcrc1BalanceOfResult(raw)
	require.NoError(w, err)
	return balance
}

func createArg(amount uint64, settings *system.Settings) []byte {
	return system.EncodeCreateCanisterArgs(system.CreateArg{Amount: nat(amount), CreationArgs: &system.CreationArgs{Settings: settings}})
}

func TestLedgerCreatesCanisters(t *testing.T) {
	w := newWorld(t)
	made := ledger(w, system.DecodeCreateCanisterResult, alice, "create_canister", createArg(2_000_000_000_000, &system.Settings{
		FreezingThreshold:    ptr(nat(77)),
		StatusVisibility:     &system.Visibility{Tag: system.VisibilityTagPublic},
		EnvironmentVariables: []system.Variable{{Name: "a", Value: "b"}},
	}))
	require.Equal(t, system.CreateResultTagOk, made.Tag)
	s, err := w.Status(ctx, made.Ok.CanisterID)
	require.NoError(t, err)
	require.Equal(t, []principal.Principal{alice}, s.Settings.Controllers)
	require.EqualValues(t, 77, s.Settings.FreezingThreshold.Uint64())
	require.Equal(t, "public", s.Settings.StatusVisibility.Tag.String())
	require.Equal(t, "b", s.Settings.EnvironmentVariables[0].Value)
	require.EqualValues(t, 1_500_000_000_000, s.Cycles.Uint64(), "a canister costs 500 G cycles")
	require.EqualValues(t, 997_999_900_000_000, w.account(alice).Uint64())

	poor := ledger(w, system.DecodeCreateCanisterResult, alice, "create_canister", createArg(1_000, nil))
	require.Contains(t, poor.Err.FailedToCreate.Error, "requires a fee of 500000000000")
	bad := ledger(w, system.DecodeCreateCanisterResult, alice, "create_canister", createArg(2_000_000_000_000, &system.Settings{ComputeAllocation: ptr(nat(101))}))
	require.Contains(t, bad.Err.FailedToCreate.Error, "ComputeAllocation")
	require.EqualValues(t, 997_999_700_000_000, w.account(alice).Uint64(), "what fails costs the fee")
}

func TestLedgerTakesAndGivesCycles(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("scenario")
	before, err := w.Balance(ctx, id)
	require.NoError(t, err)
	drawn := ledger(w, system.DecodeWithdrawResult, alice, "withdraw", system.EncodeWithdrawArgs(system.WithdrawArg{To: id, Amount: nat(5_000_000_000_000)}))
	require.Equal(t, system.WithdrawResultTagOk, drawn.Tag)
	after, err := w.Balance(ctx, id)
	require.NoError(t, err)
	require.Equal(t, before.Big().Uint64()+5_000_000_000_000, after.Big().Uint64())

	// A canister that attaches too few gets them back, and the ledger's words.
	deposit := string(system.EncodeDepositArgs(system.DepositArg{To: system.Account{Owner: alice}}))
	_, err = w.Call(ctx, alice, id, "forward_cycles", to(system.CyclesLedger, "deposit", deposit))
	refused(t, err, reject.CanisterRejectedMessage, "less than the cycles ledger fee")
}

func TestBuiltinsHaveTheirMethodsAlone(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("scenario")
	for _, builtin := range system.IDs() {
		_, err := w.Call(ctx, alice, builtin, "no_such_method", nil)
		refused(t, err, reject.MethodNotFound, "Error from Canister "+builtin.Text()+": Canister has no update method 'no_such_method'.")
		_, err = w.Query(ctx, alice, builtin, "no_such_method", nil)
		refused(t, err, reject.MethodNotFound, "Canister has no query method 'no_such_method'.")
		_, err = w.Call(ctx, alice, id, "forward", to(builtin, "no_such_method", ""))
		refused(t, err, reject.CanisterRejectedMessage, "5Error from Canister "+builtin.Text())
	}
	_, err := w.Query(ctx, alice, system.CyclesLedger, "withdraw", nil)
	refused(t, err, reject.MethodNotFound, "Canister has no query method 'withdraw'.")

	// A canister asks, in an update and in a composite query.
	fee := "DIDL\x00\x00"
	for _, raw := range [][]byte{w.call(id, "forward", to(system.CyclesLedger, "icrc1_fee", fee)), w.ask(id, "forward_query", to(system.CyclesLedger, "icrc1_fee", fee))} {
		got, err := system.DecodeIcrc1FeeResult(raw)
		require.NoError(t, err)
		require.EqualValues(t, 100_000_000, got.Uint64())
	}
}

// Who wants the real ledger creates it in its place.
func TestBuiltinsCanBeReplaced(t *testing.T) {
	w := newWorld(t)
	id, err := w.Create(ctx, owner, replica.CreateOptions{ID: system.ICPLedger})
	require.NoError(t, err)
	require.Equal(t, system.ICPLedger, id)
	_, err = w.Call(ctx, alice, id, "icrc1_fee", nil)
	refused(t, err, reject.WasmModuleNotFound, "contains no Wasm module")
	require.NoError(t, w.Install(ctx, owner, id, module(t, "scenario"), nil))
	require.Equal(t, "mine", string(w.ask(id, "echo", []byte("mine"))))
}

func TestBuiltinsRemember(t *testing.T) {
	dir := t.TempDir()
	net, err := replica.Start(replica.WithState(dir), replica.WithoutFunds())
	require.NoError(t, err)
	w := &world{t, net}
	require.Zero(t, w.account(alice).Sign())
	ledger(w, system.DecodeIcrc1TransferResult, principal.Anonymous, "icrc1_transfer",
		system.EncodeIcrc1TransferArgs(system.TransferArg{To: system.Account{Owner: alice}, Amount: nat(7_000)}))
	require.NoError(t, net.Close())

	again := newWorld(t, replica.WithState(dir), replica.WithoutFunds())
	require.EqualValues(t, 7_000, again.account(alice).Uint64())
}
