// Package builtin is the canisters that the network itself brings along, because clients that deploy
// canisters expect them at their well-known ids: the cycles ledger, the ICP ledger and the cycles minting
// canister. They are Go, not Wasm, and cost nobody cycles. What they remember is in [State], which is plain
// data and changes by [State.Call] alone; what they need of the network is a [Host].
//
// They keep the interfaces and the rules of the originals (fees, time windows, duplicates) as far as
// builtin.did goes. They differ where a local network has to: the default account of the anonymous principal
// never runs dry, every account may begin with an opening balance ([New]), and the price of ICP in cycles
// is fixed and not certified.
package builtin

//go:generate go run ../../cmd/candidgen -pkg builtin -functions EncodeArgs,DecodeArgs,EncodeResult,DecodeResult -o builtin_gen.go builtin.did
