package builtin

import (
	"math/big"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// What the cycles ledger has beside ICRC-1.

var cyclesMethods = map[string]method{
	"create_canister": taking(false, DecodeCreateCanisterArgs, EncodeCreateCanisterResult, createCanister),
	"deposit":         taking(false, DecodeDepositArgs, EncodeDepositResult, deposit),
	"withdraw":        taking(false, DecodeWithdrawArgs, EncodeWithdrawResult, withdraw),
}

// deposit credits the cycles that came with the call.
func deposit(s *session, a DepositArg) (Deposited, *reject.Error) {
	to, err := s.account(a.To)
	if err != nil {
		return Deposited{}, err
	}
	fee := cyclesToken.fee
	if s.Cycles.Less(fee) {
		return Deposited{}, s.trap("The requested amount " + s.Cycles.String() + " to be deposited is less than the cycles ledger fee: " + fee.String())
	}
	l := &s.state.Cycles
	block, _ := l.post(s.Time, transaction{to: to, amount: s.Cycles.Minus(fee)}) // tokens from nothing cannot be short
	s.accepted = s.Cycles
	return Deposited{Balance: l.balance(to).Big(), BlockIndex: index(block)}, nil
}

// withdraw moves cycles from an account to a canister.
func withdraw(s *session, a WithdrawArg) (WithdrawResult, *reject.Error) {
	from, err := s.mine(a.FromSubaccount)
	if err != nil {
		return WithdrawResult{}, err
	}
	refuse := func(err WithdrawError) (WithdrawResult, *reject.Error) {
		return WithdrawResult{Tag: WithdrawResultTagErr, Err: err}, nil
	}
	if _, ok := a.To.CanisterIndex(); !ok {
		return refuse(WithdrawError{Tag: WithdrawErrorTagInvalidReceiver, InvalidReceiver: WithdrawErrorInvalidReceiver{a.To}})
	}
	amount, l := cycles.FromBig(a.Amount), &s.state.Cycles
	block, refused := l.post(s.Time, transaction{from: from, amount: amount, fee: cyclesToken.fee, created: a.CreatedAtTime,
		more: "withdraw to " + a.To.Text()})
	if refused != nil {
		return refuse(refused.withdraw())
	}
	if !s.Host.Exists(a.To) {
		back, _ := l.post(s.Time, transaction{to: from, amount: amount})
		return refuse(WithdrawError{Tag: WithdrawErrorTagFailedToWithdraw, FailedToWithdraw: WithdrawErrorFailedToWithdraw{
			FeeBlock: optional(back), RejectionCode: RejectionCodeDestinationInvalid, RejectionReason: "Canister " + a.To.Text() + " not found"}})
	}
	s.Host.TopUp(a.To, amount)
	return WithdrawResult{Tag: WithdrawResultTagOk, Ok: index(block)}, nil
}

func (f *fault) withdraw() WithdrawError {
	switch f.kind {
	case insufficient:
		return WithdrawError{Tag: WithdrawErrorTagInsufficientFunds, InsufficientFunds: WithdrawErrorInsufficientFunds{f.balance.Big()}}
	case inFuture:
		return WithdrawError{Tag: WithdrawErrorTagCreatedInFuture, CreatedInFuture: WithdrawErrorCreatedInFuture{f.now}}
	case duplicate:
		return WithdrawError{Tag: WithdrawErrorTagDuplicate, Duplicate: WithdrawErrorDuplicate{index(f.duplicateOf)}}
	default:
		return WithdrawError{Tag: WithdrawErrorTagTooOld}
	}
}

// createCanister makes a canister with cycles of an account. If that fails, all but the fee comes back.
func createCanister(s *session, a CreateArg) (CreateResult, *reject.Error) {
	from, err := s.mine(a.FromSubaccount)
	if err != nil {
		return CreateResult{}, err
	}
	refuse := func(err CreateError) (CreateResult, *reject.Error) {
		return CreateResult{Tag: CreateResultTagErr, Err: err}, nil
	}
	amount, l := cycles.FromBig(a.Amount), &s.state.Cycles
	// Arguments that differ make different transactions: those of the settings are in the encoding.
	t := transaction{from: from, amount: amount, fee: cyclesToken.fee, created: a.CreatedAtTime,
		more: "create_canister " + string(s.Arg)}
	block, refused := l.post(s.Time, t)
	if refused != nil {
		return refuse(s.createFault(refused))
	}
	var asked CreationArgs
	if a.CreationArgs != nil {
		asked = *a.CreationArgs
	}
	id, failure := s.create(s.Caller, asked.Settings, asked.SubnetSelection, amount)
	if failure != nil {
		back, _ := l.post(s.Time, transaction{to: from, amount: amount})
		return refuse(CreateError{Tag: CreateErrorTagFailedToCreate, FailedToCreate: CreateErrorFailedToCreate{
			FeeBlock: optional(block), RefundBlock: optional(back), Error: failure.Message}})
	}
	l.Blocks[block].Canister = id
	return CreateResult{Tag: CreateResultTagOk, Ok: CreateResultOk{BlockID: index(block), CanisterID: id}}, nil
}

func (s *session) createFault(f *fault) CreateError {
	switch f.kind {
	case insufficient:
		return CreateError{Tag: CreateErrorTagInsufficientFunds, InsufficientFunds: CreateErrorInsufficientFunds{f.balance.Big()}}
	case inFuture:
		return CreateError{Tag: CreateErrorTagCreatedInFuture, CreatedInFuture: CreateErrorCreatedInFuture{f.now}}
	case duplicate:
		again := CreateErrorDuplicate{DuplicateOf: index(f.duplicateOf)}
		if made := s.state.Cycles.Blocks[f.duplicateOf].Canister; made != principal.Management {
			again.CanisterID = &made
		}
		return CreateError{Tag: CreateErrorTagDuplicate, Duplicate: again}
	default:
		return CreateError{Tag: CreateErrorTagTooOld}
	}
}

// optional is opt nat of a block.
func optional(block uint64) **big.Int {
	n := index(block)
	return &n
}
