// Package tsgen writes TypeScript types and descriptors for an interface description. The page's small
// codec, frontend-shim/src/candid/wire.ts, reads the descriptors.
//
//	Candid                        TypeScript
//	nat, int, nat64, int64        bigint
//	nat8 … nat32, float32, …      number
//	text, bool, principal         string, boolean, Principal
//	blob, vec T                   Uint8Array, T[]
//	opt T                         T | null; [T] | null where T itself may be null
//	record                        an interface; a tuple for a record without names
//	variant without values        a union of strings
//	variant with values           a union of { tag, value }
//
// A method becomes a constant, so that a bundler leaves out those that nothing uses.
package tsgen
