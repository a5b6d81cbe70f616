// Package session finds out what a command is about: which network, which canister, which key store,
// who signs, and for which anchor. It never chooses between several.
package session
