// Command canister is the Kedge canister: an identity provider that people sign in with. It is built by
// cdk/icbuild for the Internet Computer and never run as a program.
//
// This package decodes arguments, asks the rooms below it, and encodes answers. The rules are in package
// identity, the bytes in storage, the signatures in delegation; no rule is written here.
//
// A classic method (one of Internet Identity's) traps when it refuses, so that nothing of the call
// remains. A method of Kedge's own answers with an Error, and the call stays what it was: proof that the
// caller holds its device, and its sign of life.
package main

func main() {}
