package builtin

import (
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// The cycles minting canister: it gives cycles for ICP that were sent to one of its accounts.

// permyriadXDR is the price of an ICP in ten-thousandths of an XDR, a trillion cycles. It never changes here.
const permyriadXDR = 50_000

// cyclesPerE8s is the same price in cycles for a hundred-millionth of an ICP.
const cyclesPerE8s = permyriadXDR * (1_000_000_000_000 / 10_000) / e8s

// Memos of payments say what they are for: the ASCII letters CREA, TPUP and MINT, read as a little-endian
// number.
const (
	memoCreate = 0x41455243
	memoTopUp  = 0x50555054
	memoMint   = 0x544e494d
)

var mintingMethods = map[string]method{
	"get_default_subnets": telling(EncodeGetDefaultSubnetsResult, func(s *session) []principal.Principal {
		return []principal.Principal{s.Host.Subnet()}
	}),
	"get_subnet_types_to_subnets": telling(EncodeGetSubnetTypesToSubnetsResult, subnetTypes),
	"get_icp_xdr_conversion_rate": telling(EncodeGetIcpXdrConversionRateResult, func(s *session) ConversionRateResponse {
		return ConversionRateResponse{Data: ConversionRate{TimestampSeconds: s.Time / 1_000_000_000, XdrPermyriadPerIcp: permyriadXDR}}
	}),
	"notify_top_up":          taking(false, DecodeNotifyTopUpArgs, EncodeNotifyTopUpResult, notifyTopUp),
	"notify_create_canister": taking(false, DecodeNotifyCreateCanisterArgs, EncodeNotifyCreateCanisterResult, notifyCreate),
	"notify_mint_cycles":     taking(false, DecodeNotifyMintCyclesArgs, EncodeNotifyMintCyclesResult, notifyMint),
}

// payment finds the payment in a block of the ICP ledger and what it is worth in cycles.
func (s *session) payment(block uint64, forWhom principal.Principal, memo uint64) (paid *Block, worth cycles.Amount, refused *NotifyError) {
	blocks := s.state.ICP.Blocks
	if block >= uint64(len(blocks)) {
		return nil, worth, invalidPayment("the ICP ledger has no such block")
	}
	paid = &blocks[block]
	to, _ := accountOf(CyclesMinting, principalSubaccount(forWhom)) // 32 bytes by construction
	switch {
	case paid.To != to:
		return nil, worth, invalidPayment("the payment is not to the account of the cycles minting canister for " + forWhom.Text())
	case paid.Memo != memo:
		return nil, worth, invalidPayment("the memo of the payment is not that of this method")
	}
	return paid, paid.Amount.Times(cyclesPerE8s), nil
}

func invalidPayment(why string) *NotifyError {
	return &NotifyError{Tag: NotifyErrorTagInvalidTransaction, InvalidTransaction: why}
}

func notifyTopUp(s *session, a NotifyTopUpArg) (NotifyTopUpResult, *reject.Error) {
	paid, worth, refused := s.payment(a.BlockIndex, a.CanisterID, memoTopUp)
	if refused == nil && !s.Host.Exists(a.CanisterID) {
		refused = invalidPayment("canister " + a.CanisterID.Text() + " not found")
	}
	if refused != nil {
		return NotifyTopUpResult{Tag: NotifyTopUpResultTagErr, Err: *refused}, nil
	}
	if !paid.Notified {
		s.Host.TopUp(a.CanisterID, worth)
		paid.Notified = true
	}
	return NotifyTopUpResult{Tag: NotifyTopUpResultTagOk, Ok: worth.Big()}, nil
}

func notifyCreate(s *session, a NotifyCreateArg) (NotifyCreateResult, *reject.Error) {
	refuse := func(err *NotifyError) (NotifyCreateResult, *reject.Error) {
		return NotifyCreateResult{Tag: NotifyCreateResultTagErr, Err: *err}, nil
	}
	paid, worth, refused := s.payment(a.BlockIndex, a.Controller, memoCreate)
	if refused != nil {
		return refuse(refused)
	}
	if paid.Canister == principal.Management {
		id, failure := s.create(a.Controller, a.Settings, a.SubnetSelection, worth)
		if failure != nil {
			return refuse(&NotifyError{Tag: NotifyErrorTagOther, Other: NotifyErrorOther{ErrorMessage: failure.Message}})
		}
		paid.Canister = id
	}
	return NotifyCreateResult{Tag: NotifyCreateResultTagOk, Ok: paid.Canister}, nil
}

func notifyMint(s *session, a NotifyMintArg) (NotifyMintResult, *reject.Error) {
	to, trap := s.mine(a.ToSubaccount)
	if trap != nil {
		return NotifyMintResult{}, trap
	}
	paid, worth, refused := s.payment(a.BlockIndex, s.Caller, memoMint)
	if refused != nil {
		return NotifyMintResult{Tag: NotifyMintResultTagErr, Err: *refused}, nil
	}
	l := &s.state.Cycles
	if !paid.Notified {
		// As with any deposit, the ledger keeps its fee. Tokens from nothing cannot be short.
		paid.Minted, _ = l.post(s.Time, transaction{to: to, amount: worth.Minus(cyclesToken.fee)})
		paid.Notified = true
	}
	return NotifyMintResult{Tag: NotifyMintResultTagOk, Ok: Minted{BlockIndex: index(paid.Minted), Minted: worth.Big(), Balance: l.balance(to).Big()}}, nil
}
