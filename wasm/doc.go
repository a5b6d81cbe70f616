// Package wasm reads, edits, checks and writes WebAssembly modules.
//
// [Decode] turns the binary format (WebAssembly Core Specification 2.0, section 5) into a [Module]
// and [Module.Encode] turns it back. Function bodies stay raw bytes; [Instructions] walks them one
// instruction at a time and [Body] assembles new ones. The instruction set is that of the Internet
// Computer: the MVP, sign extension, saturating conversions, multi-value, bulk memory, reference
// types, fixed-width SIMD and tail calls. Threads, exceptions, garbage collection, typed function
// references, relaxed SIMD and several memories are refused by name.
//
// [Validate] makes sure that function bodies are well typed. [Check] holds a module against the
// rules that the Internet Computer has for canisters beyond that, and [SystemAPI] is the table of the functions that it may import.
//
// # Layout of a module
//
//	00 61 73 6d  01 00 00 00            magic, version 1
//	section*                            id:u8 size:u32(LEB128) content
//
//	id  content                         id  content
//	 1  types                            8  start function
//	 2  imports                          9  element segments
//	 3  type index of each function     12  number of data segments
//	 4  tables                          10  code: locals and body of each function
//	 5  memories                        11  data segments
//	 6  globals                          0  custom: name, bytes (anywhere, any number)
//	 7  exports
//
// Sections appear at most once and in the order of this table, left column first. Encode writes
// custom sections last, in the order in which they were found.
package wasm
