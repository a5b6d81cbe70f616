// Package replica is a local Internet Computer of one node, in process: it runs canisters, any that are
// built for 32-bit Wasm, and answers their users as the production network does.
//
// A test starts one in three lines:
//
//	net, err := replica.Start()
//	require.NoError(t, err)
//	t.Cleanup(func() { require.NoError(t, net.Close()) })
//
// and then deploys a module and calls it:
//
//	canister, err := net.Deploy(ctx, owner, wasm, initArg)
//	reply, err := net.Call(ctx, alice, canister, "greet", arg)
//	report, err := net.LastReport(canister) // instructions and pages
//
// The clock is real, unless [WithTime] stops it, or [Network.Advance] does; then timers and deadlines come
// when the test moves it. [WithListen] serves HTTP, for agents and browsers. [WithState] keeps all of it in a
// directory: what was acknowledged survives kill -9, with [WithSync] a power failure too.
//
// # How it works
//
// The state changes in rounds. A round begins when a message waits, takes in all that wait, and executes
// messages one after the other until none is left; messages that canisters send each other run in the same
// round. Then the state is certified with one signature, whatever the number of messages. [Round] holds all
// that a round depends on beside the state, so a log of rounds is a log of the state.
//
//	submit.go               what is refused before it is taken in
//	ingress.go              messages of users: paid for, remembered, answered
//	round.go                rounds and the queue
//	execute.go              requests, responses, tasks; call contexts
//	query.go                queries, which change nothing, and composite queries
//	install.go, stop.go     the life of a canister
//	manage*.go              the management canister
//	cycles.go               what is paid for time
//	certify.go              what the state tree learns of a round
//	persist.go              the log of rounds, checkpoints, and how a network comes back from them
//	outcalls.go             HTTP outcalls, which WithOutcalls switches on
//	builtin.go              the ledgers and the cycles minting canister (package builtin)
//	api.go, clock.go        for Go programs
//
// Package exec executes a single entry point; package certified builds and signs the state tree; package
// httpapi speaks HTTP, package gateway serves web pages, package outcall asks other servers; package journal
// keeps logs and checkpoints.
//
// # What it does not do
//
// 64-bit Wasm is refused by name. Threshold keys, Bitcoin and subnet administration are refused by the name of
// the method, and so are HTTP outcalls without [WithOutcalls]. Instructions, cycles and limits are those of an
// application subnet of 13 nodes; there is no reservation of cycles for storage, and queries are not counted in
// canister_status.
package replica
