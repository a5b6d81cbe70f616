package cdk

import "kedge/ic/principal"

// Arg returns the argument of the message, or the data of a reply in its callback. It is a new
// copy each time: call it once.
func Arg() []byte { return system.Arg() }

// ArgSize returns the length of [Arg] in bytes, without copying it.
func ArgSize() int { return system.ArgSize() }

// ArgInto is [Arg] into the room that buf has behind its length, as far as it goes; else the copy is
// new. A method that takes the same buffer for every message allocates nothing for its argument, but
// nothing of it may be kept beyond the message.
func ArgInto(buf []byte) []byte { return argInto(buf) }

// Caller returns who sent the message: a user, or a canister. In timers and heartbeats it is the
// management canister. In callbacks it is who called the method that made the call.
func Caller() principal.Principal { return system.Caller() }

// Reply answers the message. A message is answered once, by Reply or [Reject], in the method or in
// a callback of a call that it made; again traps. Up to 2 MiB, 3 MiB in a query.
func Reply(data []byte) { system.Reply(data) }

// ReplyParts is [Reply] with what the parts make one after the other. It copies none of them, which counts
// where an answer is long.
func ReplyParts(parts ...string) {
	for _, part := range parts {
		system.ReplyPart(part)
	}
	system.Reply(nil)
}

// Reject answers the message with an error (reject code 4) and, unlike [Trap], keeps what it did.
func Reject(message string) { system.Reject(message) }

// Trap undoes all that the message did and answers it with the text as an error (reject code 5,
// IC0503). It does not return, and deferred functions do not run.
func Trap(text string) {
	system.Trap(text)
	panic(text) // tells the compiler
}

// Print writes a line to the canister's log, also if the message traps later.
func Print(text string) { system.Print(text) }

// MethodName returns the method that is being called, in InspectMessage.
func MethodName() string { return system.MethodName() }

// AcceptMessage lets the call in, in InspectMessage.
func AcceptMessage() { system.AcceptMessage() }

// InReplicatedExecution reports whether the whole subnet runs the message, rather than one replica
// for a query whose answer nobody certifies.
func InReplicatedExecution() bool { return system.Replicated() }

// PerformanceCounter returns how many instructions the message has used.
func PerformanceCounter() uint64 { return system.PerformanceCounter(0) }

// CallContextCounter returns how many instructions the call has used: the method and all callbacks
// that ran for it until now.
func CallContextCounter() uint64 { return system.PerformanceCounter(1) }
