package identity

import "bytes"

// WarningKind is something to know of an anchor's recovery contacts.
type WarningKind uint8

// The kinds.
const (
	WarnVetoForEver    WarningKind = iota // a thief with a protected device can veto every recovery
	WarnThresholdOne                      // one contact alone, deceived, brings a stranger in
	WarnThresholdAll                      // one contact that cannot be reached is enough to prevent a recovery
	WarnDelay                             // a release would be over sooner
	WarnNotAgreed                         // Device is protected and has not agreed: it stays after a recovery
	WarnSharedDevice                      // the anchor of the contact Anchor has Device, too
	WarnEachOthersOnly                    // this anchor and Anchor have each other as their only contact
	Warnings                              // how many kinds there are
)

var warningWords = [Warnings]string{
	"a thief who holds a protected device can veto every recovery; what helps against that is another protected device of yours",
	"one contact alone, deceived, brings a stranger in; name two or more who must approve",
	"all contacts must approve, so one who cannot be reached prevents the recovery; name one more than must approve",
	"the contacts' delay is longer than that of a release: whoever may ask for the release is there first",
	"a protected device has not agreed to the contacts: after a recovery it stays, and if it is lost nobody can remove it",
	"a contact's anchor has a device of this anchor: who loses or steals it loses or steals both",
	"this anchor and its contact have each other as their only contact: who loses both has no way back",
}

// Warning is something to know of an anchor's recovery contacts.
type Warning struct {
	Kind   WarningKind
	Anchor uint64 // number of the contact concerned, or 0
	Device []byte // public key of the device concerned, or nil
}

// Words says in English what is to be known.
func (w Warning) Words() string { return warningWords[w.Kind] }

// accepted is how many contacts have accepted.
func (s *Contacts) accepted() (n int) {
	for i := range s.List {
		if s.List[i].Accepted {
			n++
		}
	}
	return n
}

// ContactWarnings lists what is to be said of the recovery contacts, whose anchors are friends as far as they
// can be read.
func (a *Anchor) ContactWarnings(friends []*Anchor) (out []Warning) {
	contacts := a.RecoveryContacts()
	if contacts == nil {
		return nil
	}
	out = append(out, Warning{Kind: WarnVetoForEver})
	switch n := len(contacts.List); {
	case contacts.Threshold == 1:
		out = append(out, Warning{Kind: WarnThresholdOne})
	case int(contacts.Threshold) == n:
		out = append(out, Warning{Kind: WarnThresholdAll})
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		if d.Consent != nil && contacts.Delay > d.Consent.Delay {
			out = append(out, Warning{Kind: WarnDelay, Device: d.PublicKey})
		}
		if d.protected() && !d.AgreesToContacts {
			out = append(out, Warning{Kind: WarnNotAgreed, Device: d.PublicKey})
		}
	}
	for _, friend := range friends {
		for i := range friend.Devices {
			if key := friend.Devices[i].PublicKey; a.byKey(key) != nil {
				out = append(out, Warning{Kind: WarnSharedDevice, Anchor: friend.Number, Device: bytes.Clone(key)})
			}
		}
		theirs := friend.RecoveryContacts()
		if len(contacts.List) == 1 && theirs != nil && len(theirs.List) == 1 && theirs.List[0].Anchor == a.Number {
			out = append(out, Warning{Kind: WarnEachOthersOnly, Anchor: friend.Number})
		}
	}
	return out
}
