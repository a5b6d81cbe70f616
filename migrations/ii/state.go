package ii

import "kedge/canister/storage"

// Trial is the state of the trial of an Internet Identity memory, which the store keeps for it:
//
//	off  len
//	  0    1  layout of the old memory, 0 when there is no trial
//	  1    1  bit 0: the old module knows protection
//	  2    2  zero
//	  4    4  imported: slots below have been compared with their old records
//	  8    4  anchors without any device key
//	 12    4  anchors whose old record cannot be read
//	 16    4  anchors in which something was restored or dropped on coming back
//	 20   48  slots of the first twelve of those, u32 each
//	 68    2  newest generation of the old records met, 0 for none
//	 70    1  number of returns from the old module or another, modulo 64
//	 71    1  zero
//	 72    4  anchors that have a name or OpenID credentials in virtual memory 16 and no device
//	 76   48  slots of the first twelve of those, u32 each
//	124  132  zero
type Trial struct {
	Layout          uint8      // of the old memory, 0 when there is no trial
	KnowsProtection bool       // the old module does
	Imported        uint32     // slots below have been compared with their old records
	WithoutKey      uint32     // anchors
	Unreadable      uint32     // anchors
	Amended         uint32     // anchors in which something was restored or dropped on coming back
	FirstAmended    [12]uint32 // slots, the first min(Amended, 12) of them
	Generation      uint16     // the newest of the old records met, 0 for none
	Returns         uint8      // from the old module or another, modulo 64
	Named           uint32     // anchors that have a name or OpenID credentials in virtual memory 16 and no device
	FirstNamed      [12]uint32 // slots, the first min(Named, 12) of them
}

func (t *Trial) encode(b *[storage.LegacySize]byte) {
	b[0] = t.Layout
	if t.KnowsProtection {
		b[1] = 1
	}
	le.PutUint32(b[4:], t.Imported)
	le.PutUint32(b[8:], t.WithoutKey)
	le.PutUint32(b[12:], t.Unreadable)
	le.PutUint32(b[16:], t.Amended)
	for i, slot := range t.FirstAmended {
		le.PutUint32(b[20+4*i:], slot)
	}
	le.PutUint16(b[68:], t.Generation)
	b[70] = t.Returns
	le.PutUint32(b[72:], t.Named)
	for i, slot := range t.FirstNamed {
		le.PutUint32(b[76+4*i:], slot)
	}
}

func (t *Trial) decode(b *[storage.LegacySize]byte) {
	*t = Trial{
		Layout: b[0], KnowsProtection: b[1]&1 != 0, Imported: le.Uint32(b[4:]), WithoutKey: le.Uint32(b[8:]),
		Unreadable: le.Uint32(b[12:]), Amended: le.Uint32(b[16:]), Generation: le.Uint16(b[68:]), Returns: b[70], Named: le.Uint32(b[72:]),
	}
	for i := range t.FirstNamed {
		t.FirstNamed[i] = le.Uint32(b[76+4*i:])
	}
	for i := range t.FirstAmended {
		t.FirstAmended[i] = le.Uint32(b[20+4*i:])
	}
}

// TrialOf is the state of the trial; its Layout is 0 when there is none.
func TrialOf(s *storage.Store) (t Trial) {
	t.decode(s.LegacyState())
	return t
}

func setTrial(s *storage.Store, t Trial) error {
	var b [storage.LegacySize]byte
	t.encode(&b)
	return s.SetLegacyState(&b)
}
