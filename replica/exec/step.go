package exec

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/table"

	"kedge/replica/cycles"
)

// Step is one execution of one entry point. It has ended when the caller sees it, but the canister's
// memories keep what it did only after Commit. Exactly one of Commit and Rollback must follow, before the
// instance runs again.
type Step struct {
	Out Output

	in       Input
	out      *Output
	instance *Instance

	// What the step works on.
	stable          *Stable
	reply           []byte
	building        *Call
	dataCertificate []byte
	balance         cycles.Amount
	available       cycles.Amount
	grown           uint64 // bytes of memory that it asked for
	reserve         int64  // instructions of the limit that the counter does not hold
	aborted         bool

	// What it takes to undo it.
	pages        touched
	heapBefore   uint64 // pages of 64 KiB
	globalBefore []uint64
	stableBefore *Stable
}

// Run executes one entry point. A trap, a breach of the contract and a limit are results, in Out.Err.
func (i *Instance) Run(ctx context.Context, in Input) *Step {
	s := &Step{in: in, instance: i, balance: in.Env.Balance, available: in.Available}
	s.out = &s.Out
	s.stable, s.stableBefore = i.stable.Snapshot(), i.stable
	s.heapBefore = s.heapSize() / WasmPage
	s.globalBefore = i.readGlobals()
	i.beginStep(s)

	err := s.call(&stepContext{Context: ctx, step: s})
	s.finish(err)
	return s
}

// call enters the module.
func (s *Step) call(ctx context.Context) (err error) {
	defer func() {
		if t, ok := recover().(*trap); ok {
			err = t
		}
	}()
	if s.in.Entry != "" {
		return s.instance.entry(s.in.Entry).CallWithStack(ctx, nil)
	}
	return s.callback(ctx)
}

// callback calls a function of table 0 with its environment.
func (s *Step) callback(ctx context.Context) error {
	if !s.instance.module.hasTable {
		return noSuchFunction(s.in.Callback.Func)
	}
	var stack [1]uint64
	stack[0] = uint64(s.in.Callback.Env)
	function, problem := s.lookUp(s.in.Callback.Func)
	if problem != nil {
		return problem
	}
	return function.CallWithStack(ctx, stack[:])
}

// lookUp returns a function of table 0 that takes an i32.
func (s *Step) lookUp(index uint32) (function api.Function, problem *trap) {
	defer func() {
		switch failure := recover(); {
		case failure == nil:
		case index >= s.instance.module.tableSize:
			problem = noSuchFunction(index)
		case strings.Contains(fmt.Sprint(failure), "type mismatch"):
			problem = violation("function invocation does not match its signature")
		default:
			problem = violation("unexpected null function reference")
		}
	}()
	return table.LookupFunction(s.instance.wasm, 0, index, types(i32), nil), nil
}

// finish turns the end of the call into an Output.
func (s *Step) finish(err error) {
	o := s.out
	s.chargeHeap2025()
	if err == nil && s.overdrawn() {
		err = outOfInstructions(s.in.Limit)
	}
	s.dropCall()
	o.Balance = s.balance
	if err != nil {
		t := asTrap(err)
		s.aborted = t == aborted
		if t.log != "" {
			trace := s.instance.module.symbols.backtrace(err)
			t.text += trace
			s.log(t.log + trace)
		}
		// What did not return never happened, but for its logs and its instructions.
		*o = Output{Err: t.describe(s.in.Env.Self), Cause: t.text, Logs: o.Logs, Balance: s.in.Env.Balance}
	}
	o.Report = Report{
		Instructions:    s.used(),
		PageCharges:     s.pages.charged,
		HeapRead:        s.heapPages(&s.pages.heapRead),
		HeapWritten:     s.heapPages(&s.pages.heapWritten),
		StableRead:      s.pages.stableRead.count,
		StableWritten:   s.pages.stableWritten.count,
		StableRead4K:    s.pages.stableRead4K.count,
		StableWritten4K: s.pages.stableWritten4K.count,
		HeapPages:       s.heapSize() / WasmPage,
		StablePages:     s.stable.Pages(),
	}
}

// Stable returns the stable memory as the step left it, before it is committed.
func (s *Step) Stable() *Stable { return s.stable.Snapshot() }

// Commit keeps what the step did to heap, globals and stable memory.
func (s *Step) Commit() {
	s.Hold()
	s.instance.dropSaved(s)
	s.stableBefore = nil
}

// Hold keeps what the step did for the steps to come, but it can still be rolled back: after those.
func (s *Step) Hold() {
	if s.Out.Err != nil {
		panic("exec: a step that failed cannot be kept")
	}
	s.instance.stable = s.stable
}

// Rollback restores heap, globals and stable memory as they were before the step.
func (s *Step) Rollback(ctx context.Context) error {
	return s.instance.restore(ctx, s)
}

// answered reports whether the call context has its answer, given before or by this step.
func (s *Step) answered() bool { return s.in.Answered || s.out.Response != nil }

// log adds an entry to the canister's log.
func (s *Step) log(text string) {
	s.out.Logs = append(s.out.Logs, Log{Time: s.in.Env.Time, Content: []byte(text)})
}

// chargeLog charges for an entry of the log: copying it, and storing what fits beside the other entries of this
// message. Queries pay, too, though nothing of theirs is stored.
func (s *Step) chargeLog(size uint64) {
	var used uint64
	for _, entry := range s.out.Logs {
		used += uint64(len(entry.Content)) + LogOverhead
	}
	capacity := s.in.Env.LogCapacity
	s.charge(costLogCopyByte*min(size, capacity) + costLogStoreByte*min(size, capacity-min(capacity, used)))
}

// LogOverhead is what an entry of a log takes beside its content, in bytes.
const LogOverhead = 16

// charge takes instructions from the step's limit and ends the step if there are too few.
func (s *Step) charge(n uint64) {
	left := s.left()
	if n > s.in.Limit {
		n = s.in.Limit + 1
	}
	s.setLeft(left - int64(n))
	if left < int64(n) {
		panic(outOfInstructions(s.in.Limit))
	}
}

// used is the number of instructions so far, at most the limit.
func (s *Step) used() uint64 { return min(uint64(int64(s.in.Limit)-s.left()), s.in.Limit) }

// overdrawn reports whether the last instructions of the step exceeded its limit.
func (s *Step) overdrawn() bool { return s.left() < 0 }
