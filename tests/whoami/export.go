//go:build wasip1

package main

import "kedge/cdk"

//go:wasmexport canister_query__whoami
func whoami() {
	cdk.Query(func() {
		caller := cdk.Caller()
		// Candid: one principal, given by its bytes.
		reply := append([]byte("DIDL\x00\x01\x68\x01"), byte(caller.Len()))
		cdk.Reply(caller.AppendTo(reply))
	})
}
