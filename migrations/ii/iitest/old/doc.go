// Package old writes records of anchors in the exact types of two generations of Internet Identity, for tests: what the
// reader of migrations/ii reads was not written by its own types then.
package old

//go:generate go run ../../../../cmd/candidgen -pkg old -functions EncodeArgs -o old_gen.go old.did
