package cdktest

import (
	"bytes"
	"fmt"

	"kedge/cdk"
	"kedge/ic/principal"
)

// system is the network as canister code sees it.
type system struct{ *Network }

var _ cdk.System = system{}

func (n system) Arg() []byte                             { return bytes.Clone(n.message.arg) }
func (n system) ArgSize() int                            { return len(n.message.arg) }
func (n system) Caller() principal.Principal             { return n.caller }
func (n system) MethodName() string                      { return n.message.method }
func (n system) AcceptMessage()                          { n.message.accepted = true }
func (n system) RejectCode() cdk.RejectCode              { return n.message.rejectCode }
func (n system) RejectMessage() string                   { return n.message.rejectMessage }
func (n system) Self() principal.Principal               { return n.self }
func (n system) RootKey() []byte                         { return bytes.Clone(n.rootKey) }
func (n system) Version() uint64                         { return n.version }
func (n system) IsController(p principal.Principal) bool { return n.controllers[p] }
func (n system) Replicated() bool                        { return !n.message.query }
func (n system) Time() uint64                            { return n.now }
func (n system) CycleBalance() cdk.Cycles                { return n.balance }
func (n system) CyclesAvailable() cdk.Cycles             { return n.message.cycles }
func (n system) CyclesRefunded() cdk.Cycles              { return n.message.cycles }
func (n system) StableSize() uint64                      { return n.stable.size }
func (n system) Print(text string)                       { n.log = append(n.log, text) }
func (n system) Trap(text string)                        { panic(&Trap{text}) }

func (n system) answer() {
	if n.message.answered {
		n.Trap("the message has been answered already")
	}
	n.message.answered = true
}

func (n system) ReplyPart(data string) { n.message.reply = append(n.message.reply, data...) }

func (n system) Reply(data []byte) {
	n.answer()
	n.message.reply = append(append([]byte{}, n.message.reply...), data...)
}

func (n system) Reject(text string) {
	n.answer()
	n.message.reject = &Reject{text}
}

// PerformanceCounter counts how often it is asked.
func (n system) PerformanceCounter(uint32) uint64 {
	n.message.counter++
	return n.message.counter
}

// CyclesAccept knows amounts below 2^64.
func (n system) CyclesAccept(limit cdk.Cycles) cdk.Cycles {
	taken := min(limit.Low, n.message.cycles.Low)
	if limit.High > 0 {
		taken = n.message.cycles.Low
	}
	n.message.cycles.Low -= taken
	n.balance.Low += taken
	return cdk.Amount(taken)
}

func (n system) SetTimer(at uint64) (previous uint64) {
	n.refuseInQuery("global_timer_set")
	previous, n.timer = n.timer, at
	return previous
}

func (n system) SetCertifiedData(data []byte) {
	n.refuseInQuery("certified_data_set")
	if len(data) > 32 {
		n.Trap(fmt.Sprintf("certified data of %d bytes, at most 32 are allowed", len(data)))
	}
	n.certified = bytes.Clone(data)
}

func (n system) DataCertificate() ([]byte, bool) {
	if !n.message.query || n.certificate == nil {
		return nil, false
	}
	return bytes.Clone(n.certificate), true
}

func (n system) StableGrow(pages uint64) bool {
	limit := n.stable.limit
	if limit == 0 {
		limit = defaultLimit
	}
	if pages > limit || n.stable.size > limit-pages {
		return false
	}
	n.stable.size += pages
	return true
}

func (n system) StableRead(dst []byte, offset uint64) {
	n.checkRange(offset, len(dst))
	n.stable.read(dst, offset)
}

func (n system) StableWrite(offset uint64, src []byte) {
	n.checkRange(offset, len(src))
	if n.stable.writes > 0 {
		if n.stable.writes--; n.stable.writes == 0 {
			n.Trap("injected fault: this write to stable memory fails")
		}
	}
	n.stable.write(offset, src)
}

func (n system) checkRange(offset uint64, size int) {
	if end := offset + uint64(size); end < offset || end > n.stable.size*cdk.PageSize {
		n.Trap("stable memory out of bounds")
	}
}

func (n system) Call(r *cdk.Request, env uint32) bool {
	n.refuseInQuery("call_new")
	if n.refuseCalls {
		return false
	}
	n.message.calls = append(n.message.calls, &Call{
		Callee: r.Callee, Method: r.Method, Arg: bytes.Clone(r.Arg), Cycles: r.Cycles, TimeoutSeconds: r.TimeoutSeconds,
		env: env, caller: n.caller,
	})
	return true
}

func (n system) refuseInQuery(call string) {
	if n.message.query {
		n.Trap("ic0." + call + " in a query")
	}
}
