// Package cxf reads and writes passkeys in the Credential Exchange Format 1.0 of the FIDO Alliance
// (https://fidoalliance.org/specs/cx/cxf-v1.0-ps-20250814.html), the JSON in which password managers hand
// credentials over. It has private keys in it: whoever writes one to a file encrypts it.
//
// Passkeys are read and written; credentials of other types and unknown members are named, not guessed.
package cxf
