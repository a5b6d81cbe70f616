// Package subnet decides what a subnet of the Internet Computer does: [Subnet.Apply] applies a [Round] to the
// state and returns what changed. It has no lock, no clock, no file and no socket; all that a round depends on
// besides the state before it is in the round, so a log of rounds is a log of the state.
//
//	admission.go            what is refused before it is taken in
//	ingress.go              messages of users: paid for, remembered, answered
//	round.go                rounds and the queue
//	execute.go              requests, responses, tasks; call contexts
//	query.go, composite.go  queries, which change nothing
//	install.go, stop.go     the life of a canister
//	manage*.go              the management canister
//	cycles.go               what is paid for time
//	changes.go              what others learn of a round
//	checkpoint.go, trace.go the state as bytes, and the hash that a log is checked by
//	outcalls.go             HTTP outcalls, as far as they are state
//	builtin.go              the ledgers and the cycles minting canister (package builtin)
//	access.go               what Go programs read and write other than methods
//
// Package exec executes a single entry point.
package subnet
