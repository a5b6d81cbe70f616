package builtin

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica/cycles"
)

func amount(n int64) *big.Int { return big.NewInt(n) }

// Bob spends what alice allows him to, fees included, until it is used up or has expired.
func TestAllowances(t *testing.T) {
	w := newWorld(t, true)
	const fee = 10_000
	allowed := func() int64 {
		return on(w, DecodeIcrc2AllowanceResult, bob, ICPLedger, "icrc2_allowance",
			EncodeIcrc2AllowanceArgs(AllowanceArg{Account: Account{Owner: alice}, Spender: Account{Owner: bob}})).Allowance.Int64()
	}
	approve := func(a ApproveArg) ApproveResult {
		a.Spender = Account{Owner: bob}
		return on(w, DecodeIcrc2ApproveResult, alice, ICPLedger, "icrc2_approve", EncodeIcrc2ApproveArgs(a))
	}
	spend := func(n int64) TransferFromResult {
		return on(w, DecodeIcrc2TransferFromResult, bob, ICPLedger, "icrc2_transfer_from", EncodeIcrc2TransferFromArgs(TransferFromArg{
			From: Account{Owner: alice}, To: Account{Owner: bob}, Amount: amount(n)}))
	}
	refused := spend(1)
	require.Equal(t, TransferFromErrorTagInsufficientAllowance, refused.Err.Tag)
	require.Zero(t, refused.Err.InsufficientAllowance.Allowance.Sign())

	before := [2]uint64{w.balance(ICPLedger, alice), w.balance(ICPLedger, bob)}
	require.Equal(t, ApproveResultTagOk, approve(ApproveArg{Amount: amount(100_000)}).Tag)
	require.EqualValues(t, 100_000, allowed())
	require.Equal(t, TransferFromResultTagOk, spend(30_000).Tag)
	require.EqualValues(t, 60_000, allowed(), "the fee counts, too")
	require.Equal(t, [2]uint64{before[0] - fee - 30_000 - fee, before[1] + 30_000}, [2]uint64{w.balance(ICPLedger, alice), w.balance(ICPLedger, bob)})
	require.Equal(t, TransferFromErrorTagInsufficientAllowance, spend(50_001).Err.Tag)
	require.Equal(t, TransferFromResultTagOk, spend(50_000).Tag)
	require.Zero(t, allowed())

	wrong, right := amount(5), amount(0)
	changed := approve(ApproveArg{Amount: amount(1), ExpectedAllowance: &wrong})
	require.Equal(t, ApproveErrorTagAllowanceChanged, changed.Err.Tag)
	past, soon := w.now, w.now+100
	require.Equal(t, ApproveErrorTagExpired, approve(ApproveArg{Amount: amount(1), ExpiresAt: &past}).Err.Tag)
	require.Equal(t, ApproveResultTagOk, approve(ApproveArg{Amount: amount(50_000), ExpectedAllowance: &right, ExpiresAt: &soon}).Tag)
	require.EqualValues(t, 50_000, allowed())
	w.now += 100
	require.Zero(t, allowed(), "it has expired")
	require.Equal(t, TransferFromErrorTagInsufficientAllowance, spend(1).Err.Tag)
	cheap := amount(1)
	require.Equal(t, ApproveErrorTagBadFee, approve(ApproveArg{Amount: amount(1), Fee: &cheap}).Err.Tag)

	created := w.now
	require.Equal(t, ApproveResultTagOk, approve(ApproveArg{Amount: amount(7), CreatedAtTime: &created}).Tag)
	require.Equal(t, ApproveErrorTagDuplicate, approve(ApproveArg{Amount: amount(7), CreatedAtTime: &created}).Err.Tag)
	_, err := w.try(alice, ICPLedger, "icrc2_approve", cycles.Amount{}, EncodeIcrc2ApproveArgs(ApproveArg{Spender: Account{Owner: alice}, Amount: amount(1)}))
	require.ErrorContains(t, err, "self approval is not allowed")

	poor := newWorld(t, false)
	none := on(poor, DecodeIcrc2ApproveResult, alice, CyclesLedger, "icrc2_approve", EncodeIcrc2ApproveArgs(ApproveArg{Spender: Account{Owner: bob}, Amount: amount(1)}))
	require.Equal(t, ApproveErrorTagInsufficientFunds, none.Err.Tag)
	require.Equal(t, ApproveResultTagOk, approve(ApproveArg{Amount: amount(0)}).Tag)
	require.Zero(t, allowed())
}

func TestSubnetTypes(t *testing.T) {
	w := newWorld(t, true)
	types := on(w, DecodeGetSubnetTypesToSubnetsResult, alice, CyclesMinting, "get_subnet_types_to_subnets", EncodeGetSubnetTypesToSubnetsArgs())
	require.Empty(t, types.Data)
}
