// Package storage keeps anchors in stable memory. Stable memory is the only truth: nothing is
// serialised before an upgrade, and opening a memory costs the same whatever it holds.
//
// # The memory as a whole
//
//	page 0      superblock, configuration, state                        superblock.go, blobs.go
//	page 1      extent table: which extent is which part of a region    package alloc
//	page 2 …    extents of 128 pages (8 MiB); extent e starts at page 2 + 128·e
//
// The first two pages are called home. While the store of another module is kept beside this one (legacy.go),
// that module's header occupies pages 0 and 1, and home is the first two pages of an extent instead.
//
//	region      unit      what                                          drawn in
//	slots       1 KiB     anchor lo+i is slot i                         slot.go, package record
//	overflow    4 KiB     the rest of a record that outgrows its slot   slot.go
//	history     512 B     chunks of the two bounded histories           package ring
//	index       2 KiB     nodes of the tree of look-ups                 package tree, index.go
//
// # The units
//
//	stable   what memory is, and what a damaged structure answers
//	alloc    extents and units; knows nothing of what they hold
//	tree     a sorted set of entries of 16 bytes
//	ring     bounded histories of byte strings
//	record   an anchor and its events as bytes; knows nothing of where they are
//
// This package joins them: the superblock, slots, what is indexed, checks, changes of layout.
//
// Every integer is little-endian. Whatever is read is checked: bounds always, checksums (XXH64)
// wherever a structure has one. A damaged anchor answers with a [CorruptedError] that names it; all
// others keep working.
//
// # Errors and traps
//
// [NotFoundError], [OutOfRangeError], [CorruptedError] and [ErrFull] of Allocate are answers, given before
// anything was written. After any other error of a writing method the memory may be half written: the
// canister traps, and the network rolls the message back.
package storage
