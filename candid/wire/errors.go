package wire

import "strconv"

// Error says why a message could not be decoded.
type Error struct {
	// Arg is the argument or result that was being decoded, counted from 1;
	// 0 is the header.
	Arg int
	// Path leads from the argument to the value, for example
	// `field "devices", element 3, field "alias"`. It may be empty.
	Path string
	// Offset is where in the message, in bytes, reading failed.
	Offset int
	// Text is what was wrong there.
	Text string
	// Kind is the kind of that.
	Kind Kind
	// Field is the name of the missing field, of kind MissingField.
	Field string
	// Case is the id of the case that the receiver does not know, of kind UnknownCase.
	Case uint32
}

func (e *Error) Error() string {
	var b []byte
	if e.Arg > 0 {
		b = append(b, "argument "...)
		b = strconv.AppendInt(b, int64(e.Arg), 10)
		if e.Path != "" {
			b = append(b, ", "...)
			b = append(b, e.Path...)
		}
		b = append(b, ": "...)
	}
	b = append(b, e.Text...)
	b = append(b, " at offset "...)
	b = strconv.AppendInt(b, int64(e.Offset), 10)
	return string(b)
}

// failure is an Error before anybody has asked for its text: most failures
// happen inside an opt, which turns them into null.
type failure struct {
	kind   Kind
	offset int
	want   string // Mismatch: the expected type; MissingField: the field; else the whole text
	got    Ref
	tag    uint32
	path   []step
}

// Kind is why a message could not be decoded.
type Kind uint8

// The kinds of errors.
const (
	none         Kind = iota
	Malformed         // the bytes are not Candid, or beyond a limit: no opt helps
	Mismatch          // the value is of another type
	MissingField      // a field that must be there is not
	UnknownCase       // a case that the expected variant does not have
	BadReference      // a reference whose type is no subtype of the expected one
)

// step is one part of the way from an argument to a value: a field, or an
// element if the name is empty.
type step struct {
	name  string
	index int
}

func (d *Decoder) failureText() string {
	f := &d.failure
	switch f.kind {
	case Mismatch:
		return "expected " + f.want + ", got " + d.wire.kindName(f.got)
	case MissingField:
		return "missing field " + strconv.Quote(f.want)
	case UnknownCase:
		return "unknown variant case with id " + strconv.FormatUint(uint64(f.tag), 10)
	case BadReference:
		return "the " + f.want + " reference is not of a subtype of the expected type"
	default:
		return f.want
	}
}

func (d *Decoder) failurePath() string {
	const ends = 4 // of a long path, so many steps from either end are told
	var b []byte
	steps := d.failure.path // innermost first
	for i := len(steps) - 1; i >= 0; i-- {
		if b != nil {
			b = append(b, ", "...)
		}
		if i >= ends && i < len(steps)-ends {
			b = append(b, "…"...)
			i = ends
			continue
		}
		s := steps[i]
		if s.name != "" {
			b = append(b, "field "...)
			b = strconv.AppendQuote(b, s.name)
		} else {
			b = append(b, "element "...)
			b = strconv.AppendInt(b, int64(s.index), 10)
		}
	}
	return string(b)
}

func (d *Decoder) fail(kind Kind, want string, got Ref) {
	if d.failure.kind == none {
		d.failure = failure{kind: kind, offset: d.pos, want: want, got: got}
	}
}

func (d *Decoder) malformed(text string) { d.fail(Malformed, text, 0) }

func (d *Decoder) mismatch(want string, got Ref) { d.fail(Mismatch, want, got) }

// Failed reports whether decoding has failed. What is decoded after a failure
// has no meaning; Finish tells the error.
func (d *Decoder) Failed() bool { return d.failure.kind != none }

// At says that the failure, if there is one, happened in element i of a vec.
func (d *Decoder) At(i int) { d.in(step{index: i}) }

func (d *Decoder) in(s step) {
	if d.failure.kind != none && len(d.failure.path) < MaxDepth {
		d.failure.path = append(d.failure.path, s)
	}
}

// Refuse makes decoding fail for a reason of the caller's that no opt turns
// into null.
func (d *Decoder) Refuse(text string) { d.malformed(text) }
