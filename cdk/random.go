package cdk

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20"

	"kedge/ic/principal"
)

// ErrNoRandomness is what [SeedRandom] reports when the network sends no random bytes.
var ErrNoRandomness = errors.New("no randomness from the network")

// SeedRandom asks the network for random bytes (raw_rand of the management canister) and seeds
// crypto/rand with them, which fails until then. It calls done once, with nil or an error that
// wraps [ErrNoRandomness], in a later message or, if the call cannot be made, at once. Seeding again
// adds to what there is. The seed does not survive an upgrade.
//
// Every replica of the subnet knows the state of the generator, and so what comes next: it serves
// for what users and other canisters must not guess. In queries crypto/rand traps: what a query
// draws the next update would draw again.
func SeedRandom(done func(error)) {
	fail := func(format string, args ...any) {
		done(fmt.Errorf("%w: "+format, append([]any{ErrNoRandomness}, args...)...))
	}
	err := Call(principal.Management, "raw_rand", emptyArgs, Cycles{}, func(reply []byte) {
		entropy, ok := bytes.CutPrefix(reply, blob32)
		if !ok || len(entropy) != 32 {
			fail("raw_rand replied %d bytes that are no blob of 32", len(reply))
			return
		}
		random.mix(entropy)
		// The first block is drawn here so that the generator is in every module that seeds it: the
		// linker lets crypto/rand read from it if it is there.
		var first [32]byte
		readRandom(first[:])
		done(nil)
	}, func(code RejectCode, message string) {
		fail("raw_rand was rejected with code %d: %s", code, message)
	})
	if err != nil {
		fail("%v", err)
	}
}

// Candid: () and the beginning of (blob) with 32 bytes.
var (
	emptyArgs = []byte("DIDL\x00\x00")
	blob32    = []byte("DIDL\x01\x6d\x7b\x01\x00\x20")
)

// generator is a random number generator with fast key erasure: the key makes a stream of ChaCha20
// of which the first 32 bytes become the next key and the rest is the output. Whoever learns the
// state later cannot compute what was drawn before. It is ordinary memory: a message that traps
// gives back what it drew, and what was drawn has not left the canister.
type generator struct {
	key    [chacha20.KeySize]byte
	seeded bool
}

var random generator

// mix adds entropy to the key.
func (g *generator) mix(entropy []byte) {
	h := sha256.New()
	h.Write([]byte("kedge/cdk random"))
	h.Write(g.key[:])
	h.Write(entropy)
	h.Sum(g.key[:0])
	g.seeded = true
}

// read fills b.
func (g *generator) read(b []byte) {
	var nonce [chacha20.NonceSize]byte // a key is used once
	stream, err := chacha20.NewUnauthenticatedCipher(g.key[:], nonce[:])
	if err != nil {
		panic(err) // the sizes are right
	}
	clear(g.key[:])
	stream.XORKeyStream(g.key[:], g.key[:])
	clear(b)
	stream.XORKeyStream(b, b)
}

// readRandom fills b with random bytes. In a canister the linker lets it take the place of the
// function that crypto/rand and all packages of crypto read from.
//
//go:noinline
func readRandom(b []byte) {
	switch {
	case !random.seeded:
		Trap("crypto/rand has no randomness yet: call cdk.SeedRandom and wait for it")
	case !running.keeps():
		Trap("crypto/rand in a query: what a query draws, the next update draws again")
	}
	random.read(b)
}
