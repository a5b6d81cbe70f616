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
// upgrade (then neither callback runs and the answer is dropped, with a line in the log; stop a canister
// before you upgrade it, and none is on its way). After an await
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

// MaxCallsPerMessage is how many calls one message can make; further ones are not sent. A queue to one
// canister takes 500.
const MaxCallsPerMessage = 1<<16 - 1

// numbering gives each call the number that the network carries for us (its env) and brings back with the
// answer. The network keeps a call that waits over an upgrade, and over the loading of a snapshot: its
// answer then comes to a module that knows nothing of it, and must not be taken for that of another call. So
// the numbers of two lives of a module never meet: the calls of a message count on from
// canister_version · 2^16, modulo 2^32. The version has grown by one at least before the next message, and
// a message makes fewer calls than 2^16.
//
// The bound: a number comes again after 65,536 messages. In the same life it is passed over while its call
// waits. A call that waits while its canister is upgraded, handles 65,536 messages in all and makes a call
// with the very number would have its answer taken for that of the new call.
type numbering struct {
	version uint64 // of the last message that made a call
	made    uint32 // calls that the message has made
}

const numbersPerMessage = MaxCallsPerMessage + 1

// next returns the number of the next call; ok is false if the message has made too many.
func (n *numbering) next(version uint64, taken func(uint32) bool) (number uint32, ok bool) {
	if version != n.version {
		*n = numbering{version: version}
	}
	for n.made < MaxCallsPerMessage {
		n.made++
		if number = uint32(version)*numbersPerMessage + n.made; !taken(number) {
			return number, true
		}
	}
	return 0, false
}

// pending are the calls on their way by their numbers. The closures live in the heap between messages, as
// everything else does.
var (
	pending = map[uint32]callbacks{}
	numbers numbering
)

// Send sends the request as [Call] does. The error wraps [ErrNotSent].
func (r Request) Send() error {
	number, ok := numbers.next(system.Version(), func(n uint32) bool { _, waits := pending[n]; return waits })
	if !ok {
		return fmt.Errorf("%w: %q of %v: one message makes at most %d calls", ErrNotSent, r.Method, r.Callee, MaxCallsPerMessage)
	}
	if !system.Call(&r, number) {
		return fmt.Errorf("%w: %q of %v", ErrNotSent, r.Method, r.Callee)
	}
	pending[number] = callbacks{r.OnReply, r.OnReject, r.OnCleanup}
	return nil
}

// take returns the callbacks of a call and forgets them. If the callback traps, the network brings
// them back for the cleanup. An answer that nobody waits for any more is dropped: ok is false.
func take(number uint32) (c callbacks, ok bool) {
	c, ok = pending[number]
	delete(pending, number)
	return c, ok
}

// dropped says in the log that an answer came too late.
func dropped(what string) {
	Print("dropped " + what + " to a call that this module did not make: the canister was upgraded, or a snapshot loaded, while the call waited")
}

func runReply(number uint32) {
	run(entryCallback, func() {
		switch c, ok := take(number); {
		case !ok:
			dropped("a reply")
		case c.onReply != nil:
			c.onReply(Arg())
		}
	})
}

func runReject(number uint32) {
	run(entryCallback, func() {
		switch c, ok := take(number); {
		case !ok:
			dropped("a rejection")
		case c.onReject != nil:
			c.onReject(system.RejectCode(), system.RejectMessage())
		}
	})
}

func runCleanup(number uint32) {
	run(entryCleanup, func() {
		if c, _ := take(number); c.onCleanup != nil {
			c.onCleanup()
		}
	})
}
