package record

import (
	"fmt"

	"kedge/canister/identity"
)

var noContact [contactSize]byte

// appendContacts appends the recovery contacts of an anchor.
func appendContacts(b []byte, c *identity.Contacts) ([]byte, error) {
	if len(c.List) > 0xff {
		return nil, fmt.Errorf("it has %d contacts, at most 255 can be stored", len(c.List))
	}
	b = append(b, c.Threshold, byte(len(c.List)))
	b = le.AppendUint64(b, c.Delay)
	at := len(b)
	for i := range c.List {
		f := &c.List[i]
		if n := f.Key.Len(); n != 0 && n != principalSize {
			return nil, fmt.Errorf("a contact approves a principal of %d bytes, not %d", n, principalSize)
		}
		b = append(b, noContact[:]...)
		rec := b[at : at+contactSize]
		le.PutUint64(rec, f.Anchor)
		rec[8] = bit(f.Accepted, flagAccepted) | bit(f.ByProtected, flagByProtected) | bit(f.Noted, flagNoted)
		f.Key.AppendTo(rec[9:9])
		le.PutUint64(rec[9+principalSize:], f.ApprovedAt)
		at += contactSize
	}
	return b, nil
}

// decodeContacts takes apart what head has cut out. It uses room if there is any and it is large enough.
func decodeContacts(b []byte, room *identity.Contacts) *identity.Contacts {
	c := room
	if c == nil {
		c = new(identity.Contacts)
	}
	n := int(b[1])
	c.Threshold, c.Delay = b[0], le.Uint64(b[2:])
	if cap(c.List) < n {
		c.List = make([]identity.Contact, n)
	}
	c.List = c.List[:n]
	for i := range c.List {
		f, rec := &c.List[i], (*[contactSize]byte)(b[contactsHead+i*contactSize:])
		flags := rec[8]
		f.Anchor, f.ApprovedAt = le.Uint64(rec[:8]), le.Uint64(rec[9+principalSize:]) // one by one: no copy of all is made
		f.Key = storedPrincipal(rec[9 : 9+principalSize])
		f.Accepted, f.ByProtected, f.Noted = flags&flagAccepted != 0, flags&flagByProtected != 0, flags&flagNoted != 0
	}
	return c
}

// StoredContacts are the recovery contacts of a record, not taken apart.
type StoredContacts struct {
	b    []byte
	room *identity.Contacts
}

// Contacts takes them apart.
func (s *StoredContacts) Contacts() *identity.Contacts { return decodeContacts(s.b, s.room) }

// Idle reports whether none has approved a key or is noted in the history.
func (s *StoredContacts) Idle() bool {
	for rec := s.b[contactsHead:]; len(rec) >= contactSize; rec = rec[contactSize:] {
		if rec[8]&flagNoted != 0 || le.Uint64(rec[9+principalSize:]) != 0 {
			return false
		}
	}
	return true
}

// AppendTo appends them as they are.
func (s *StoredContacts) AppendTo(b []byte) []byte { return append(b, s.b...) }
