// Package meter rewrites a canister module so that it counts what it does: instructions at the
// prices of the Internet Computer, and the pages of its memory that a message reads and writes.
// [Instrument] does it; the host runs the result with the imports and exports that [Layout] names.
//
// # Instructions
//
// A mutable i64 global counts down. At the start of every basic block it falls by the [Weight] of
// all instructions of the block, and by 1 more on entry to a function. A block ends after loop, if,
// else, end, a branch, return or unreachable; the start of a block (the instruction) does not end
// one. Every path through a function so costs exactly the instructions on it. At function entry
// and at loop heads a counter below zero calls the import out_of_instructions, which must not
// return. Bulk instructions also cost 1 for each byte or element.
//
// # Pages
//
// Two tables of function references serve as bitmaps: an entry that is not null is a page that
// was touched in this message. wazero compiles table.get to a few loads, so that the common case
// never leaves WebAssembly:
//
//	page := address >> 16
//	if reads[page] == null || the access crosses into the next page { touch(address, size-1) }
//
// Reads look at one table and writes at the other; a write marks both. touch, a function in the
// module, calls mark_read or mark_write of the host once for each page, before the access happens,
// and then sets the entry. The export [Layout.Reset] forgets all marks. The tables cannot be seen
// or reached by the canister's own code, whose table indices are fixed.
//
// Accesses whose addresses differ by constants, in straight-line code, share one check of the
// whole range; see track.go for why that is exact. An access out of bounds marks nothing (or, next
// to one in bounds in the same straight line, no more than that marks) and traps as before.
package meter
