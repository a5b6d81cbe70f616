package ii

// generationOf says of which generation a record is that the decoder has accepted.
func generationOf(message []byte) (g generation) {
	if s, ok := shapeOf(message); ok {
		return s.generation()
	}
	for _, f := range [...]struct {
		bit generation
		id  uint64
	}{
		{hasPurpose, purposeField}, {hasKeyType, keyTypeField}, {hasProtection, protectionField}, {hasOrigin, originField},
		{hasLastUsed, lastUsedField}, {hasMetadata, metadataField}, {hasAAGUID, aaguidField}, {hasCreatedAt, createdAtField},
	} {
		if mentions(message, opRecord, f.id) {
			g |= f.bit
		}
	}
	if mentions(message, opVariantType, browserKeyCase) {
		g |= hasBrowserKey
	}
	return g
}

// mentions tells whether some record or variant of a Candid message's type table has a field with this id. A
// table that is cut short mentions what it mentioned so far; the decoder will say what is wrong with it.
func mentions(message []byte, of byte, field uint64) bool {
	if len(message) < 4 || string(message[:4]) != "DIDL" {
		return false
	}
	b := message[4:]
	// leb reads a number; a type reference is signed, but only its end matters here.
	leb := func() (n uint64, ok bool) {
		for shift := 0; shift < 64 && len(b) > 0; shift += 7 {
			c := b[0]
			b = b[1:]
			n |= uint64(c&0x7f) << shift
			if c < 0x80 {
				return n, true
			}
		}
		return 0, false
	}
	entries, ok := leb()
	for ; ok && entries > 0; entries-- {
		if len(b) == 0 {
			return false
		}
		op := b[0]
		b = b[1:]
		switch op {
		case opOpt, opVec:
			_, ok = leb()
		case opRecord, opVariantType:
			var fields, id uint64
			fields, ok = leb()
			for ; ok && fields > 0; fields-- {
				if id, ok = leb(); !ok {
					return false
				}
				if op == of && id == field {
					return true
				}
				_, ok = leb()
			}
		default: // func, service: no old module writes them
			return false
		}
	}
	return false
}
