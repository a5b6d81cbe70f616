package builtin

import (
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/candid/did"
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

const start = 1_800_000_000_000_000_000

var (
	alice  = principal.SelfAuthenticating([]byte("alice"))
	bob    = principal.SelfAuthenticating([]byte("bob"))
	subnet = principal.SelfAuthenticating([]byte("subnet"))
)

// fakeHost is a network whose canisters are balances.
type fakeHost struct {
	balances map[principal.Principal]cycles.Amount
	refusal  *reject.Error
}

func (h *fakeHost) Subnet() principal.Principal { return subnet }
func (h *fakeHost) Exists(canister principal.Principal) bool {
	_, ok := h.balances[canister]
	return ok
}
func (h *fakeHost) TopUp(canister principal.Principal, amount cycles.Amount) {
	h.balances[canister] = h.balances[canister].Plus(amount)
}
func (h *fakeHost) Create(_ principal.Principal, _ *management.Settings, balance cycles.Amount) (principal.Principal, *reject.Error) {
	if h.refusal != nil {
		return principal.Principal{}, h.refusal
	}
	id := principal.Canister(uint64(1000 + len(h.balances)))
	h.balances[id] = balance
	return id, nil
}

// world is the built-in canisters on a fake network.
type world struct {
	testing.TB
	state State
	host  *fakeHost
	now   uint64
}

func newWorld(t testing.TB, open bool) *world {
	return &world{TB: t, state: New(open), host: &fakeHost{balances: map[principal.Principal]cycles.Amount{}}, now: start}
}

func (w *world) try(caller, canister principal.Principal, method string, attached cycles.Amount, arg []byte) ([]byte, *reject.Error) {
	w.now++
	_, ok := HasMethod(canister, method)
	require.True(w, ok, "%s has no method %q", canister, method)
	reply, _, err := w.state.Call(Call{Host: w.host, Canister: canister, Caller: caller, Method: method, Arg: arg, Cycles: attached, Time: w.now})
	return reply, err
}

// on calls and decodes the reply.
func on[R any](w *world, decode func([]byte) (R, error), caller, canister principal.Principal, method string, arg []byte) R {
	w.Helper()
	reply, err := w.try(caller, canister, method, cycles.Amount{}, arg)
	require.Nil(w, err)
	result, failure := decode(reply)
	require.NoError(w, failure)
	return result
}

func (w *world) balance(ledger, owner principal.Principal) uint64 {
	w.Helper()
	return on(w, DecodeIcrc1BalanceOfResult, alice, ledger, "icrc1_balance_of", EncodeIcrc1BalanceOfArgs(Account{Owner: owner})).Uint64()
}

func (w *world) transfer(ledger, from, to principal.Principal, amount int64) TransferResult {
	w.Helper()
	return on(w, DecodeIcrc1TransferResult, from, ledger, "icrc1_transfer",
		EncodeIcrc1TransferArgs(TransferArg{To: Account{Owner: to}, Amount: big.NewInt(amount)}))
}

func TestWellKnownIDs(t *testing.T) {
	require.Equal(t, "ryjl3-tyaaa-aaaaa-aaaba-cai", ICPLedger.Text())
	require.Equal(t, "rkp4c-7iaaa-aaaaa-aaaca-cai", CyclesMinting.Text())
	require.Equal(t, "um5iw-rqaaa-aaaaq-qaaba-cai", CyclesLedger.Text())
	for _, id := range IDs() {
		require.True(t, Has(id))
	}
	require.False(t, Has(principal.Canister(3)))
}

// The account of a principal, as `dfx ledger account-id` computed it for the anonymous one.
func TestAccountIdentifier(t *testing.T) {
	id, ok := accountOf(principal.Anonymous, nil)
	require.True(t, ok)
	require.Equal(t, "1c7a48ba6a562aa9eaa2481a9049cdf0433b9738c992d698c31d8abf89cadc79", hex.EncodeToString(id[:]))
	again, ok := parseAccount(id[:])
	require.True(t, ok)
	require.Equal(t, id, again)
	id[31]++
	_, ok = parseAccount(id[:])
	require.False(t, ok, "the checksum is checked")
	_, ok = accountOf(alice, make([]byte, 31))
	require.False(t, ok)
}

// Every canister's interface is valid Candid and lists the methods that it has.
func TestInterfaces(t *testing.T) {
	for _, id := range IDs() {
		text := Interface(id)
		_, err := did.Parse(text)
		require.NoError(t, err, "%s", text)
		for name := range builtins[id].methods {
			require.Contains(t, text, "  "+name+" : (")
		}
		_, service, _ := strings.Cut(text, "service :")
		require.Equal(t, len(builtins[id].methods), strings.Count(service, ";\n"))
	}
	require.NotContains(t, Interface(CyclesLedger), "get_default_subnets")
}

func TestTransfer(t *testing.T) {
	w := newWorld(t, false)
	require.Equal(t, TransferResultTagOk, w.transfer(CyclesLedger, principal.Anonymous, alice, 1_000_000_000_000).Tag)
	require.EqualValues(t, 1_000_000_000_000, w.balance(CyclesLedger, alice))
	require.Zero(t, w.balance(ICPLedger, alice))

	sent := w.transfer(CyclesLedger, alice, bob, 400_000_000_000)
	require.Equal(t, TransferResultTagOk, sent.Tag)
	require.EqualValues(t, 1, sent.Ok.Uint64())
	require.EqualValues(t, 599_900_000_000, w.balance(CyclesLedger, alice), "the sender pays the fee of 100 M")
	require.EqualValues(t, 400_000_000_000, w.balance(CyclesLedger, bob))

	short := w.transfer(CyclesLedger, bob, alice, 400_000_000_000)
	require.Equal(t, TransferErrorTagInsufficientFunds, short.Err.Tag)
	require.EqualValues(t, 400_000_000_000, short.Err.InsufficientFunds.Balance.Uint64())

	wrong := big.NewInt(1)
	bad := on(w, DecodeIcrc1TransferResult, alice, CyclesLedger, "icrc1_transfer",
		EncodeIcrc1TransferArgs(TransferArg{To: Account{Owner: bob}, Amount: big.NewInt(1), Fee: &wrong}))
	require.Equal(t, TransferErrorTagBadFee, bad.Err.Tag)
	require.EqualValues(t, 100_000_000, bad.Err.BadFee.ExpectedFee.Uint64())
}

func TestOpeningBalance(t *testing.T) {
	w := newWorld(t, true)
	require.EqualValues(t, 1_000_000_000_000_000, w.balance(CyclesLedger, alice))
	require.EqualValues(t, 10_000*e8s, w.balance(ICPLedger, alice))
	w.transfer(ICPLedger, alice, bob, e8s)
	require.EqualValues(t, 9_999*e8s-10_000, w.balance(ICPLedger, alice))
	require.EqualValues(t, 10_001*e8s, w.balance(ICPLedger, bob))
}

func TestTransactionWindow(t *testing.T) {
	for _, c := range []struct {
		name    string
		created uint64
		want    TransferErrorTag
	}{
		{"too old", start - transactionWindow - permittedDrift - 1, TransferErrorTagTooOld},
		{"too far ahead", start + permittedDrift + 1_000, TransferErrorTagCreatedInFuture},
		{"the beginning of time", 0, TransferErrorTagTooOld},
		{"the end of time", 1<<64 - 1, TransferErrorTagCreatedInFuture},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, true)
			got := on(w, DecodeIcrc1TransferResult, alice, ICPLedger, "icrc1_transfer",
				EncodeIcrc1TransferArgs(TransferArg{To: Account{Owner: bob}, Amount: big.NewInt(1), CreatedAtTime: &c.created}))
			require.Equal(t, TransferResultTagErr, got.Tag)
			require.Equal(t, c.want, got.Err.Tag)
		})
	}
}

