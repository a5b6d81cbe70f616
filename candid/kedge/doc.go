// Package kedge is Kedge's interface, kedge.did, in Go: its types, and for each
// method the functions that encode and decode its arguments and results. All of
// it is generated; package kedge/candid/gen says what becomes of which
// type.
//
// Decoded values are views of the message that they came from.
package kedge

//go:generate go run ../../cmd/candidgen -pkg kedge -functions EncodeArgs,DecodeArgs,EncodeResult,AppendResult,DecodeResult -o kedge_gen.go kedge.did
//go:generate go run ../../cmd/candidgen -ts ./wire.ts -o ../../frontend-shim/src/candid/kedge.gen.ts kedge.did
