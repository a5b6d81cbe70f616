// Command hello is a whole canister, the one of package cdk's documentation.
package main

import (
	"strconv"

	"kedge/cdk"
)

func main() {}

var greeted int

//go:wasmexport canister_update__greet
func greet() {
	cdk.Update(func() {
		greeted++
		cdk.Reply(append([]byte("hello "), cdk.Arg()...))
	})
}

//go:wasmexport canister_query__greeted
func count() {
	cdk.Query(func() { cdk.Reply(strconv.AppendInt(nil, int64(greeted), 10)) })
}
