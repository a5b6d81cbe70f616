// Package tolerant reads what the management canister of any network answers: of this repository's, of the
// production network, and of older ones, whose answers have fewer fields.
package tolerant

//go:generate go run ../../../cmd/candidgen -pkg tolerant -functions EncodeResult,DecodeResult -o tolerant_gen.go tolerant.did
