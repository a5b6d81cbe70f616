// Package wire is what Internet Identity stores of an anchor, as Candid: types and codecs generated from
// records.did.
package wire

//go:generate go run ../../../cmd/candidgen -pkg wire -functions EncodeArgs,AppendArgs,DecodeArgs -o records_gen.go records.did
