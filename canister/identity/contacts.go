package identity

import "kedge/ic/principal"

// MaxContacts is the most recovery contacts of an anchor.
const MaxContacts = 7

// Limits of the delay of a recovery by contacts, in ns of service time. The delay is never shorter than the
// anchor's longest session either.
const (
	MinContactDelay = 7 * day
	MaxContactDelay = 365 * day
)

// Contacts are the recovery contacts of an anchor (rule 11): other anchors that may, together and after a
// delay that any protected device can veto, bring in a new device. Each protected device agrees for itself,
// see Device.AgreesToContacts; there are no contacts without an agreement.
type Contacts struct {
	Threshold uint8     // how many must approve the same key, 1 to len(List)
	Delay     uint64    // ns of service time, MinContactDelay to MaxContactDelay
	List      []Contact // at most MaxContacts, in the order named; anchors differ
}

// Contact is one recovery contact, and what it has done so far.
type Contact struct {
	Anchor   uint64 // number of the contact's anchor
	Accepted bool   // it has accepted since it was named

	// Approval of a new key, which is kept as its principal. ApprovedAt is 0 for none.
	Key         principal.Principal
	ApprovedAt  uint64 // ns of service time
	ByProtected bool   // a protected device of the contact approved, so only such a one changes that

	// Noted says that the history has an entry of this contact since the last sign of life of a protected
	// device. There is one at most.
	Noted bool
}
