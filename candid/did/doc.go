// Package did reads interface descriptions: the .did files that say what types
// and methods a canister has. It knows the whole language of the Candid
// specification but imports, and keeps the comments, which the generator
// carries over to Go.
//
// It stands in for agent-go's parser, which panics on service types that occur
// inside other types, takes `variant { a }` and `variant { a : a }` for
// different things only by accident, and drops comments.
package did
