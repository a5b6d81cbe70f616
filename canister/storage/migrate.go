package storage

import "kedge/canister/storage/record"

// What follows is for package migrations, which alone changes the layout of a memory.

// Migration is the state of the step under way; its Phase is Idle when there is none.
func (s *Store) Migration() Migration { return s.sb.migration }

// SetMigration stores the state of the step under way.
func (s *Store) SetMigration(m Migration) error {
	s.sb.migration, s.dirty = m, true
	return s.flush()
}

// Enter begins work towards the next layout: from now on records are written in its version.
func (s *Store) Enter(m Migration) error {
	s.sb.layout++
	return s.SetMigration(m)
}

// Leave ends the way back to the layout before. Layout 1 knows no index and no history.
func (s *Store) Leave() error {
	s.sb.layout--
	if s.sb.layout == Layout1 {
		s.tree.Clear()
		s.alloc.Reset(history)
		s.sb.index, s.sb.built = indexWhole, 0
	}
	return s.SetMigration(Migration{})
}

// accepted is the loss that the controller accepted for the way back.
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
	if version := raw.head.version; version+1 == s.writeVersion() {
		if raised, ok := record.Raise(s.slotImage(version+1), raw.payload, version); ok {
			s.scratch = raised
			return s.store(raw, number, version+1, nil, nil)
		}
	}
	// Slower, and right for whatever can be read.
	a, err := s.Read(number)
	if err != nil {
		return err
	}
	return s.Write(a)
}