func TestDuplicates(t *testing.T) {
	w := newWorld(t, true)
	created := uint64(start)
	arg := TransferArg{To: Account{Owner: bob}, Amount: big.NewInt(1), CreatedAtTime: &created}
	send := func() TransferResult {
		return on(w, DecodeIcrc1TransferResult, alice, ICPLedger, "icrc1_transfer", EncodeIcrc1TransferArgs(arg))
	}
	first := send()
	require.Equal(t, TransferResultTagOk, first.Tag)
	again := send()
	require.Equal(t, TransferErrorTagDuplicate, again.Err.Tag)
	require.Equal(t, first.Ok, again.Err.Duplicate.DuplicateOf)
	arg.Memo = []byte("another")
	require.Equal(t, TransferResultTagOk, send().Tag)

	w.now += transactionWindow + permittedDrift + 10
	created = w.now
	require.Equal(t, TransferResultTagOk, send().Tag)
	require.Len(t, w.state.ICP.Recent, 1, "what is too old to come again is forgotten")
}

func TestCreateCanister(t *testing.T) {
	w := newWorld(t, false)
	create := func(arg CreateArg) CreateResult {
		return on(w, DecodeCreateCanisterResult, alice, CyclesLedger, "create_canister", EncodeCreateCanisterArgs(arg))
	}
	poor := create(CreateArg{Amount: big.NewInt(2_000_000_000_000)})
	require.Equal(t, CreateErrorTagInsufficientFunds, poor.Err.Tag)

	w.transfer(CyclesLedger, principal.Anonymous, alice, 5_000_000_000_000)
	created := w.now
	arg := CreateArg{Amount: big.NewInt(2_000_000_000_000), CreatedAtTime: &created, CreationArgs: &CreationArgs{
		SubnetSelection: &SubnetSelection{Tag: SubnetSelectionTagSubnet, Subnet: SubnetSelectionSubnet{subnet}}}}
	made := create(arg)
	require.Equal(t, CreateResultTagOk, made.Tag)
	require.EqualValues(t, 2_000_000_000_000, w.host.balances[made.Ok.CanisterID].Lo)
	require.EqualValues(t, 2_999_900_000_000, w.balance(CyclesLedger, alice))

	again := create(arg)
	require.Equal(t, CreateErrorTagDuplicate, again.Err.Tag)
	require.Equal(t, made.Ok.CanisterID, *again.Err.Duplicate.CanisterID)

	arg.CreatedAtTime, arg.CreationArgs.SubnetSelection.Subnet.Subnet = nil, alice
	elsewhere := create(arg)
	require.Equal(t, CreateErrorTagFailedToCreate, elsewhere.Err.Tag)
	require.Contains(t, elsewhere.Err.FailedToCreate.Error, "does not exist")
	require.EqualValues(t, 2_999_800_000_000, w.balance(CyclesLedger, alice), "all but the fee comes back")

	w.host.refusal = reject.New(reject.InvalidManagementPayload, "no such setting")
	refused := create(CreateArg{Amount: big.NewInt(1_000_000_000_000)})
	require.Equal(t, "no such setting", refused.Err.FailedToCreate.Error)
	require.EqualValues(t, 2_999_700_000_000, w.balance(CyclesLedger, alice))
}

