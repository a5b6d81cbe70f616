//go:build wasip1

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"runtime"

	"kedge/cdk"
)

// call calls this canister itself; the argument says what the reply callback does.
//
//go:wasmexport canister_update__call
func call() {
	cdk.Update(func() {
		how := string(cdk.Arg())
		err := cdk.Request{
			Callee: cdk.ID(), Method: "greet", Arg: []byte("self"), Cycles: cdk.Amount(7), TimeoutSeconds: 30,
			OnReply: func(reply []byte) {
				note("reply %s", reply)
				counter++
				if how == "trap" {
					panic("in the callback")
				}
				cdk.Reply(reply)
			},
			OnReject: func(code cdk.RejectCode, message string) {
				note("reject %d %s", code, message)
				cdk.Reject(message)
			},
			OnCleanup: func() { note("cleanup") },
		}.Send()
		if err != nil {
			cdk.Reject(err.Error())
		}
	})
}

//go:wasmexport canister_update__seed
func seed() {
	cdk.Update(func() {
		cdk.SeedRandom(func(err error) {
			if err != nil {
				cdk.Reject(err.Error())
				return
			}
			cdk.Reply(nil)
		})
	})
}

func drawn() {
	b := make([]byte, 40)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	replyText("%x", b)
}

//go:wasmexport canister_update__random
func random() { cdk.Update(drawn) }

//go:wasmexport canister_query__random_in_query
func randomInQuery() { cdk.Query(drawn) }

// random_then_trap draws and has it undone.
//
//go:wasmexport canister_update__random_then_trap
func randomThenTrap() {
	cdk.Update(func() {
		drawn()
		cdk.Trap("undone")
	})
}

// sign makes a P-256 key, signs with it and verifies.
//
//go:wasmexport canister_update__sign
func sign() {
	cdk.Update(func() {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		digest := sha256.Sum256(cdk.Arg())
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			panic(err)
		}
		replyText("%t", ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature))
	})
}

//go:wasmexport canister_query__sha256
func sha() {
	cdk.Query(func() {
		sum := sha256.Sum256(cdk.Arg())
		cdk.Reply(sum[:])
	})
}

// maps fills a map and formats it, which sorts the keys.
//
//go:wasmexport canister_query__maps
func maps() {
	cdk.Query(func() {
		m := map[string]int{}
		for i := range 100 {
			m[hex.EncodeToString([]byte{byte(i)})] = i
		}
		sum := 0
		for _, v := range m {
			sum += v
		}
		replyText("%d %v", sum, map[string]bool{"b": true, "a": false})
	})
}

var garbage []byte

func makeGarbage() {
	for range 100 {
		garbage = make([]byte, 64<<10)
		garbage[0] = 1
	}
	cdk.Reply(nil)
}

// garbage leaves 6.4 MB behind.
//
//go:wasmexport canister_update__garbage
func garbageInUpdate() { cdk.Update(makeGarbage) }

//go:wasmexport canister_query__garbage_in_query
func garbageInQuery() { cdk.Query(makeGarbage) }

//go:wasmexport canister_query__collections
func collections() {
	cdk.Query(func() {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		replyText("%d", s.NumGC)
	})
}
