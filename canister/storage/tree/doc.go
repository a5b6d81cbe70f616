// Package tree is a B-tree in stable memory: a sorted set of entries of 16 bytes, over a region of an allocator.
//
// A look-up, an insertion and a deletion each touch one node a level, plus what a split or an emptied node
// adds, so the work of a call is bounded however many entries there are. Nodes are not merged, only freed when
// empty; a tree from which much was removed is higher than it need be, never wrong.
package tree
