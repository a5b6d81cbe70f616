// Package wire encodes and decodes Candid, the Internet Computer's
// interface language (specification version 0.1.6), without reflection. It is
// made for code that runs inside a canister, where every instruction is paid
// for and every page touched costs more still: no maps, no fmt and no
// interface dispatch while a message is decoded, and few allocations.
//
// Nobody writes calls to this package by hand. The generator in candid/gen
// turns an interface description into Go types and into functions that move
// their fields, and those functions are sequences of calls such as
//
//	f := d.Record(w)
//	if f.Field(d, 563171728, "alias") {
//		v.Alias = d.Text(f.Type)
//	}
//	f.End(d)
//
// where w is the type that the sender gave the value. The decoder coerces as
// the specification demands: unknown fields are skipped, missing opt, null and
// reserved fields are null, an opt whose content does not fit is null, and
// references are checked by subtyping.
//
// # Types
//
// Types are kept as the wire has them, in a Table whose entries name each
// other by index; a Ref is such an index, or the opcode of a primitive type if
// it is negative. Recursive types need nothing special that way, and a Table
// of constants is laid out by the compiler without any code at start.
//
// # A message
//
//	"DIDL"
//	type table   length, then an entry each: opcode and what it takes
//	arguments    length, then a Ref each
//	values       in the order of the arguments
//
// The first three parts are the header. A method's own header is computed by
// the generator: encoding begins by copying it, and a message that begins with
// exactly the header that this side would have written is decoded without
// reading the table.
//
// # Borrowing
//
// Decoded texts and blobs are views of the message. The message must not be
// changed as long as they are in use.
package wire
