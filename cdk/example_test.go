package cdk_test

import (
	"encoding/binary"
	"testing"

	"kedge/cdk"
	"kedge/cdk/cdktest"
	"kedge/ic/principal"
)

var greeted uint64

// greet is exported in a canister as canister_update__greet, by a line //go:wasmexport above it.
func greet() {
	cdk.Update(func() {
		greeted++
		cdk.Reply(append([]byte("hello "), cdk.Arg()...))
	})
}

// An entry point is an ordinary function, and its test an ordinary test: package cdktest is the network.
func Example() {
	var t *testing.T // a test's own

	network := cdktest.Install(t)
	network.SetCaller(principal.SelfAuthenticating([]byte("anna")))
	reply, err := network.Update(greet, []byte("world"))
	if err != nil || string(reply) != "hello world" {
		t.Errorf("greet replied %q, %v", reply, err)
	}
}

// The answer comes in a message of its own: what the callback needs to be true it establishes itself.
func ExampleCall() {
	ledger := principal.Canister(7)
	cdk.Update(func() {
		err := cdk.Call(ledger, "icrc1_fee", []byte("DIDL\x00\x00"), cdk.Cycles{}, func(reply []byte) {
			cdk.Reply(reply)
		}, func(code cdk.RejectCode, message string) {
			cdk.Reject(message)
		})
		if err != nil {
			cdk.Trap(err.Error())
		}
	})
}

// Stable memory survives upgrades, and a message that traps leaves it as it was.
func ExampleStable() {
	cdk.Update(func() {
		memory := cdk.Stable()
		if memory.Pages() == 0 {
			if err := memory.Grow(1); err != nil {
				cdk.Trap(err.Error())
			}
		}
		var count [8]byte
		if _, err := memory.ReadAt(count[:], 0); err != nil {
			cdk.Trap(err.Error())
		}
		binary.LittleEndian.PutUint64(count[:], binary.LittleEndian.Uint64(count[:])+1)
		if _, err := memory.WriteAt(count[:], 0); err != nil {
			cdk.Trap(err.Error())
		}
		cdk.Reply(count[:])
	})
}

// The example is run here, as a test.
func TestExample(t *testing.T) {
	greeted = 0
	network := cdktest.Install(t)
	reply, err := network.Update(greet, []byte("world"))
	if err != nil || string(reply) != "hello world" || greeted != 1 {
		t.Errorf("greet replied %q, %v", reply, err)
	}
}
