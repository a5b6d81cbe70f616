// Package link turns what the standard Go toolchain builds for wasip1 into a module for the
// Internet Computer.
//
// The input is a reactor: GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared. [Link] then
//
//   - replaces the imports from wasi_snapshot_preview1 by functions inside the module (wasi.wat),
//   - replaces some Go functions by hand-written WebAssembly (replace.go),
//   - answers the questions that package cdk asks of the linker, by imports from the module "link",
//   - names the entry points as the network wants them: canister_update__greet becomes
//     "canister_update greet",
//   - makes _initialize the start function,
//   - merges the tens of thousands of data segments,
//   - adds the metadata sections, and
//   - holds the result against the network's rules with [wasm.Check].
//
// # Memory
//
// Go leaves the first 12 KiB of its memory alone: a page that catches nil pointers and room for
// the arguments of a browser. The linker's own data lives in the second part:
//
//	0      4096                       12288
//	+------+--------------------------+-----------------
//	| nil  | areas of wasi.wat        | Go's data, heap …
//	+------+--------------------------+-----------------
package link
