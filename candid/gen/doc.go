// Package gen writes Go code for an interface description: types, their
// codecs over package wire, and for each method the functions
//
//	EncodeXxxArgs(…) []byte               AppendXxxArgs(b []byte, …) []byte
//	DecodeXxxArgs(data []byte) (…, error)
//
// and the same for XxxResult. The constructor's arguments are called InitArgs.
// If decoding fails, the error is an *wire.Error and the values mean nothing.
// Decoded texts and blobs are views of the message, which must stay as it is.
// To encode a variant with a Tag beyond the last panics.
//
// A method's result of a named type variant { Ok; Err } is written, where it is Ok, as a variant of that case
// alone: a subtype, with the same bytes for the value and without the types of the errors, which each answer
// would be charged for.
//
// What Candid types become:
//
//	bool, text, nat8 … int64, float32 …  bool, string, uint8 … int64, float32 …
//	nat, int                             *big.Int (package bignum)
//	blob, vec nat8                       []byte
//	vec T                                []T
//	opt T                                *T, and nil for null
//	opt blob, opt vec T                  []byte, []T: nil for null, empty but not nil for an empty one
//	record                               struct; numbered fields are F0, F1, …
//	variant without content              uint8 with a constant for each case
//	variant with content                 struct: Tag, and a field for each case that holds something
//	principal, service                   principal.Principal
//	func                                 wire.FuncRef
//	null, reserved                       struct{}
//
// A definition of a record or a variant becomes a Go type of its own, any other
// an alias, so that a UserNumber is simply a uint64. A record or variant without
// a name of its own is named after where it stands. A record that contains
// itself other than through opt or vec holds a pointer there.
//
// Comments before definitions, fields, cases and methods are carried over.
package gen
