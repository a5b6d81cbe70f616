// Package attestation shows on the real module what a passkey must answer to attest what kind of key it is,
// what is refused, what is recorded, and what it costs.
package attestation
