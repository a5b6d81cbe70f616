// Package ii reads and writes the stable memory of Internet Identity, layouts 1, 3, 5, 6, 7, 8 and 9, and
// imports it in place.
//
// # The old layouts
//
// All integers are little-endian. Page 0 begins with a header:
//
//	off  len
//	  0    3  magic "IIC"
//	  3    1  layout
//	  4    4  number of anchors n
//	  8    8  first anchor number lo
//	 16    8  end of the range hi, exclusive
//	 24    2  entry size: 2048 in layout 1, 4096 in all others
//	 26   32  salt, all zero while unset
//	 58    8  offset of the first entry (layouts 3 to 8; not used here, it is always the same)
//
// Anchor lo+i is entry i: u16 length, that many bytes of Candid, and stale bytes up to the entry size.
//
//	layout   entries begin at                content
//	1        512                             vec of devices
//	3        131072                          vec of devices
//	5, 6     131072                          record of devices and more
//	7, 8, 9  offset 0 of virtual memory 0    record of devices and more
//
// Behind the last entry, in layouts 1 to 8, is the state that the module keeps over an upgrade: "IIPS",
// u64 length, Candid. In layout 9 it is in virtual memory 2. Virtual memories are made of buckets, listed in
// page 1 (manager.go).
//
// Layouts 2 and 4 are conversions that the old module has not finished. Layout 9 has two forms: since July 2025
// anchors stand in a map in virtual memory 16 as well, and from January 2026 on there alone (dual.go).
//
// # The parts
//
//	image.go, count.go, manager.go, virtual.go, place.go   where things are
//	record.go, shape.go, generation.go, encode.go          records, read and written with their own types
//	stablemap.go, cbor.go, dual.go                         the second store of layout 9
//	trial.go, merge.go, state.go                           trial, rollback, return, finalising
//	plan.go                                                what an import would do
//
// Package iitest stands in for the old module in tests.
package ii
