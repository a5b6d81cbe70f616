package cdktest

import (
	"errors"
	"slices"

	"kedge/cdk"
	"kedge/ic/principal"
)

// Call is a call that the canister made and that waits for its answer.
type Call struct {
	Callee         principal.Principal
	Method         string
	Arg            []byte
	Cycles         cdk.Cycles
	TimeoutSeconds uint32

	env    uint32
	caller principal.Principal // of the call context
}

// Calls returns the calls that wait for their answers, oldest first.
func (n *Network) Calls() []*Call { return slices.Clone(n.calls) }

// Reply answers a call, whose callee takes all cycles, and runs its callback. It returns what the callback replied to whoever called
// the canister, nil if it did not.
func (n *Network) Reply(c *Call, data []byte) ([]byte, error) {
	return n.callback(c, cdk.RunReply, message{arg: data})
}

// Reject refuses a call, whose cycles come back, and runs its callback, see [Network.Reply].
func (n *Network) Reject(c *Call, code cdk.RejectCode, text string) ([]byte, error) {
	return n.callback(c, cdk.RunReject, message{rejectCode: code, rejectMessage: text, cycles: c.Cycles})
}

func (n *Network) callback(c *Call, run func(env uint32), m message) ([]byte, error) {
	i := slices.Index(n.calls, c)
	if i < 0 {
		return nil, errors.New("the call has been answered, or was undone")
	}
	n.calls = slices.Delete(n.calls, i, i+1)
	caller := n.caller
	defer func() { n.caller = caller }()
	n.caller = c.caller
	if err := n.deliver(func() { run(c.env) }, m); err != nil {
		return nil, errors.Join(err, n.deliver(func() { cdk.RunCleanup(c.env) }, message{}))
	}
	if n.message.reject != nil {
		return nil, n.message.reject
	}
	return n.message.reply, nil
}
