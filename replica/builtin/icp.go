package builtin

import (
	"encoding/hex"

	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// What the ICP ledger has beside ICRC-1: its older interface, where accounts are account identifiers.

var icpMethods = map[string]method{
	"transfer":           taking(false, DecodeTransferArgs, EncodeTransferResult, transferICP),
	"account_balance":    taking(true, DecodeAccountBalanceArgs, EncodeAccountBalanceResult, accountBalance),
	"account_identifier": taking(true, DecodeAccountIdentifierArgs, EncodeAccountIdentifierResult, accountIdentifier),
	"transfer_fee": taking(true, DecodeTransferFeeArgs, EncodeTransferFeeResult,
		func(*session, TransferFeeArgs) (TransferFeeResult, *reject.Error) {
			return TransferFeeResult{tokens(icpToken.fee)}, nil
		}),
}

// tokens gives an amount its older form; what does not fit is the greatest that does.
func tokens(a cycles.Amount) Tokens {
	return Tokens{a.Min(cycles.New(1<<64 - 1)).Lo}
}

func accountBalance(s *session, a AccountBalanceArgs) (Tokens, *reject.Error) {
	id, err := s.identifier(a.Account)
	if err != nil {
		return Tokens{}, err
	}
	return tokens(s.state.ICP.balance(id)), nil
}

// identifier reads an account identifier.
func (s *session) identifier(raw []byte) (AccountID, *reject.Error) {
	id, ok := parseAccount(raw)
	if !ok {
		return id, s.trap("invalid account identifier " + hex.EncodeToString(raw))
	}
	return id, nil
}

func accountIdentifier(s *session, a Account) ([]byte, *reject.Error) {
	id, err := s.account(a)
	return id[:], err
}

func transferICP(s *session, a LegacyTransferArg) (LegacyTransferResult, *reject.Error) {
	from, err := s.mine(a.FromSubaccount)
	if err != nil {
		return LegacyTransferResult{}, err
	}
	to, err := s.identifier(a.To)
	if err != nil {
		return LegacyTransferResult{}, err
	}
	refuse := func(err LegacyTransferError) (LegacyTransferResult, *reject.Error) {
		return LegacyTransferResult{Tag: LegacyTransferResultTagErr, Err: err}, nil
	}
	if fee := tokens(icpToken.fee); a.Fee != fee {
		return refuse(LegacyTransferError{Tag: LegacyTransferErrorTagBadFee, BadFee: LegacyTransferErrorBadFee{fee}})
	}
	t := transaction{from: from, to: to, amount: cycles.New(a.Amount.E8s), fee: icpToken.fee, memo: a.Memo}
	if a.CreatedAtTime != nil {
		t.created = &a.CreatedAtTime.TimestampNanos
	}
	block, refused := s.state.ICP.post(s.Time, t)
	if refused != nil {
		return refuse(refused.legacy())
	}
	return LegacyTransferResult{Tag: LegacyTransferResultTagOk, Ok: block}, nil
}

func (f *fault) legacy() LegacyTransferError {
	switch f.kind {
	case insufficient:
		return LegacyTransferError{Tag: LegacyTransferErrorTagInsufficientFunds, InsufficientFunds: LegacyTransferErrorInsufficientFunds{tokens(f.balance)}}
	case inFuture:
		return LegacyTransferError{Tag: LegacyTransferErrorTagTxCreatedInFuture}
	case duplicate:
		return LegacyTransferError{Tag: LegacyTransferErrorTagTxDuplicate, TxDuplicate: LegacyTransferErrorTxDuplicate{f.duplicateOf}}
	default:
		return LegacyTransferError{Tag: LegacyTransferErrorTagTxTooOld, TxTooOld: LegacyTransferErrorTxTooOld{transactionWindow}}
	}
}
