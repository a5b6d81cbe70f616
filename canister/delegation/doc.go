// Package delegation signs people in. It derives the key that an anchor has at a front end, keeps the
// signatures that the network certifies for the canister, and hands them out as canister signatures.
//
// A canister signature (Internet Computer Interface Specification, "Canister signatures") is not a
// computation with a secret key. The canister puts
//
//	sig / SHA-256(seed) / SHA-256(message) = ""
//
// into its certified tree; the network certifies the root of that tree in the next round; the
// signature is the certificate together with the path. So signing takes an update call, and handing
// out the signature takes a query a moment later.
//
// Everything here is pure: time comes as an argument and no system call is made. The constructions are
// those of Internet Identity, bit for bit, so that a person keeps the same principal in every
// application when a canister is upgraded from one to the other.
//
// Signatures live in memory only and are gone after an upgrade; a client that finds none prepares
// again.
package delegation
