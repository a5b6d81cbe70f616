package record

// Raise appends what a record of version 1 is in version 2: the same fields and zeros for the new
// ones. It does what reading and writing the anchor would, for a fraction of the instructions.
func Raise(b, payload []byte) (record []byte, ok bool) {
	r := reader{b: payload}
	devices, duplicates := r.u16(), r.u16()
	b = append(b, zeros[:18]...)
	b = le.AppendUint16(b, devices)
	b = le.AppendUint16(b, duplicates)
	for range int(devices) + int(duplicates) {
		rec, fixed := r.nextRecord()
		if r.failed || fixed != fixed1 {
			return b, false
		}
		start := len(b)
		b = append(b, rec[:fixed1]...)
		b = append(b, zeros[:fixed2-fixed1]...)
		b = append(b, rec[fixed1:]...)
		le.PutUint16(b[start:], uint16(len(rec)+fixed2-fixed1))
		b[start+2] = Version2
	}
	return b, !r.failed && len(r.b) == 0 && len(b) <= Max
}
