// Package canister holds the entry points and the methods of the Kedge canister. It decodes arguments,
// asks the packages below it, and encodes answers. The rules are in package identity, the bytes in
// storage, the signatures in delegation; no rule is written here.
//
// A classic method (one of Internet Identity's) traps when it refuses, so that nothing of the call
// remains. A method of Kedge's own answers with an Error, and the call stays what it was: proof that the
// caller holds its device, and its sign of life.
package canister
