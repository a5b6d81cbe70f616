package subnet

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"kedge/candid/wire"
	"kedge/ic/management"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// Refusals of arguments of the management canister that do not decode. Canisters pay for the length of a refusal, so
// the words are those of production's Candid library where they are known.

// badPayload is the refusal of an argument that does not decode.
func badPayload(method string, arg []byte, err error) *reject.Error {
	if !bytes.HasPrefix(arg, []byte("DIDL")) {
		return reject.New(reject.InvalidManagementPayload, "Error decoding candid: Cannot parse header %x: binary parser error: io error", arg)
	}
	if text, known := inRust(method, arg, err); known {
		return reject.New(reject.InvalidManagementPayload, "Error decoding candid: %s", text)
	}
	return reject.New(reject.InvalidManagementPayload, "Error decoding candid: %s", err)
}

// unreadableAnyway reports whether an argument does not decode whatever fields the method's argument has: it is not
// Candid, or absent.
func unreadableAnyway(method string, arg []byte) bool {
	_, ok := management.ArgumentText(method)
	return !bytes.HasPrefix(arg, []byte("DIDL")) || ok && bytes.HasPrefix(arg, []byte(noArguments))
}

// noArguments begins a message without types and arguments.
const noArguments = "DIDL\x00\x00"

// inRust is what the Candid library for Rust says of an argument that is absent, lacks a field, or has a case that is
// not known.
func inRust(method string, arg []byte, err error) (string, bool) {
	wanted, ok := management.ArgumentText(method)
	var broken *wire.Error
	if !ok || !errors.As(err, &broken) {
		return "", false
	}
	if bytes.HasPrefix(arg, []byte(noArguments)) {
		return "No more values on the wire, the expected type " + wanted + " is not opt, null, or reserved", true
	}
	reason := ""
	if field, ok := strings.CutPrefix(broken.Text, "missing field "); ok {
		name, err := strconv.Unquote(field)
		if err != nil {
			return "", false
		}
		reason = "field " + name + " is not optional field"
	} else if id, ok := strings.CutPrefix(broken.Text, "unknown variant case with id "); ok {
		number, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return "", false
		}
		reason = "Unknown variant field " + cycles.Grouped(number64(number))
	}
	if reason == "" {
		return "", false
	}
	table, ok := firstType(arg)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("Fail to decode argument 0 from table%d to %s: Subtyping error: %s", table, wanted, reason), true
}

type number64 uint64

func (n number64) String() string { return strconv.FormatUint(uint64(n), 10) }

// firstType is the index of the first argument's type in the table of a message; ok is false for another type.
func firstType(arg []byte) (index uint64, ok bool) {
	r := typeReader{rest: arg[len("DIDL"):]}
	const opt, vec, record, variant = 0x6e, 0x6d, 0x6c, 0x6b
	for range r.number() {
		switch r.byte() {
		case opt, vec:
			r.number()
		case record, variant:
			for range r.number() {
				r.number()
				r.number()
				if r.failed { // a count that the message does not hold
					return 0, false
				}
			}
		default:
			return 0, false
		}
	}
	if r.number() == 0 {
		return 0, false
	}
	primitive := len(r.rest) > 0 && r.rest[0] >= 0x40 && r.rest[0] < 0x80
	index = r.number()
	return index, !r.failed && !primitive
}

// typeReader reads the types of a message, which are LEB128 numbers.
type typeReader struct {
	rest   []byte
	failed bool
}

func (r *typeReader) byte() byte {
	if len(r.rest) == 0 {
		r.failed = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// number reads the bits of a number, of either sign; zero after a failure, so that loops end.
func (r *typeReader) number() (v uint64) {
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		if v |= uint64(b&0x7f) << shift; b < 0x80 {
			break
		}
	}
	if r.failed {
		return 0
	}
	return v
}
