package wire

// Message passes over a value of type w and returns it as the only argument of a message of its own, with
// the type that it has on the wire. A receiver that hands a value on need not know its type.
func (d *Decoder) Message(w Ref) []byte {
	from := d.pos
	d.skip(w)
	if d.Failed() {
		return nil
	}
	return append(AppendHeader(nil, d.wire, []Field{{Type: w}}), d.data[from:d.pos]...)
}
