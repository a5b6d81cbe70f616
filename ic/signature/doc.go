// Package signature verifies the signatures of users of the Internet Computer, of every scheme, by public
// key in DER (Interface Specification, "Signatures"), and signs with the simple ones.
//
//	scheme      public key in DER                              signature
//	Ed25519     1.3.101.112, 32 bytes                          64 bytes
//	ECDSA       1.2.840.10045.2.1 with P-256 or secp256k1,     r · s, 32 bytes each, over SHA-256
//	            uncompressed point
//	WebAuthn    1.3.6.1.4.1.56387.1.1, a COSE key              CBOR {authenticator_data, client_data_json, signature}
//	canister    1.3.6.1.4.1.56387.1.2,                         CBOR {certificate, tree}
//	            length of id · canister id · seed
//
// Canister signatures are valid or not by a root key, which a [Verifier] holds.
package signature
