package builtin

import (
	"fmt"
	"math/big"

	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// Allowances: ICRC-2 (https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-2).

// AllowanceKey is an account and who may spend from it.
type AllowanceKey struct{ Account, Spender AccountID }

// Allowance is how much a spender may still take from an account, fees included.
type Allowance struct {
	Amount  cycles.Amount
	Expires uint64 // nanoseconds since 1970; zero if never
}

// allowanceMethods are the methods of ICRC-2.
var allowanceMethods = map[string]method{
	"icrc2_approve":       taking(false, DecodeIcrc2ApproveArgs, EncodeIcrc2ApproveResult, approve),
	"icrc2_transfer_from": taking(false, DecodeIcrc2TransferFromArgs, EncodeIcrc2TransferFromResult, transferFrom),
	"icrc2_allowance":     taking(true, DecodeIcrc2AllowanceArgs, EncodeIcrc2AllowanceResult, allowance),
}

// allowance returns what a spender may take at a time.
func (l *Ledger) allowance(key AllowanceKey, now uint64) Allowance {
	a := l.Allowances[key]
	if a.Expires != 0 && a.Expires <= now {
		return Allowance{}
	}
	return a
}

func (l *Ledger) setAllowance(key AllowanceKey, a Allowance) {
	if a.Amount.IsZero() {
		delete(l.Allowances, key)
		return
	}
	if l.Allowances == nil {
		l.Allowances = make(map[AllowanceKey]Allowance)
	}
	l.Allowances[key] = a
}

func allowance(s *session, a AllowanceArg) (AllowanceResult, *reject.Error) {
	key, err := s.allowanceKey(a.Account, a.Spender)
	if err != nil {
		return AllowanceResult{}, err
	}
	l, _ := s.own()
	allowed := l.allowance(key, s.Time)
	result := AllowanceResult{Allowance: allowed.Amount.Big()}
	if allowed.Expires != 0 {
		result.ExpiresAt = &allowed.Expires
	}
	return result, nil
}

func (s *session) allowanceKey(account, spender Account) (key AllowanceKey, err *reject.Error) {
	if key.Account, err = s.account(account); err != nil {
		return key, err
	}
	key.Spender, err = s.account(spender)
	return key, err
}

func approve(s *session, a ApproveArg) (ApproveResult, *reject.Error) {
	l, t := s.own()
	key, err := s.allowanceKey(Account{s.Caller, a.FromSubaccount}, a.Spender)
	switch {
	case err != nil:
		return ApproveResult{}, err
	case a.Spender.Owner == s.Caller:
		return ApproveResult{}, s.trap("self approval is not allowed")
	}
	refuse := func(e ApproveError) (ApproveResult, *reject.Error) {
		return ApproveResult{Tag: ApproveResultTagErr, Err: e}, nil
	}
	current := l.allowance(key, s.Time)
	switch {
	case a.Fee != nil && (*a.Fee).Cmp(t.fee.Big()) != 0:
		return refuse(ApproveError{Tag: ApproveErrorTagBadFee, BadFee: ApproveErrorBadFee{t.fee.Big()}})
	case a.ExpiresAt != nil && *a.ExpiresAt <= s.Time:
		return refuse(ApproveError{Tag: ApproveErrorTagExpired, Expired: ApproveErrorExpired{s.Time}})
	case a.ExpectedAllowance != nil && (*a.ExpectedAllowance).Cmp(current.Amount.Big()) != 0:
		return refuse(ApproveError{Tag: ApproveErrorTagAllowanceChanged, AllowanceChanged: ApproveErrorAllowanceChanged{current.Amount.Big()}})
	}
	granted := Allowance{Amount: cycles.FromBig(a.Amount)}
	if a.ExpiresAt != nil {
		granted.Expires = *a.ExpiresAt
	}
	// The fee is all that moves. Everything that tells two approvals apart is in the rest.
	block, refused := l.post(s.Time, transaction{from: key.Account, fee: t.fee, created: a.CreatedAtTime,
		more: fmt.Sprintf("approve %x %v %d %s %q", key.Spender, granted.Amount, granted.Expires, orNone(a.ExpectedAllowance), a.Memo)})
	if refused != nil {
		switch e := refused.transfer(); e.Tag {
		case TransferErrorTagInsufficientFunds:
			return refuse(ApproveError{Tag: ApproveErrorTagInsufficientFunds, InsufficientFunds: ApproveErrorInsufficientFunds(e.InsufficientFunds)})
		case TransferErrorTagCreatedInFuture:
			return refuse(ApproveError{Tag: ApproveErrorTagCreatedInFuture, CreatedInFuture: ApproveErrorCreatedInFuture(e.CreatedInFuture)})
		case TransferErrorTagDuplicate:
			return refuse(ApproveError{Tag: ApproveErrorTagDuplicate, Duplicate: ApproveErrorDuplicate(e.Duplicate)})
		default:
			return refuse(ApproveError{Tag: ApproveErrorTagTooOld})
		}
	}
	l.setAllowance(key, granted)
	return ApproveResult{Tag: ApproveResultTagOk, Ok: index(block)}, nil
}

// orNone writes an optional number.
func orNone(n **big.Int) string {
	if n == nil {
		return ""
	}
	return (*n).String()
}

func transferFrom(s *session, a TransferFromArg) (TransferFromResult, *reject.Error) {
	l, t := s.own()
	key, err := s.allowanceKey(a.From, Account{s.Caller, a.SpenderSubaccount})
	if err != nil {
		return TransferFromResult{}, err
	}
	to, err := s.account(a.To)
	if err != nil {
		return TransferFromResult{}, err
	}
	refuse := func(e TransferFromError) (TransferFromResult, *reject.Error) {
		return TransferFromResult{Tag: TransferFromResultTagErr, Err: e}, nil
	}
	if a.Fee != nil && (*a.Fee).Cmp(t.fee.Big()) != 0 {
		return refuse(TransferFromError{Tag: TransferFromErrorTagBadFee, BadFee: TransferFromErrorBadFee{t.fee.Big()}})
	}
	amount := cycles.FromBig(a.Amount)
	allowed, due := l.allowance(key, s.Time), amount.Plus(t.fee)
	own := key.Account == key.Spender // needs no allowance
	if !own && allowed.Amount.Less(due) {
		return refuse(TransferFromError{Tag: TransferFromErrorTagInsufficientAllowance,
			InsufficientAllowance: TransferFromErrorInsufficientAllowance{allowed.Amount.Big()}})
	}
	block, refused := l.post(s.Time, transaction{from: key.Account, to: to, amount: amount, fee: t.fee, created: a.CreatedAtTime,
		more: fmt.Sprintf("by %x %q", key.Spender, a.Memo)})
	if refused != nil {
		switch e := refused.transfer(); e.Tag {
		case TransferErrorTagInsufficientFunds:
			return refuse(TransferFromError{Tag: TransferFromErrorTagInsufficientFunds, InsufficientFunds: TransferFromErrorInsufficientFunds(e.InsufficientFunds)})
		case TransferErrorTagCreatedInFuture:
			return refuse(TransferFromError{Tag: TransferFromErrorTagCreatedInFuture, CreatedInFuture: TransferFromErrorCreatedInFuture(e.CreatedInFuture)})
		case TransferErrorTagDuplicate:
			return refuse(TransferFromError{Tag: TransferFromErrorTagDuplicate, Duplicate: TransferFromErrorDuplicate(e.Duplicate)})
		default:
			return refuse(TransferFromError{Tag: TransferFromErrorTagTooOld})
		}
	}
	if !own {
		allowed.Amount = allowed.Amount.Minus(due)
		l.setAllowance(key, allowed)
	}
	return TransferFromResult{Tag: TransferFromResultTagOk, Ok: index(block)}, nil
}

// subnetTypes is the answer of get_subnet_types_to_subnets: the only subnet has no special type.
func subnetTypes(*session) SubnetTypes { return SubnetTypes{Data: []SubnetTypesData{}} }
