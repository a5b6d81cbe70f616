package builtin

import (
	"encoding/hex"
	"math/big"

	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// What both ledgers have in common: ICRC-1 (https://github.com/dfinity/ICRC-1).

// token describes what a ledger keeps.
type token struct {
	name, symbol string
	decimals     uint8
	fee          cycles.Amount
}

// e8s is how many of the ledger's units an ICP has.
const e8s = 100_000_000

var (
	icpToken    = token{"Internet Computer", "ICP", 8, cycles.New(10_000)}
	cyclesToken = token{"Trillion Cycles", "TCYCLES", 12, cycles.New(100_000_000)}
)

// tokenMethods are the methods of ICRC-1.
var tokenMethods = map[string]method{
	"icrc1_balance_of": taking(true, DecodeIcrc1BalanceOfArgs, EncodeIcrc1BalanceOfResult, balanceOf),
	"icrc1_transfer":   taking(false, DecodeIcrc1TransferArgs, EncodeIcrc1TransferResult, transferTokens),
	"icrc1_decimals": telling(EncodeIcrc1DecimalsResult, func(s *session) uint8 {
		_, t := s.own()
		return t.decimals
	}),
	"icrc1_fee": telling(EncodeIcrc1FeeResult, func(s *session) *big.Int {
		_, t := s.own()
		return t.fee.Big()
	}),
	"icrc1_name": telling(EncodeIcrc1NameResult, func(s *session) string {
		_, t := s.own()
		return t.name
	}),
	"icrc1_symbol": telling(EncodeIcrc1SymbolResult, func(s *session) string {
		_, t := s.own()
		return t.symbol
	}),
	"icrc1_total_supply": telling(EncodeIcrc1TotalSupplyResult, func(s *session) *big.Int {
		l, _ := s.own()
		return l.supply().Big()
	}),
	"icrc1_minting_account": telling(EncodeIcrc1MintingAccountResult, func(*session) *Account { return nil }),
	"icrc1_supported_standards": telling(EncodeIcrc1SupportedStandardsResult, func(*session) []Standard {
		return []Standard{
			{Name: "ICRC-1", URL: "https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-1"},
			{Name: "ICRC-2", URL: "https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-2"},
		}
	}),
	"icrc1_metadata": telling(EncodeIcrc1MetadataResult, func(s *session) []MetadataEntry {
		_, t := s.own()
		return []MetadataEntry{
			{"icrc1:decimals", MetadataValue{Tag: MetadataValueTagNat, Nat: big.NewInt(int64(t.decimals))}},
			{"icrc1:name", MetadataValue{Tag: MetadataValueTagText, Text: t.name}},
			{"icrc1:symbol", MetadataValue{Tag: MetadataValueTagText, Text: t.symbol}},
			{"icrc1:fee", MetadataValue{Tag: MetadataValueTagNat, Nat: t.fee.Big()}},
		}
	}),
}

// account finds an account that an argument names; one that cannot be is a trap, as in the original.
func (s *session) account(a Account) (AccountID, *reject.Error) {
	id, ok := accountOf(a.Owner, a.Subaccount)
	if !ok {
		return id, s.trap("the subaccount " + hex.EncodeToString(a.Subaccount) + " does not have 32 bytes")
	}
	return id, nil
}

// mine finds an account of the caller.
func (s *session) mine(subaccount []byte) (AccountID, *reject.Error) {
	return s.account(Account{s.Caller, subaccount})
}

func balanceOf(s *session, a Account) (*big.Int, *reject.Error) {
	id, err := s.account(a)
	if err != nil {
		return nil, err
	}
	l, _ := s.own()
	return l.balance(id).Big(), nil
}

func transferTokens(s *session, a TransferArg) (TransferResult, *reject.Error) {
	l, t := s.own()
	from, err := s.mine(a.FromSubaccount)
	if err != nil {
		return TransferResult{}, err
	}
	to, err := s.account(a.To)
	if err != nil {
		return TransferResult{}, err
	}
	if a.Fee != nil && (*a.Fee).Cmp(t.fee.Big()) != 0 {
		return refusedTransfer(TransferError{Tag: TransferErrorTagBadFee, BadFee: TransferErrorBadFee{t.fee.Big()}}), nil
	}
	block, refused := l.post(s.Time, transaction{from: from, to: to, amount: cycles.FromBig(a.Amount), fee: t.fee,
		created: a.CreatedAtTime, more: string(a.Memo)})
	if refused != nil {
		return refusedTransfer(refused.transfer()), nil
	}
	return TransferResult{Tag: TransferResultTagOk, Ok: index(block)}, nil
}

func refusedTransfer(err TransferError) TransferResult {
	return TransferResult{Tag: TransferResultTagErr, Err: err}
}

func (f *fault) transfer() TransferError {
	switch f.kind {
	case insufficient:
		return TransferError{Tag: TransferErrorTagInsufficientFunds, InsufficientFunds: TransferErrorInsufficientFunds{f.balance.Big()}}
	case inFuture:
		return TransferError{Tag: TransferErrorTagCreatedInFuture, CreatedInFuture: TransferErrorCreatedInFuture{f.now}}
	case duplicate:
		return TransferError{Tag: TransferErrorTagDuplicate, Duplicate: TransferErrorDuplicate{index(f.duplicateOf)}}
	default:
		return TransferError{Tag: TransferErrorTagTooOld}
	}
}

func index(block uint64) *big.Int { return new(big.Int).SetUint64(block) }
