package subnet

import (
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// origin is who awaits the answer to a call. The zero origin is nobody: heartbeats and timers.
type origin struct {
	Kind     originKind
	Request  request.ID          // fromUser
	Canister principal.Principal // fromCanister
	Callback uint64              // fromCanister: of that canister
}

type originKind uint8

const (
	fromNobody originKind = iota
	fromUser
	fromCanister
)

// message waits to be executed: exactly one of its pointers is set.
type message struct {
	Receiver principal.Principal
	Request  *call
	Response *response
	Task     *task
}

// call is a request to execute a method.
type call struct {
	Origin        origin
	Caller        principal.Principal
	Info          exec.CallerInfo // of users
	SenderVersion uint64          // version of the calling canister; zero for users
	Method        string
	Arg           []byte
	Cycles        cycles.Amount
	Deadline      uint64
}

// response is the answer to a call that a canister made.
type response struct {
	Callback uint64
	Answer   answer
	Refund   cycles.Amount
}

// answer is a reply or a refusal, by the system or in the words of a canister.
type answer struct {
	Reply []byte
	Err   *reject.Error // nil if it is a reply
}

func replied(payload []byte) answer { return answer{Reply: payload} }

func refused(err *reject.Error) answer { return answer{Err: err} }

// failed is the answer when a message could not be executed to its end. Canisters see the code in the text.
func failed(to origin, err *reject.Error) answer {
	if to.Kind == fromCanister {
		return refused(reject.New(err.Code, "%s", err.Error()))
	}
	return refused(err)
}

// rejectedBy is the answer of a canister that rejected in its own words.
func rejectedBy(text string) answer {
	return refused(&reject.Error{Code: reject.CanisterRejectedMessage, Message: text})
}

// size is the size of the answer in bytes, as transmission is charged.
func (a answer) size() int {
	if a.Err != nil {
		return 1 + len(a.Err.Message) // the code, too
	}
	return len(a.Reply)
}

// task is a call by the system.
type task struct {
	Kind  exec.Kind
	Entry string
}
