//go:build wasip1

package main

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"kedge/cdk"
)

// replaced replies what functions that the linker replaces say of the argument: SHA-256, SHA-224, XXH64,
// whether its halves are equal, and itself moved onto itself by one byte.
//
//go:wasmexport canister_query__replaced
func replaced() {
	cdk.Query(func() { cdk.Reply(report(cdk.Arg())) })
}

func report(arg []byte) []byte {
	sum256, sum224 := sha256.Sum256(arg), sha256.Sum224(arg)
	reply := append(sum256[:], sum224[:]...)
	reply = binary.LittleEndian.AppendUint64(reply, xxhash.Sum64(arg))
	equal := byte(0)
	if half := len(arg) / 2; string(arg[:half]) == string(arg[len(arg)-half:]) {
		equal = 1
	}
	reply = append(reply, equal)
	if len(arg) > 0 {
		copy(arg[1:], arg)
	}
	return append(reply, arg...)
}
