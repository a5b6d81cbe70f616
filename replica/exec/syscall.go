package exec

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// syscall is one function of module ic0.
type syscall struct {
	name     string
	params   []api.ValueType
	results  []api.ValueType
	contexts Kind
	cost     uint64 // instructions, beside what its bytes cost
	// size is the number of bytes that are paid for, at perByte instructions each; nil if none are.
	size    func(stack []uint64) uint64
	perByte uint64 // 1 if zero
	// run takes its arguments from the stack and leaves its result in stack[0].
	run func(s *Step, stack []uint64)
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// types is a shorthand for the lists of value types below.
func types(list ...api.ValueType) []api.ValueType { return list }

// syscalls is all of ic0, a group from each of the files ic0_*.go.
func syscalls() []syscall {
	var all []syscall
	for _, group := range [][]syscall{messageCalls, answerCalls, canisterCalls, callCalls, cyclesCalls, stableCalls, certifiedCalls, costCalls, variableCalls} {
		all = append(all, group...)
	}
	return all
}

// stepKey finds the running step in the context that the engine hands to host functions.
type stepKey struct{}

// stepContext carries the running step. Its own Value makes the look-up free of reflection.
type stepContext struct {
	context.Context
	step *Step
}

func (c *stepContext) Value(key any) any {
	if _, ok := key.(stepKey); ok {
		return c.step
	}
	return c.Context.Value(key)
}

// stepOf returns the step on whose behalf the engine calls the host.
func stepOf(ctx context.Context) *Step { return ctx.Value(stepKey{}).(*Step) }

// price is what a call costs: it is paid before anything else is checked, so that a call in a role that may
// not make it is paid for, too.
func (c *syscall) price(stack []uint64) uint64 {
	if c.size == nil {
		return c.cost
	}
	return c.cost + max(c.perByte, 1)*min(c.size(stack), 1<<50) // beyond, no limit suffices and nothing may wrap
}

// argument32 is the argument with the index as a number of bytes.
func argument32(index int) func(stack []uint64) uint64 {
	return func(stack []uint64) uint64 { return uint64(uint32(stack[index])) }
}

func argument64(index int) func(stack []uint64) uint64 {
	return func(stack []uint64) uint64 { return stack[index] }
}

// exportSyscalls makes module ic0.
func exportSyscalls(ctx context.Context, runtime wazero.Runtime) error {
	host := runtime.NewHostModuleBuilder("ic0")
	for _, call := range syscalls() {
		host.NewFunctionBuilder().
			WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
				s := stepOf(ctx)
				s.charge(call.price(stack))
				if !s.in.Kind.in(call.contexts) {
					panic(wrongContext(call.name, s.in.Kind))
				}
				call.run(s, stack)
			}), call.params, call.results).
			Export(call.name)
	}
	_, err := host.Instantiate(ctx)
	return err
}
