// Package identity holds the rules of Kedge: what an anchor is, who may do what to it, and what it
// survives. It is pure. It knows no system call, no clock and no storage; time, service time and
// randomness are arguments, and an [Anchor] is a plain value that the caller loads and stores.
//
// A call goes through three steps:
//
//	actor, err := anchor.Authenticate(call)   // who is it; its proof and its sign of life
//	err = actor.Remove(key)                   // one rule, judged and applied, or refused and nothing changed
//	events := anchor.Events                   // what the history keeps
//
// A call that replies, with an error too, stores the anchor as Authenticate left it: so it proves its
// device and is its sign of life before it is judged. A call that traps stores nothing. Every rule
// that returns an error leaves the anchor as it found it.
//
// The rules are those of docs/design.md, and are cited by number. They are explored exhaustively against an
// independent model in tests/model.
package identity
