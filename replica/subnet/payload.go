package subnet

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"kedge/candid/wire"
	"kedge/replica/argument"
	"kedge/replica/reject"
)

// Refusals of arguments of the management canister that do not decode. Canisters pay for the length of a refusal, so
// the words are those of production's Candid library where they are known.

// badPayload is the refusal of an argument that does not decode, for the error of the decoder; unreadableAnyway tells
// where that says nothing.
func badPayload(method string, arg []byte, err error) *reject.Error {
	const text = "Error decoding candid: "
	if !bytes.HasPrefix(arg, []byte(candid)) {
		return reject.New(reject.InvalidManagementPayload, text+"Cannot parse header %x: binary parser error: io error", arg)
	}
	if known := inRust(method, arg, err); known != "" {
		return reject.New(reject.InvalidManagementPayload, text+"%s", known)
	}
	return reject.New(reject.InvalidManagementPayload, text+"%s", err)
}

// unreadableAnyway reports whether an argument does not decode whatever fields the method's argument has: it is not
// Candid, or absent.
func unreadableAnyway(method string, arg []byte) bool {
	return !bytes.HasPrefix(arg, []byte(candid)) || argument.Type(method) != "" && bytes.HasPrefix(arg, []byte(noArguments))
}

const (
	candid      = "DIDL"              // begins every message
	noArguments = candid + "\x00\x00" // begins one without types and arguments
)

// inRust is what the Candid library for Rust says of an argument that is absent, lacks a field, or has a case that is
// not known; empty if that is not known.
func inRust(method string, arg []byte, err error) string {
	wanted := argument.Type(method)
	if wanted == "" {
		return ""
	}
	if bytes.HasPrefix(arg, []byte(noArguments)) {
		return "No more values on the wire, the expected type " + wanted + " is not opt, null, or reserved"
	}
	var failed *wire.Error
	table, ok := firstType(arg)
	if !ok || !errors.As(err, &failed) {
		return ""
	}
	reason := ""
	switch failed.Kind {
	case wire.MissingField:
		reason = "field " + failed.Field + " is not optional field"
	case wire.UnknownCase:
		reason = "Unknown variant field " + grouped(new(big.Int).SetUint64(uint64(failed.Case)))
	default:
		return ""
	}
	return fmt.Sprintf("Fail to decode argument 0 from table%d to %s: Subtyping error: %s", table, wanted, reason)
}

// firstType is the index of the first argument's type in the table of a message; ok is false for a primitive type.
func firstType(arg []byte) (index wire.Ref, ok bool) {
	index, ok = wire.NewDecoder(arg, nil, new(wire.Signature)).OptArg()
	return index, ok && index >= 0
}
