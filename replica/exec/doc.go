// Package exec runs canisters: it compiles a module, keeps one live instance of it, and executes one
// entry point at a time as an atomic step.
//
// A step takes an [Input] (what is called, by whom, with which argument, cycles and time) and gives an
// [Output] (reply, reject or trap, outgoing calls, logs, instructions, pages). Nothing of it lasts until
// the caller says so: [Step.Commit] keeps heap, globals, stable memory, certified data and timer as the
// step left them, [Step.Rollback] restores all of them. The two-phase shape lets an upgrade (pre_upgrade
// in the old instance, start and post_upgrade in the new one) be one atomic unit.
//
// # What a rollback costs
//
// The meter (package wasm/meter) reports the first write to each page of the heap before it happens, and
// the instance keeps a copy of the page as it was. A rollback copies those pages back; it never copies
// the whole heap. Wasm memories cannot shrink, so only a step that also grew the memory and is rolled
// back pays for a new instance. Stable memory ([Stable]) is a tree of pages that is copied on write: its
// rollback is the assignment of a pointer.
//
// # Prices and limits
//
// Instructions are those of the production network: weights of Wasm instructions, put into the module
// by the meter; overheads of system calls and page charges, added here (file prices.go).
//
// The package knows canisters only: no queues, rounds, messages between canisters or certificates.
package exec
