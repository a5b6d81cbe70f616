package cdk

import (
	"errors"
	"fmt"

	"kedge/ic/principal"
)

// RejectCode says why a call failed.
type RejectCode uint32

// The reject codes of the interface specification.
const (
	SysFatal           RejectCode = 1 // the network failed; do not try again
	SysTransient       RejectCode = 2 // the network failed; try again
	DestinationInvalid RejectCode = 3 // there is no such canister or method
	CanisterReject     RejectCode = 4 // the callee said no
	CanisterError      RejectCode = 5 // the callee trapped
	SysUnknown         RejectCode = 6 // nobody knows whether the call happened
)

// ErrNotSent is returned when the network does not take a call: too many are on their way to the
// same canister (500), or the canister lacks the cycles to pay for it.
var ErrNotSent = errors.New("the network did not take the call")

// Request is a call of another canister's method. What Call needs more words for is here.
type Request struct {
	Callee principal.Principal
	Method string
	Arg    []byte
	Cycles Cycles // that go with it

	// TimeoutSeconds, if not 0, makes a best-effort call: unanswered by then it is rejected with
	// [SysUnknown].
	TimeoutSeconds uint32

	OnReply   func(reply []byte)                    // nil does nothing
	OnReject  func(code RejectCode, message string) // nil does nothing
	OnCleanup func()                                // runs if the callback trapped; nil does nothing
}

// Call sends a call and returns at once: the call leaves when the message ends without a trap. The
// answer comes in a message of its own, to onReply or onReject.
//
// Between this message and that one anything may have happened: other calls, timers, even an
// upgrade (then neither callback runs, so stop a canister before you upgrade it). After an await
// every check is made again: whatever the callback needs to be true it has to establish itself;
// what a closure has captured is what was true then. A callback that traps undoes what it did and
// not what was done before the call; OnCleanup of [Request] may then release what was taken.
func Call(callee principal.Principal, method string, arg []byte, cycles Cycles, onReply func(reply []byte), onReject func(code RejectCode, message string)) error {
	return Request{Callee: callee, Method: method, Arg: arg, Cycles: cycles, OnReply: onReply, OnReject: onReject}.Send()
}

// callbacks are what a call's answer starts.
type callbacks struct {
	onReply   func([]byte)
	onReject  func(RejectCode, string)
	onCleanup func()
}

// pending are the calls on their way by the number that the network carries for us (its env). The
// closures live in the heap between messages, as everything else does.
var (
	pending  = map[uint32]callbacks{}
	lastCall uint32
)

// Send sends the request as [Call] does. The error wraps [ErrNotSent].
func (r Request) Send() error {
	lastCall++
	if !system.Call(&r, lastCall) {
		return fmt.Errorf("%w: %q of %v", ErrNotSent, r.Method, r.Callee)
	}
	pending[lastCall] = callbacks{r.OnReply, r.OnReject, r.OnCleanup}
	return nil
}

// take returns the callbacks of a call and forgets them. If the callback traps, the network brings
// them back for the cleanup.
func take(env uint32) callbacks {
	c, ok := pending[env]
	if !ok {
		Trap("the answer to a call that this module did not make: the canister was upgraded while it waited")
	}
	delete(pending, env)
	return c
}

func runReply(env uint32) {
	run(entryCallback, func() {
		if c := take(env); c.onReply != nil {
			c.onReply(Arg())
		}
	})
}

func runReject(env uint32) {
	run(entryCallback, func() {
		if c := take(env); c.onReject != nil {
			c.onReject(system.RejectCode(), system.RejectMessage())
		}
	})
}

func runCleanup(env uint32) {
	run(entryCleanup, func() {
		if c := take(env); c.onCleanup != nil {
			c.onCleanup()
		}
	})
}
