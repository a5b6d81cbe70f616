// Package cdktest runs canister code on the host, in ordinary tests: [Install] makes a fake network,
// and its methods deliver messages to the functions that the canister exports.
//
//	network := cdktest.Install(t)
//	network.SetCaller(alice)
//	reply, err := network.Update(greet, []byte("you"))
//
// A message that traps leaves stable memory, certified data, the timer, outgoing calls and the state
// of package cdk as they were, as on the network. It cannot undo changes to the canister's own
// variables: a test that goes on after a trap starts with fresh ones, as after an upgrade.
package cdktest
