// Package did reads interface descriptions: the .did files that say what types
// and methods a canister has. It knows the whole language of the Candid
// specification but imports, and keeps the comments, which the generator
// carries over to Go.
//
// It stands in for the parser of agent-go 0.9.2, which panics on a service type
// with methods that stands inside another type, refuses names that begin with a
// keyword (reserved_key), and drops comments.
package did
