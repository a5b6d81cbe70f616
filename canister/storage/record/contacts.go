package record

import (
	"fmt"

	"kedge/canister/identity"
)

var noContacts [identity.MaxContacts * contactSize]byte

// appendContacts appends the recovery contacts of an anchor.
func appendContacts(b []byte, c *identity.Contacts) ([]byte, error) {
	if len(c.List) > 0xff {
		return nil, fmt.Errorf("it has %d contacts, at most 255 can be stored", len(c.List))
	}
	b = append(b, c.Threshold, byte(len(c.List)))
	b = le.AppendUint64(b, c.Delay)
	at := len(b)
	b = append(b, noContacts[:min(len(c.List)*contactSize, len(noContacts))]...)
	for i := range c.List {
		f := &c.List[i]
		if n := f.Key.Len(); n != 0 && n != principalSize {
			return nil, fmt.Errorf("a contact approves a principal of %d bytes, not %d", n, principalSize)
		}
		if len(b) < at+contactSize { // more than are legal
			b = append(b, noContacts[:contactSize]...)
		}
		rec := b[at : at+contactSize]
		le.PutUint64(rec, f.Anchor)
		rec[8] = bit(f.Accepted, flagAccepted) | bit(f.ByProtected, flagByProtected) | bit(f.Noted, flagNoted)
		f.Key.AppendTo(rec[9:9])
		le.PutUint64(rec[9+principalSize:], f.ApprovedAt)
		at += contactSize
	}
	return b, nil
}

// contacts reads the recovery contacts into room, if there is any and it is large enough.
func (r *reader) contacts(room *identity.Contacts) *identity.Contacts {
	c := room
	if c == nil {
		c = new(identity.Contacts)
	}
	c.Threshold = r.u8()
	n := int(r.u8())
	c.Delay = r.u64()
	if n*contactSize > len(r.b) {
		r.failed = true
		return nil
	}
	if cap(c.List) < n {
		c.List = make([]identity.Contact, n)
	}
	c.List = c.List[:n]
	clear(c.List)
	all := r.take(n * contactSize)
	for i := range c.List {
		f, rec := &c.List[i], all[i*contactSize:(i+1)*contactSize]
		flags := rec[8]
		f.Anchor, f.ApprovedAt = le.Uint64(rec), le.Uint64(rec[9+principalSize:])
		f.Accepted, f.ByProtected, f.Noted = flags&flagAccepted != 0, flags&flagByProtected != 0, flags&flagNoted != 0
		if le.Uint64(rec[9:]) != 0 || f.ApprovedAt != 0 { // else there is no key: none begins with eight zeros
			f.Key = storedPrincipal(rec[9 : 9+principalSize])
		}
	}
	return c
}

func (r *reader) skipContacts() {
	r.u8()
	n := int(r.u8())
	r.u64()
	r.take(n * contactSize)
}
