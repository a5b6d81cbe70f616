// Package cdk is what a canister written in Go needs of the Internet Computer: who calls, with what
// argument; the answer; stable memory, timers, certified data, calls of other canisters, randomness.
//
// A canister is a package main built by kedge/cmd/icbuild. Its entry points are exported functions
// that run their bodies in one of the wrappers of this package: [Update], [Query], [Init], … Two
// underscores separate the kind of a method from its name. This is all of one:
//
//	package main
//
//	import (
//		"strconv"
//
//		"kedge/cdk"
//	)
//
//	func main() {}
//
//	var greeted int
//
//	//go:wasmexport canister_update__greet
//	func greet() {
//		cdk.Update(func() {
//			greeted++
//			cdk.Reply(append([]byte("hello "), cdk.Arg()...))
//		})
//	}
//
//	//go:wasmexport canister_query__greeted
//	func count() {
//		cdk.Query(func() { cdk.Reply(strconv.AppendInt(nil, int64(greeted), 10)) })
//	}
//
// The directory examples/hello has it, with a test that builds it and runs it on the local network.
//
// # Messages
//
// The network calls one entry point at a time and undoes all that it did if it traps. Variables and
// the heap stay from one message to the next, until an upgrade; what must survive that belongs into
// [Stable]. A panic is a trap with its message. A message cannot wait: time stands still, sleeping
// traps, and so does a goroutine that waits for what only a later message can bring. Goroutines that
// work together within a message are fine; what they have not done when the method returns they go
// on with in some later message.
//
// # Cost
//
// The network charges for instructions and for pages of memory that a message touches. A small
// update takes about 1,000 instructions of its own and 15,000 with the system calls. The garbage
// collector never runs inside a method: it runs at the end of a message that changes state, once
// 16 MiB have been allocated.
//
// # Randomness
//
// crypto/rand traps until [SeedRandom] has seeded it, and in queries. Hash seeds and math/rand are
// the same in every canister, so that all replicas compute the same: they are no secrets.
//
// # Tests
//
// Everything but the system calls compiles for the host; package cdktest has a network for tests.
package cdk