func TestWithdraw(t *testing.T) {
	w := newWorld(t, true)
	canister := principal.Canister(7)
	w.host.balances[canister] = cycles.Amount{}
	draw := func(to principal.Principal, amount int64) WithdrawResult {
		return on(w, DecodeWithdrawResult, alice, CyclesLedger, "withdraw", EncodeWithdrawArgs(WithdrawArg{To: to, Amount: big.NewInt(amount)}))
	}
	require.Equal(t, WithdrawResultTagOk, draw(canister, 3_000_000_000_000).Tag)
	require.EqualValues(t, 3_000_000_000_000, w.host.balances[canister].Lo)
	require.EqualValues(t, 996_999_900_000_000, w.balance(CyclesLedger, alice))

	require.Equal(t, WithdrawErrorTagInvalidReceiver, draw(bob, 1).Err.Tag)
	missing := draw(principal.Canister(8), 1_000_000_000)
	require.Equal(t, WithdrawErrorTagFailedToWithdraw, missing.Err.Tag)
	require.Equal(t, RejectionCodeDestinationInvalid, missing.Err.FailedToWithdraw.RejectionCode)
	require.EqualValues(t, 996_999_800_000_000, w.balance(CyclesLedger, alice), "all but the fee comes back")
	require.Equal(t, WithdrawErrorTagInsufficientFunds, draw(canister, 1<<62).Err.Tag)
}

func TestDeposit(t *testing.T) {
	w := newWorld(t, false)
	arg := EncodeDepositArgs(DepositArg{To: Account{Owner: bob}})
	reply, err := w.try(alice, CyclesLedger, "deposit", cycles.Trillion(1), arg)
	require.Nil(t, err)
	deposited, failure := DecodeDepositResult(reply)
	require.NoError(t, failure)
	require.EqualValues(t, 999_900_000_000, deposited.Balance.Uint64())
	_, err = w.try(alice, CyclesLedger, "deposit", cycles.New(1), arg)
	require.Equal(t, reject.CalledTrap, err.Code)
	require.Contains(t, err.Message, "less than the cycles ledger fee")
}

