// Package candid is Kedge's interface, kedge.did, in Go: its types, and for each
// method the functions that encode and decode its arguments and results. All of
// it is generated; package kedge/candid/gen/golang says what becomes of which
// type.
//
// Decoded values are views of the message that they came from.
package candid

//go:generate go run ./gen -pkg candid -o kedge_gen.go kedge.did
