package record

import (
	"fmt"

	"kedge/canister/identity"
)

// appendContacts appends the recovery contacts of an anchor.
func appendContacts(b []byte, c *identity.Contacts) ([]byte, error) {
	if len(c.List) > 0xff {
		return nil, fmt.Errorf("it has %d contacts, at most 255 can be stored", len(c.List))
	}
	b = append(b, c.Threshold, byte(len(c.List)))
	b = le.AppendUint64(b, c.Delay)
	for i := range c.List {
		f := &c.List[i]
		if n := f.Key.Len(); n != 0 && n != principalSize {
			return nil, fmt.Errorf("a contact approves a principal of %d bytes, not %d", n, principalSize)
		}
		b = le.AppendUint64(b, f.Anchor)
		b = append(b, bit(f.Accepted, flagAccepted)|bit(f.ByProtected, flagByProtected)|bit(f.Noted, flagNoted))
		var key [principalSize]byte
		f.Key.AppendTo(key[:0])
		b = append(b, key[:]...)
		b = le.AppendUint64(b, f.ApprovedAt)
	}
	return b, nil
}

func (r *reader) contacts() *identity.Contacts {
	c := &identity.Contacts{Threshold: r.u8()}
	n := int(r.u8())
	c.Delay = r.u64()
	if n*contactSize > len(r.b) {
		r.failed = true
		return nil
	}
	c.List = make([]identity.Contact, n)
	for i := range c.List {
		f := &c.List[i]
		f.Anchor = r.u64()
		flags := r.u8()
		f.Accepted, f.ByProtected, f.Noted = flags&flagAccepted != 0, flags&flagByProtected != 0, flags&flagNoted != 0
		f.Key = storedPrincipal(r.take(principalSize))
		f.ApprovedAt = r.u64()
	}
	return c
}
