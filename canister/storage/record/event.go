package record

import (
	"kedge/canister/identity"
	"kedge/ic/principal"
)

// An event of the history of an anchor:
//
//	 0    4  its number within the anchor, over all rings
//	 4    8  time, ns since the epoch
//	12    1  kind
//	13    1  bit 0 temporary key, 1 has by, 2 has device, 3 has other, 4 has until
//	14    8  until, if any
//	         by, device, other, each if any: u8 length, principal

// NumberedEvent is an event with its number within the anchor, from 0.
type NumberedEvent struct {
	Number uint64
	identity.Event
}

// MaxEvent is more than the greatest length of an event in bytes.
const MaxEvent = 160

// Events appends the n events that b consists of, those numbered from and above. ok is false if they do not
// fill it.
func Events(events []NumberedEvent, b []byte, n int, from uint64) (all []NumberedEvent, ok bool) {
	r := reader{b: b}
	for range n {
		if e := r.event(); e.Number >= from {
			events = append(events, e)
		}
	}
	return events, !r.failed && len(r.b) == 0
}

// AppendEvent appends an event.
func AppendEvent(b []byte, number uint32, e *identity.Event) []byte {
	b = le.AppendUint32(b, number)
	b = le.AppendUint64(b, e.At)
	flags := bit(e.Temporary, 1) | bit(e.Until != 0, 16)
	b = append(b, byte(e.Kind), 0)
	head := b
	if e.Until != 0 {
		b = le.AppendUint64(b, e.Until)
	}
	for i, p := range [...]*principal.Principal{&e.By, &e.Device, &e.Other} {
		// What is appended tells whether there is one: to ask a principal would copy it.
		at := len(b)
		b = p.AppendTo(append(b, 0))
		if n := len(b) - at - 1; n > 0 {
			b[at] = byte(n)
			flags |= 2 << i
		} else {
			b = b[:at]
		}
	}
	b[len(head)-1] = flags
	return b
}

func (r *reader) event() NumberedEvent {
	var e NumberedEvent
	e.Number = uint64(r.u32())
	e.At = r.u64()
	e.Kind = identity.EventKind(r.u8())
	flags := r.u8()
	e.Temporary = flags&1 != 0
	if flags&16 != 0 {
		e.Until = r.u64()
	}
	for i, p := range [...]*principal.Principal{&e.By, &e.Device, &e.Other} {
		if flags&(2<<i) != 0 {
			n := int(r.u8())
			if n > principalSize {
				r.failed = true
				return e
			}
			*p = principalOf(r.take(n), n)
		}
	}
	return e
}
