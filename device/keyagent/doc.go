// Package keyagent lets one process hold an unlocked key store for a while and sign for others of the same user,
// over a Unix socket, so that a person types the passphrase once and not for every command.
//
// The protocol has no request that is answered with a seed, a private key, a word, a passphrase or a raw
// signature: it lists what a store holds without its secrets ([device.Outline]), derives the public part of a
// credential that nothing is kept of, has a passkey answer a challenge, says how long it lasts, and ends.
//
// A frame is a length of 4 bytes, big endian, and one JSON object of that length. A connection carries requests
// and answers in turn.
package keyagent
