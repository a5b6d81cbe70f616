package builtin

import (
	"crypto/sha256"
	"fmt"

	"kedge/ic/principal"
	"kedge/replica/cycles"
)

// Windows of created_at_time, in nanoseconds: how old a transaction may be, and how far ahead its clock.
const (
	transactionWindow = 24 * 60 * 60 * 1_000_000_000
	permittedDrift    = 2 * 60 * 1_000_000_000
)

// Ledger is what one ledger remembers.
type Ledger struct {
	Opening  cycles.Amount // what an account holds that was never used
	Balances map[AccountID]cycles.Amount
	// Allowances are what spenders may take from accounts that are not theirs.
	Allowances map[AllowanceKey]Allowance
	Blocks     []Block
	Recent     map[[32]byte]uint64 // block of each transaction that says when it was created
	Oldest     uint64              // the first block whose transaction may be in Recent
}

// Block is a transaction that took place.
type Block struct {
	Time     uint64
	From, To AccountID // the zero account where tokens come from nothing or go to nothing
	Amount   cycles.Amount
	Memo     uint64
	Key      [32]byte            // of the transaction in Recent
	Canister principal.Principal // that was created with it, if any
	Notified bool                // the cycles minting canister has given cycles for it
	Minted   uint64              // the block of the cycles ledger where it did
}

// transaction is what somebody asks a ledger to do.
type transaction struct {
	from, to    AccountID
	amount, fee cycles.Amount
	memo        uint64
	created     *uint64
	more        string // whatever else tells two transactions apart
}

// fault is why a ledger refuses a transaction.
type fault struct {
	kind        faultKind
	balance     cycles.Amount // insufficient
	duplicateOf uint64        // duplicate
	now         uint64        // inFuture
}

type faultKind uint8

const (
	insufficient faultKind = iota + 1
	tooOld
	inFuture
	duplicate
)

// balance returns what an account holds.
func (l *Ledger) balance(id AccountID) cycles.Amount {
	if id == inexhaustible {
		return cycles.Max.Over(1 << 32) // much, and still far from where amounts end
	}
	if amount, used := l.Balances[id]; used {
		return amount
	}
	return l.Opening
}

func (l *Ledger) setBalance(id AccountID, amount cycles.Amount) {
	if id == inexhaustible {
		return
	}
	if l.Balances == nil {
		l.Balances = make(map[AccountID]cycles.Amount)
	}
	l.Balances[id] = amount
}

// supply adds up all accounts that were used, but for the inexhaustible one.
func (l *Ledger) supply() (sum cycles.Amount) {
	for _, amount := range l.Balances {
		sum = sum.Plus(amount)
	}
	return sum
}

// post carries a transaction out and returns its block.
func (l *Ledger) post(now uint64, t transaction) (block uint64, refused *fault) {
	key, refused := l.admit(now, t)
	if refused != nil {
		return 0, refused
	}
	if t.from != (AccountID{}) {
		balance, due := l.balance(t.from), t.amount.Plus(t.fee)
		if balance.Less(due) {
			return 0, &fault{kind: insufficient, balance: balance}
		}
		l.setBalance(t.from, balance.Minus(due))
	}
	if t.to != (AccountID{}) {
		l.setBalance(t.to, l.balance(t.to).Plus(t.amount))
	}
	block = uint64(len(l.Blocks))
	l.Blocks = append(l.Blocks, Block{Time: now, From: t.from, To: t.to, Amount: t.amount, Memo: t.memo, Key: key})
	if t.created != nil {
		if l.Recent == nil {
			l.Recent = make(map[[32]byte]uint64)
		}
		l.Recent[key] = block
	}
	return block, nil
}

// admit refuses a transaction that is too old, from the future, or a repetition.
func (l *Ledger) admit(now uint64, t transaction) (key [32]byte, refused *fault) {
	for ; l.Oldest < uint64(len(l.Blocks)) && l.Blocks[l.Oldest].Time+transactionWindow+permittedDrift < now; l.Oldest++ {
		delete(l.Recent, l.Blocks[l.Oldest].Key)
	}
	if t.created == nil {
		return key, nil
	}
	switch created := *t.created; {
	case created < now && now-created > transactionWindow+permittedDrift:
		return key, &fault{kind: tooOld}
	case created > now && created-now > permittedDrift:
		return key, &fault{kind: inFuture, now: now}
	}
	key = sha256.Sum256(fmt.Appendf(nil, "%x %x %v %v %d %d %q", t.from, t.to, t.amount, t.fee, t.memo, *t.created, t.more))
	if block, again := l.Recent[key]; again {
		return key, &fault{kind: duplicate, duplicateOf: block}
	}
	return key, nil
}
