package record

// Raise appends what a record of a version is in the next: the same fields, and zeros for the new ones. It does
// what reading and writing the anchor would, for a fraction of the instructions. ok is false if it cannot.
func Raise(b, payload []byte, version byte) (record []byte, ok bool) {
	switch version {
	case Version1:
		return raise1(b, payload)
	case Version2:
		return raise2(b, payload)
	}
	return b, false
}

func raise1(b, payload []byte) (record []byte, ok bool) {
	before := len(b)
	r := reader{b: payload}
	devices, duplicates := r.u16(), r.u16()
	b = append(b, zeros[:18]...)
	b = le.AppendUint16(b, devices)
	b = le.AppendUint16(b, duplicates)
	for range int(devices) + int(duplicates) {
		rec, fixed := r.nextRecord()
		if fixed != fixed1 {
			return b, false
		}
		start := len(b)
		b = append(b, rec[:fixed1]...)
		b = append(b, zeros[:fixed2-fixed1]...)
		b = append(b, rec[fixed1:]...)
		le.PutUint16(b[start:], uint16(len(rec)+fixed2-fixed1))
		b[start+2] = Version2
	}
	return b, !r.failed && len(r.b) == 0 && len(b)-before <= Max
}

// raise2 only changes the versions of the device records.
func raise2(b, payload []byte) (record []byte, ok bool) {
	start := len(b)
	b = append(b, payload...)
	r := reader{b: b[start:]}
	head := r.take(22)
	if r.failed {
		return b, false
	}
	flags, left := head[16], int(le.Uint16(head[18:]))+int(le.Uint16(head[20:]))
	raise := func() bool {
		rec, fixed := r.nextRecord()
		if fixed != fixed2 {
			return false
		}
		rec[2] = Version3
		return true
	}
	if flags&flagRegistration != 0 {
		r.take(15)
		if flags&flagTentative != 0 && !raise() {
			return b, false
		}
	}
	if flags&flagTag != 0 {
		r.take(8)
	}
	for ; left > 0; left-- {
		if !raise() {
			return b, false
		}
	}
	return b, flags&flagContacts == 0 && !r.failed && len(r.b) == 0
}
