// Package ctap makes a security key of package device an authenticator that browsers and other clients
// speak with: CTAP 2.1 of the FIDO Alliance
// (https://fidoalliance.org/specs/fido-v2.1-ps-20210615/fido-client-to-authenticator-protocol-v2.1-ps-20210615.html).
//
// An [Authenticator] answers commands, [HID] carries them in packets of 64 bytes (CTAPHID, section 11.2 of
// the standard), and there are two ways in: [ServeUHID] for whoever looks for a USB key, and [ServeSocket], a Unix socket.
//
// Presence is what the callback [Options.Presence] says and nothing else. Verification is the PIN.
package ctap
