// Package webauthn verifies WebAuthn credentials: COSE keys, authenticator data, client data and
// assertions (W3C Web Authentication, Level 3). It takes what it verifies as plain bytes and values:
// the challenge, the allowed origins and what is known of the credential come from the caller.
//
// It is light: canisters import it, so there is no reflection, no encoding/json and no crypto/x509.
//
// Parsers are strict. What a parser accepts it accepts because the standard demands it; each relaxation
// and each tightening is stated where it is made.
package webauthn
