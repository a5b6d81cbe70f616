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
// when the test moves it. [WithListen] serves HTTP, for agents and browsers.
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
//	api.go, clock.go        for Go programs
//
// Package exec executes a single entry point; package certified builds and signs the state tree; package
// boundary speaks HTTP.
package replica
