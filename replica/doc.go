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
// round. Then the state is certified with one signature, whatever the number of messages. Package subnet decides:
// it applies a round to the state and says what changed. This package serves it: it has the clock, the lock, the
// log and the listener.
//
//	network.go              starting, ending, the loop that runs rounds
//	inbox.go                messages of users on their way into a round, and who waits for answers
//	certify.go              what the certified state, those who wait, and people learn of a round
//	persist.go              the log of rounds, checkpoints, and how a network comes back from them
//	outcalls.go             performing HTTP outcalls, which WithOutcalls switches on
//	modules.go              compiled modules and locks that reads share
//	serve.go, backend.go    HTTP
//	api.go, clock.go        for Go programs
//
// Package certified builds and signs the state tree; package httpapi speaks HTTP, package gateway serves web pages,
// package outcall describes requests to other servers and fetch makes them; package journal keeps logs and
// checkpoints; package builtin is the ledgers.
//
// # What it does not do
//
// 64-bit Wasm is refused by name. Threshold keys, Bitcoin and subnet administration are refused by the name of
// the method, and so are HTTP outcalls without [WithOutcalls]. Instructions, cycles and limits are those of an
// application subnet of 13 nodes; there is no reservation of cycles for storage, and queries are not counted in
// canister_status.
package replica
