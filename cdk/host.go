//go:build !wasip1

package cdk

import "maps"

// system is the System of the host.
var system System

func checkInstalled() {
	if system == nil {
		panic("cdk: there is no network outside a canister: install a fake one, see package cdktest")
	}
}

// hostTrap is implemented by what Trap of a System on the host panics with.
type hostTrap interface{ CanisterTrap() }

// checkTrap lets a trap go on that is on its way already.
func checkTrap(r any) {
	if _, ok := r.(hostTrap); ok {
		panic(r)
	}
}

func argInto(buf []byte) []byte { return into(buf, system.Arg()) }

func dataCertificateInto(buf []byte) ([]byte, bool) {
	certificate, ok := system.DataCertificate()
	return into(buf, certificate), ok
}

// into puts data into the room behind a buffer, if there is enough.
func into(buf, data []byte) []byte {
	if room := buf[len(buf):]; len(data) > 0 && len(data) <= cap(room) {
		return append(room, data...)
	}
	return data
}

// The Go runtime of the host collects as it likes.
func collectGarbage() {}

// state is all that this package keeps between messages.
type state struct {
	pending map[uint32]callbacks
	numbers numbering
	random  generator
}

// Install makes s the network, for tests on the host; nil takes it away. Calls that wait for an
// answer and the seed of the generator are forgotten, as by a fresh installation or an upgrade.
func Install(s System) {
	system = s
	pending, numbers, random = map[uint32]callbacks{}, numbering{}, generator{}
}

// Snapshot returns a function that brings back what this package keeps between messages, as a trap
// does in a canister. For implementations of System.
func Snapshot() (restore func()) {
	s := state{maps.Clone(pending), numbers, random}
	return func() { pending, numbers, random = maps.Clone(s.pending), s.numbers, s.random }
}

// RunReply runs the reply callback of the call with the number that [System] got as env. For
// implementations of System, which do it in a message of its own.
func RunReply(env uint32) { runReply(env) }

// RunReject runs the reject callback, see [RunReply].
func RunReject(env uint32) { runReject(env) }

// RunCleanup runs the cleanup callback, see [RunReply].
func RunCleanup(env uint32) { runCleanup(env) }
