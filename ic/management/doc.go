// Package management is the interface of the management canister, management.did, in Go: its types, and
// for each method the functions that encode and decode its arguments and results. What the methods do is
// in package replica.
package management

//go:generate go run ../../cmd/candidgen -pkg management -functions EncodeArgs,DecodeArgs,EncodeResult,DecodeResult -o management_gen.go management.did
