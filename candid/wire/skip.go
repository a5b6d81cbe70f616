package wire

var fixedSizes = [...]uint64{-Nat8: 1, -Nat16: 2, -Nat32: 4, -Nat64: 8,
	-Int8: 1, -Int16: 2, -Int32: 4, -Int64: 8, -Float32: 4, -Float64: 8, -Empty: 0}

// Skip passes over a value of type w, which must be well formed.
func (d *Decoder) Skip(w Ref) {
	if d.Failed() {
		return
	}
	from := d.pos
	d.skip(w)
	if d.skipped += d.pos - from; d.skipped > MaxSkipped {
		d.malformed("the message carries too much that the receiver does not know")
	}
}

func (d *Decoder) skip(w Ref) {
	if d.steps--; d.steps < 0 {
		d.malformed("the message takes too much work for its size")
		return
	}
	if w >= 0 {
		d.enter()
		d.skipEntry(&d.wire[w])
		d.depth--
		return
	}
	switch w {
	case Null, Reserved:
	case Bool:
		d.bool()
	case Nat, Int:
		d.leb()
	case Text:
		d.text()
	case Principal:
		d.principal()
	case Empty:
		d.mismatch("a value", w)
	default:
		d.take(fixedSizes[-w])
	}
}

func (d *Decoder) skipEntry(e *Entry) {
	if d.Failed() {
		return
	}
	switch e.Op {
	case Opt:
		if d.bool() {
			d.skip(e.Elem)
		}
	case Vec:
		d.skipVec(e.Elem)
	case Record:
		for _, f := range e.Fields {
			if d.skip(f.Type); d.Failed() {
				return
			}
		}
	case Variant:
		i := d.uleb()
		if i >= uint64(len(e.Fields)) {
			d.malformed("a variant has no case of this number")
			return
		}
		d.skip(e.Fields[i].Type)
	case Func:
		d.funcRef()
	case Service:
		d.principal()
	case Future:
		n := d.uleb()
		if d.uleb() > 0 {
			d.malformed("a value of a type of a later specification holds references")
			return
		}
		d.take(n)
	}
}

func (d *Decoder) skipVec(elem Ref) {
	n := d.uleb()
	if elem < 0 && fixedSizes[min(-int(elem), len(fixedSizes)-1)] > 0 {
		if size := fixedSizes[-elem]; n > uint64(len(d.data))/size {
			d.malformed(endOfMessage)
		} else {
			d.take(n * size)
		}
		return
	}
	for ; n > 0 && !d.Failed(); n-- {
		d.skip(elem)
	}
}
