// Package device is Kedge's software authenticator: what a hardware key, a phone or a sheet of
// paper is to a person, in Go.
//
// It has two kinds of key. A [Phrase] is a BIP-39 recovery phrase; its key is the one that Internet
// Identity derives from the same words, so a phrase written down for either opens an anchor of the
// other. A [Passkey] is a P-256 credential that signs the WebAuthn way. Passkeys are kept in a
// [Store], one file encrypted with a passphrase. A phrase is never kept: it is on paper or in
// memory.
//
// Signatures are deterministic (RFC 6979, Ed25519) and the signature counter is always 0, so a key
// that exists twice never looks like a clone to one that counts.
//
// Only agent.go knows the Internet Computer; the rest would serve any relying party.
//
// # Compatibility
//
// A store written by any release is read by every later one: the format has a version (see
// storefile.go). The derivation of a phrase's key never changes.
package device
