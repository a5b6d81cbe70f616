// Package derive makes keys from a seed, by published standards alone: trees of P-256 and Ed25519
// keys (SLIP-0010), a key for a site and a user name (SLIP-0013), and symmetric keys (SLIP-0021).
//
// The standards are those of https://github.com/satoshilabs/slips. What a function returns for a seed
// never changes, since people come back after years with nothing but the words of their seed.
package derive
