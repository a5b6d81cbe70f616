// Package alloc divides stable memory among regions. A region is a growing list of extents and has units of one
// size, each found by arithmetic and one table entry. It knows nothing of what the units hold.
//
// Stable memory from page 2 on is divided into extents of 128 pages; extent e starts at page 2 + 128·e. The
// first two pages, or the first two of some extent, are called home; page 1 of home is the extent table, with
// room for 8,192 extents (64 GiB) of each of four regions:
//
//	off          len
//	0          16384  region 0: u16 × 8192, the extent + 1 that holds the i-th part of the region, 0 for none
//	16384      16384  region 1: likewise
//	32768      16384  region 2: likewise
//	49152      16384  region 3: likewise
//
// Free extents are a list of runs. The first extent of a run begins with the first extent + 1 of the next run
// (u32, 0 for none) and the number of extents of the run (u32). A free unit begins with the next free unit + 1
// (u32) and the mark "FREE".
package alloc
