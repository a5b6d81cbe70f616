package replica

import (
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// origin is who awaits the answer to a call. The zero origin is nobody: heartbeats and timers.
type origin struct {
	kind     originKind
	request  request.ID          // fromUser
	canister principal.Principal // fromCanister
	callback uint64              // fromCanister: of that canister
}

type originKind uint8

const (
	fromNobody originKind = iota
	fromUser
	fromCanister
)

// message waits to be executed: exactly one of its pointers is set.
type message struct {
	receiver principal.Principal
	request  *call
	response *response
	task     *task
}

// call is a request to execute a method.
type call struct {
	origin        origin
	caller        principal.Principal
	senderVersion uint64 // version of the calling canister; zero for users
	method        string
	arg           []byte
	cycles        cycles.Amount
	deadline      uint64
}

// response is the answer to a call that a canister made.
type response struct {
	callback uint64
	answer   answer
	refund   cycles.Amount
}

// answer is a reply or a refusal, by the system or in the words of a canister.
type answer struct {
	reply []byte
	err   *reject.Error // nil if it is a reply
}

func replied(payload []byte) answer { return answer{reply: payload} }

func refused(err *reject.Error) answer { return answer{err: err} }

// rejectedBy is the answer of a canister that rejected in its own words.
func rejectedBy(text string) answer {
	return refused(&reject.Error{Code: reject.CanisterRejectedMessage, Message: text})
}

// size is the size of the answer in bytes, as transmission is charged.
func (a answer) size() int {
	if a.err != nil {
		return len(a.err.Message)
	}
	return len(a.reply)
}

// task is a call by the system.
type task struct {
	kind  exec.Kind
	entry string
}
