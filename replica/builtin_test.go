package replica_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/builtin"
	"kedge/replica/reject"
)

// ledger calls the cycles ledger.
func ledger[R any](w *world, decode func([]byte) (R, error), sender principal.Principal, method string, arg []byte) R {
	w.Helper()
	raw, err := w.Call(ctx, sender, builtin.CyclesLedger, method, arg)
	require.NoError(w, err)
	reply, err := decode(raw)
	require.NoError(w, err)
	return reply
}

func (w *world) account(owner principal.Principal) *big.Int {
	w.Helper()
	raw := w.ask(builtin.CyclesLedger, "icrc1_balance_of", builtin.EncodeIcrc1BalanceOfArgs(builtin.Account{Owner: owner}))
	balance, err := builtin.DecodeIcrc1BalanceOfResult(raw)
	require.NoError(w, err)
	return balance
}

func createArg(amount uint64, settings *builtin.Settings) []byte {
	return builtin.EncodeCreateCanisterArgs(builtin.CreateArg{Amount: nat(amount), CreationArgs: &builtin.CreationArgs{Settings: settings}})
}

func TestLedgerCreatesCanisters(t *testing.T) {
	w := newWorld(t)
	made := ledger(w, builtin.DecodeCreateCanisterResult, alice, "create_canister", createArg(2_000_000_000_000, &builtin.Settings{
		FreezingThreshold:    ptr(nat(77)),
		StatusVisibility:     &builtin.Visibility{Tag: builtin.VisibilityTagPublic},
		EnvironmentVariables: []builtin.Variable{{Name: "a", Value: "b"}},
	}))
	require.Equal(t, builtin.CreateResultTagOk, made.Tag)
	s, err := w.Status(ctx, made.Ok.CanisterID)
	require.NoError(t, err)
	require.Equal(t, []principal.Principal{alice}, s.Settings.Controllers)
	require.EqualValues(t, 77, s.Settings.FreezingThreshold.Uint64())
	require.Equal(t, "public", s.Settings.StatusVisibility.Tag.String())
	require.Equal(t, "b", s.Settings.EnvironmentVariables[0].Value)
	require.EqualValues(t, 1_500_000_000_000, s.Cycles.Uint64(), "a canister costs 500 G cycles")
	require.EqualValues(t, 997_999_900_000_000, w.account(alice).Uint64())

	poor := ledger(w, builtin.DecodeCreateCanisterResult, alice, "create_canister", createArg(1_000, nil))
	require.Contains(t, poor.Err.FailedToCreate.Error, "requires a fee of 500_000_000_000")
	bad := ledger(w, builtin.DecodeCreateCanisterResult, alice, "create_canister", createArg(2_000_000_000_000, &builtin.Settings{ComputeAllocation: ptr(nat(101))}))
	require.Contains(t, bad.Err.FailedToCreate.Error, "ComputeAllocation")
	require.EqualValues(t, 997_999_700_000_000, w.account(alice).Uint64(), "what fails costs the fee")
}

func TestLedgerTakesAndGivesCycles(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("scenario")
	before, err := w.Balance(ctx, id)
	require.NoError(t, err)
	drawn := ledger(w, builtin.DecodeWithdrawResult, alice, "withdraw", builtin.EncodeWithdrawArgs(builtin.WithdrawArg{To: id, Amount: nat(5_000_000_000_000)}))
	require.Equal(t, builtin.WithdrawResultTagOk, drawn.Tag)
	after, err := w.Balance(ctx, id)
	require.NoError(t, err)
	require.Equal(t, before.Big().Uint64()+5_000_000_000_000, after.Big().Uint64())

	// A canister that attaches too few gets them back, and the ledger's words.
	deposit := string(builtin.EncodeDepositArgs(builtin.DepositArg{To: builtin.Account{Owner: alice}}))
	_, err = w.Call(ctx, alice, id, "forward_cycles", to(builtin.CyclesLedger, "deposit", deposit))
	refused(t, err, reject.CanisterRejectedMessage, "less than the cycles ledger fee")
}

func TestBuiltinsHaveTheirMethodsAlone(t *testing.T) {
	w := newWorld(t)
	id := w.deploy("scenario")
	for _, canister := range builtin.IDs() {
		_, err := w.Call(ctx, alice, canister, "no_such_method", nil)
		refused(t, err, reject.MethodNotFound, "Error from Canister "+canister.Text()+": Canister has no update method 'no_such_method'.")
		_, err = w.Query(ctx, alice, canister, "no_such_method", nil)
		refused(t, err, reject.MethodNotFound, "Canister has no query method 'no_such_method'.")
		_, err = w.Call(ctx, alice, id, "forward", to(canister, "no_such_method", ""))
		refused(t, err, reject.CanisterRejectedMessage, "5IC0536: Error from Canister "+canister.Text())
	}
	_, err := w.Query(ctx, alice, builtin.CyclesLedger, "withdraw", nil)
	refused(t, err, reject.MethodNotFound, "Canister has no query method 'withdraw'.")

	// A canister asks, in an update and in a composite query.
	fee := "DIDL\x00\x00"
	for _, raw := range [][]byte{w.call(id, "forward", to(builtin.CyclesLedger, "icrc1_fee", fee)), w.ask(id, "forward_query", to(builtin.CyclesLedger, "icrc1_fee", fee))} {
		got, err := builtin.DecodeIcrc1FeeResult(raw)
		require.NoError(t, err)
		require.EqualValues(t, 100_000_000, got.Uint64())
	}
}

// Who wants the real ledger creates it in its place.
func TestBuiltinsCanBeReplaced(t *testing.T) {
	w := newWorld(t)
	id, err := w.Create(ctx, owner, replica.CreateOptions{ID: builtin.ICPLedger})
	require.NoError(t, err)
	require.Equal(t, builtin.ICPLedger, id)
	_, err = w.Call(ctx, alice, id, "icrc1_fee", nil)
	refused(t, err, reject.WasmModuleNotFound, "Requested canister has no wasm module")
	require.NoError(t, w.Install(ctx, owner, id, module(t, "scenario"), nil))
	require.Equal(t, "mine", string(w.ask(id, "echo", []byte("mine"))))
}

func TestBuiltinsRemember(t *testing.T) {
	dir := t.TempDir()
	net, err := replica.Start(replica.WithState(dir), replica.WithoutFunds())
	require.NoError(t, err)
	w := &world{t, net}
	require.Zero(t, w.account(alice).Sign())
	ledger(w, builtin.DecodeIcrc1TransferResult, principal.Anonymous, "icrc1_transfer",
		builtin.EncodeIcrc1TransferArgs(builtin.TransferArg{To: builtin.Account{Owner: alice}, Amount: nat(7_000)}))
	require.NoError(t, net.Close())

	again := newWorld(t, replica.WithState(dir), replica.WithoutFunds())
	require.EqualValues(t, 7_000, again.account(alice).Uint64())
}
