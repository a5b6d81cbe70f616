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
	a, err := s.Read(number)
	if err != nil {
		return err
	}
	if s.last.head.version == s.writeVersion() {
		return nil
	}
	return s.Write(a)
}
