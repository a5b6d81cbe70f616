package exec

import "kedge/replica/reject"

// What a message brings: argument, caller, reject, deadline, method name.

// sized returns the two system calls x_size and x_copy of some bytes that a role can read.
func sized(name string, contexts Kind, bytes func(s *Step) []byte) []syscall {
	return []syscall{
		{name: name + "_size", results: types(i32), contexts: contexts, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = uint64(len(bytes(s))) }},
		{name: name + "_copy", params: types(i32, i32, i32), contexts: contexts, cost: costDefault, size: argument32(2),
			run: func(s *Step, stack []uint64) {
				s.copyOut(name+"_copy", bytes(s), uint32(stack[0]), uint32(stack[1]), uint32(stack[2]))
			}},
	}
}

// rejecting is the roles that may ask for a reject code.
const rejecting = callbacks | CompositeReply | CompositeReject | Cleanup

var messageCalls = join(
	sized("msg_arg_data", Init|Update|queries|CompositeQuery|ReplyCallback|CompositeReply|Inspect,
		func(s *Step) []byte { return s.in.Arg }),
	sized("msg_caller", running, func(s *Step) []byte { return s.in.Caller.Bytes() }),
	sized("msg_caller_info_data", infoRoles, func(s *Step) []byte { return s.in.Info.Data }),
	sized("msg_caller_info_signer", infoRoles, func(s *Step) []byte { return s.in.Info.Signer.Bytes() }),
	sized("msg_reject_msg", RejectCallback|CompositeReject, func(s *Step) []byte { return []byte(s.in.RejectMessage) }),
	sized("msg_method_name", Inspect, func(s *Step) []byte { return []byte(s.in.Method) }),
	[]syscall{
		{name: "msg_reject_code", results: types(i32), contexts: rejecting, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = uint64(s.in.RejectCode) }},
		{name: "msg_deadline", results: types(i64), contexts: Update | queries | CompositeQuery | callbacks | CompositeReply | CompositeReject, cost: costDefault,
			run: func(s *Step, stack []uint64) { stack[0] = s.in.Deadline }},
		{name: "accept_message", contexts: Inspect, cost: costDefault, run: func(s *Step, _ []uint64) {
			if s.out.MessageOK {
				panic(violation("ic0.accept_message: the function was already called."))
			}
			s.out.MessageOK = true
		}},
	},
)

// infoRoles may ask for the caller's signed attributes. This network takes none (sender_info of an
// ingress message), so both are empty.
const infoRoles = Update | ReplicatedQuery | Query | CompositeQuery | callbacks | CompositeReply | CompositeReject | Cleanup | CompositeCleanup | Inspect

// Answers: reply and reject, and the ways to end with a message.

var answerCalls = []syscall{
	{name: "msg_reply_data_append", params: types(i32, i32), contexts: answering, cost: costDefault, size: argument32(1), perByte: costSentByte,
		run: func(s *Step, stack []uint64) {
			src, size := uint32(stack[0]), uint32(stack[1])
			if s.answered() {
				panic(violation("ic0.msg_reply_data_append: the call is already replied."))
			}
			if total := len(s.reply) + int(size); total > s.in.MaxReply {
				panic(userViolation(documented("Consider checking the response size and returning an error if it is too long.",
					"msg_reply_data_append-payload-too-large"),
					"ic0.msg_reply_data_append: application payload size (%d) cannot be larger than %d.", total, s.in.MaxReply))
			}
			s.reply = append(s.reply, s.get("msg.reply", src, size)...)
		}},
	{name: "msg_reply", contexts: answering, cost: costDefault, run: func(s *Step, _ []uint64) {
		if s.answered() {
			panic(violation("ic0.msg_reply: the call is already replied"))
		}
		s.out.Response = &Response{Reply: s.reply}
	}},
	{name: "msg_reject", params: types(i32, i32), contexts: answering, cost: costDefault, size: argument32(1), perByte: costSentByte,
		run: func(s *Step, stack []uint64) {
			src, size := uint32(stack[0]), uint32(stack[1])
			if s.answered() {
				panic(violation("ic0.msg_reject: the call is already replied"))
			}
			if int64(size) > int64(s.in.MaxReply) {
				panic(userViolation(documented("Try truncating the error messages that are too long.", "msg_reject-payload-too-large"),
					"ic0.msg_reject: application payload size (%d) cannot be larger than %d.", size, s.in.MaxReply))
			}
			s.out.Response = &Response{Rejected: true, Message: reject.Shorten(s.text("ic0.msg_reject", src, size))}
		}},
	{name: "debug_print", params: types(i32, i32), contexts: everywhere, cost: costDebugPrint,
		run: func(s *Step, stack []uint64) {
			src, size := uint32(stack[0]), uint32(stack[1])
			s.chargeLog(uint64(size))
			if !s.inHeap(src, size) {
				s.log("(debug_print message out of memory bounds)")
				return
			}
			s.log(string(s.get("ic0.debug_print", src, size)))
		}},
	{name: "trap", params: types(i32, i32), contexts: everywhere, cost: costDefault, size: argument32(1),
		run: func(s *Step, stack []uint64) {
			src, size := uint32(stack[0]), uint32(stack[1])
			s.chargeLog(uint64(size))
			if !s.inHeap(src, size) {
				panic(calledTrap("(trap message out of memory bounds)"))
			}
			panic(calledTrap(lossyText(s.get("trap", src, min(size, reject.MaxDescription*4)))))
		}},
}

// join concatenates groups of system calls.
func join(groups ...[]syscall) []syscall {
	var all []syscall
	for _, group := range groups {
		all = append(all, group...)
	}
	return all
}
