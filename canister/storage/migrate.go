package storage

// What follows is for package migrations, which alone changes the layout of a memory.

// Migration is the state of the step under way; its Phase is Idle when there is none.
func (s *Store) Migration() Migration { return s.sb.migration }

// SetMigration stores the state of the step under way.
func (s *Store) SetMigration(m Migration) error {
	s.sb.migration, s.dirty = m, true
	return s.flush()
}

// Enter begins work towards a layout 2: from now on records are written in version 2.
func (s *Store) Enter(m Migration) error {
	s.sb.layout = Layout2
	return s.SetMigration(m)
}

// Leave ends the way back to layout 1, which knows no index and no history.
func (s *Store) Leave() error {
	s.clearIndex()
	s.sb.index, s.sb.built = indexWhole, 0
	s.sb.regions[history].units, s.spare = 0, 0
	s.sb.layout = Layout1
	return s.SetMigration(Migration{})
}

// accepted is the loss that the controller accepted for the way back to layout 1.
func (s *Store) accepted() Loss {
	if s.sb.migration.Phase == Down {
		return s.sb.migration.Losses
	}
	return 0
}

// Rewrite writes an anchor in the version in which anchors are written now, if it is in another.
func (s *Store) Rewrite(number uint64) error {
	slot, err := s.slotOf(number)
	if err != nil {
		return err
	}
	raw, err := s.readRawInto(s.lent.record[:], slot)
	if err != nil || raw.head.version == s.writeVersion() {
		return err
	}
	if raw.head.version == record1 {
		var ok bool
		if s.scratch, ok = raiseRecord(s.scratch[:0], raw.payload); !ok {
			return corrupted(s.anchorName(slot), "the devices do not fill the %d bytes of a record of version 1", len(raw.payload))
		}
		return s.store(raw, number, record2, nil, nil)
	}
	a, err := s.Read(number)
	if err != nil {
		return err
	}
	return s.Write(a)
}

// raiseRecord appends what a record of version 1 is in version 2: the same fields and zeros for the new
// ones. It does what reading and writing the anchor would, for a fraction of the instructions.
func raiseRecord(b, payload []byte) (record []byte, ok bool) {
	r := reader{b: payload}
	devices, copies := r.u16(), r.u16()
	b = append(b, zeros[:18]...)
	b = le.AppendUint16(b, devices)
	b = le.AppendUint16(b, copies)
	for range int(devices) + int(copies) {
		rec, fixed := r.nextRecord()
		if r.failed || fixed != fixed1 {
			return b, false
		}
		start := len(b)
		b = append(b, rec[:fixed1]...)
		b = append(b, zeros[:fixed2-fixed1]...)
		b = append(b, rec[fixed1:]...)
		le.PutUint16(b[start:], uint16(len(rec)+fixed2-fixed1))
		b[start+2] = record2
	}
	return b, !r.failed && len(r.b) == 0 && len(b) <= MaxRecord
}
