// Package device is the software security key: what a hardware key, a phone or a sheet of paper is to a
// person, in Go.
//
// A [SecurityKey] is a seed and the credentials that are derived from it; a [Store] holds several, in one
// file encrypted with a passphrase. A [Credential] is a [Passkey] with what is known of it. Its private key
// is derived when it signs, by SLIP-0022 from its id or by SLIP-0013 from a site and a user name, and is nowhere
// at rest; only a [Stored] one is kept. What a seed gives is found again with [Find], and what its words
// do not say is in a metadata backup ([SecurityKey.BackUpMetadata]).
//
// A [Phrase] is a BIP-39 recovery phrase; its key is the one that Internet Identity derives from the same
// words, so a phrase written down for either opens an anchor of the other. A phrase is never kept: it is
// on paper or in memory.
//
// Signatures are deterministic (RFC 6979, Ed25519) and the signature counter is 0, so a key that exists
// twice never looks like a clone to one that counts; a stored credential that came with a counter counts on.
//
// Only agent.go knows the Internet Computer; the rest would serve any relying party.
//
// # Compatibility
//
// A store written by any release is read by every later one: the format has a version (see
// storefile.go). What is derived from a seed never changes.
package device