func TestICPBuysCycles(t *testing.T) {
	w := newWorld(t, true)
	pay := func(forWhom principal.Principal, memo uint64) uint64 {
		to, _ := accountOf(CyclesMinting, principalSubaccount(forWhom))
		sent := on(w, DecodeTransferResult, alice, ICPLedger, "transfer", EncodeTransferArgs(LegacyTransferArg{
			Memo: memo, Amount: Tokens{e8s}, Fee: Tokens{10_000}, To: to[:]}))
		require.Equal(t, LegacyTransferResultTagOk, sent.Tag)
		return sent.Ok
	}
	const oneICP = 5_000_000_000_000 // cycles

	canister := principal.Canister(7)
	w.host.balances[canister] = cycles.Amount{}
	block := pay(canister, memoTopUp)
	for range 2 { // telling twice gives once
		topped := on(w, DecodeNotifyTopUpResult, bob, CyclesMinting, "notify_top_up", EncodeNotifyTopUpArgs(NotifyTopUpArg{block, canister}))
		require.Equal(t, NotifyTopUpResultTagOk, topped.Tag)
		require.EqualValues(t, oneICP, topped.Ok.Uint64())
		require.EqualValues(t, oneICP, w.host.balances[canister].Lo)
	}
	other := on(w, DecodeNotifyTopUpResult, bob, CyclesMinting, "notify_top_up", EncodeNotifyTopUpArgs(NotifyTopUpArg{block, principal.Canister(8)}))
	require.Equal(t, NotifyErrorTagInvalidTransaction, other.Err.Tag)

	block = pay(alice, memoCreate)
	arg := EncodeNotifyCreateCanisterArgs(NotifyCreateArg{BlockIndex: block, Controller: alice})
	made := on(w, DecodeNotifyCreateCanisterResult, alice, CyclesMinting, "notify_create_canister", arg)
	again := on(w, DecodeNotifyCreateCanisterResult, alice, CyclesMinting, "notify_create_canister", arg)
	require.Equal(t, made, again)
	require.EqualValues(t, oneICP, w.host.balances[made.Ok].Lo)

	block = pay(alice, memoMint)
	minted := on(w, DecodeNotifyMintCyclesResult, alice, CyclesMinting, "notify_mint_cycles", EncodeNotifyMintCyclesArgs(NotifyMintArg{BlockIndex: block}))
	require.EqualValues(t, oneICP, minted.Ok.Minted.Uint64())
	require.EqualValues(t, 1_004_999_900_000_000, minted.Ok.Balance.Uint64())
	wrong := on(w, DecodeNotifyMintCyclesResult, bob, CyclesMinting, "notify_mint_cycles", EncodeNotifyMintCyclesArgs(NotifyMintArg{BlockIndex: block}))
	require.Equal(t, NotifyErrorTagInvalidTransaction, wrong.Err.Tag)
	beyond := on(w, DecodeNotifyMintCyclesResult, bob, CyclesMinting, "notify_mint_cycles", EncodeNotifyMintCyclesArgs(NotifyMintArg{BlockIndex: 1 << 60}))
	require.Contains(t, beyond.Err.InvalidTransaction, "no such block")
}

// icp asks with an argument that the method does not have.
func TestExtraArgumentsAreIgnored(t *testing.T) {
	w := newWorld(t, false)
	subnets := on(w, DecodeGetDefaultSubnetsResult, alice, CyclesMinting, "get_default_subnets", []byte("DIDL\x00\x01\x7f"))
	require.Equal(t, []principal.Principal{subnet}, subnets)
}

func TestBadArguments(t *testing.T) {
	w := newWorld(t, true)
	_, err := w.try(alice, ICPLedger, "transfer", cycles.Amount{}, []byte("nonsense"))
	require.Equal(t, reject.CalledTrap, err.Code)
	_, err = w.try(alice, ICPLedger, "icrc1_balance_of", cycles.Amount{}, EncodeIcrc1BalanceOfArgs(Account{Owner: alice, Subaccount: []byte{1}}))
	require.Contains(t, err.Message, "does not have 32 bytes")
	_, err = w.try(alice, ICPLedger, "account_balance", cycles.Amount{}, EncodeAccountBalanceArgs(AccountBalanceArgs{Account: make([]byte, 32)}))
	require.Contains(t, err.Message, "invalid account identifier")
}

// No transfer makes or destroys tokens but for the fee.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		people := []AccountID{{1}, {2}, {3}}
		for _, id := range people {
			l.setBalance(id, cycles.New(1_000))
		}
		total := uint64(3_000)
		for range rapid.IntRange(0, 20).Draw(t, "transfers") {
			tx := transaction{from: rapid.SampledFrom(people).Draw(t, "from"), to: rapid.SampledFrom(people).Draw(t, "to"),
				amount: cycles.New(rapid.Uint64Range(0, 1_500).Draw(t, "amount")), fee: cycles.New(7)}
			if _, refused := l.post(start, tx); refused == nil {
				total -= 7
			}
			require.Equal(t, cycles.New(total), l.supply())
		}
	})
}
