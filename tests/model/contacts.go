package model

// contacts is how many recovery contacts an anchor of the model names (rule 11). They are interchangeable.
const contacts = 3

// threshold is how many of them must approve the same key.
const threshold = 2

// contact is a recovery contact: what it has done since it was named, and whether its approval is older than
// the delay.
type contact struct {
	listed, accepted bool
	approves         int8 // a key and one; 0 for none
	protected        bool // a protected device of the contact approved
	ripe             bool
}

// live is a sign of life of a device in person: it proves the device, cancels the requests for its release,
// and if the device is protected ends all approvals and takes those who approved off the list.
func (s *state) live(i int8) (vetoed bool) {
	s.dev[i].proven = true
	vetoed = s.veto(i)
	if s.protected(i) {
		for c := range s.contacts {
			if s.contacts[c].approves != 0 {
				s.contacts[c] = contact{}
			}
		}
		s.tidy()
	}
	return vetoed
}

// name names all contacts: the namer alone agrees, and nobody has accepted or approved anything.
func (s *state) name(by int8) {
	s.dropContacts()
	s.named, s.dev[by].agrees = true, true
	for c := range s.contacts {
		s.contacts[c].listed = true
	}
}

func (s *state) dropContacts() {
	s.named, s.contacts = false, [contacts]contact{}
	for i := range s.dev {
		s.dev[i].agrees = false
	}
}

// tidy ends the agreements of devices that are no longer protected, and contacts without an agreement or with
// fewer than the threshold.
func (s *state) tidy() {
	if !s.named {
		return
	}
	agreed, listed := false, 0
	for i := range s.dev {
		s.dev[i].agrees = s.dev[i].agrees && s.protected(int8(i))
		agreed = agreed || s.dev[i].agrees
	}
	for c := range s.contacts {
		if s.contacts[c].listed {
			listed++
		}
	}
	if !agreed || listed < threshold {
		s.dropContacts()
	}
}

// stepContact is what the rules say of a message by a contact or by the new key.
func (s *state) stepContact(m message) bool {
	if m.action == recover {
		if s.recover(m) {
			return true
		}
		if s.dev[m.key].on { // refused, and a sign of life like any other
			s.live(m.key)
		}
		return false
	}
	c := &s.contacts[m.contact]
	if !s.named || !c.listed {
		return false
	}
	may := !c.protected || m.protected
	switch m.action {
	case accept:
		c.accepted = true
		return true
	case approve:
		if !c.accepted {
			return false
		}
		if c.approves == m.key+1 {
			return true
		}
		if may {
			c.approves, c.protected, c.ripe = m.key+1, m.protected, false
		}
		return may
	case withdrawApproval:
		if c.approves == 0 {
			return true
		}
		if may {
			c.approves, c.protected, c.ripe = 0, false, false
		}
		return may
	case resign:
		if may {
			*c = contact{}
			s.tidy()
		}
		return may
	}
	panic("unknown action of a contact")
}

// recover is the completion by the new key itself.
func (s *state) recover(m message) bool {
	ripe := 0
	for _, c := range s.contacts {
		if c.listed && c.approves == m.key+1 && c.ripe {
			ripe++
		}
	}
	if !s.named || ripe < threshold || m.kind >= phrase || s.protected(m.key) {
		return false
	}
	kept := s.any(func(i int8) bool { return i != m.key && s.protected(i) && !s.dev[i].agrees && s.dev[i].credential })
	if m.kind == credential && kept {
		return false
	}
	for i := range s.dev {
		if s.dev[i].agrees {
			s.dev[i].marked, s.dev[i].ask = false, [keys]ask{}
		}
	}
	s.drop(m.key)
	if m.kind == credential {
		for i := range s.dev {
			s.dev[i].credential = false
		}
	}
	s.dropContacts()
	s.dev[m.key] = device{on: true, credential: m.kind == credential, marked: true, proven: true}
	return true
}
