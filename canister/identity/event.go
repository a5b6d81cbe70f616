package identity

import "kedge/ic/principal"

// EventKind says what happened. The values are stored.
type EventKind uint8

// The kinds of history entry. Sign-ins are not among them.
const (
	EventRegistered EventKind = iota + 1
	EventAdded
	EventUpdated
	EventReplaced  // Device is gone, Other came; Until: sessions of Device
	EventRemoved   // Until: sessions of Device
	EventProtected // Until: service time of the lapse, 0 if the mark is final
	EventUnprotected
	EventLapsed
	EventGuardOn
	EventGuardOff
	EventDeviceBoundOn
	EventDeviceBoundOff
	EventSessionLimit // Until: the limit in ns
	EventConsented    // Until: the delay in ns
	EventConsentWithdrawn
	EventRequested // Other asked for the release of Device; Until: service time of completion
	EventCancelled // By vetoed what Other had asked of Device
	EventReleased  // By completed the release of Device
	EventAttested
	EventRegistrationOpened
	EventRegistrationClosed
	EventRestored // a record that an old module weakened was restored (migrations)
	EventDropped  // a mark or device that an old module wrote was not taken over (migrations)

	// Recovery contacts (rule 11).
	EventContactsSet       // By named the contacts; Until: the delay in ns
	EventContactsAgreed    // Device agreed to them
	EventContactsDisagreed // Device withdrew its agreement
	EventContactsEnded     // By ended them, or nobody for want of an agreement or of contacts
	EventContactActed      // Until: number of the contact's anchor; the first of its acts since the last sign of life
	EventContactVetoed     // By took the contact off the list, which had approved Other; Until: its number
	EventRecovered         // Device came by the contacts' approval
	EventKinds             // how many there are, 0 included, which is none
)

// Event is one entry of an anchor's history. Devices are named by principal, which outlives them.
// The zero principal stands for none.
type Event struct {
	At        uint64 // ns since the epoch
	Kind      EventKind
	Temporary bool                // By acted through its temporary key
	By        principal.Principal // device that signed; none for a lapse or a migration
	Device    principal.Principal // device concerned
	Other     principal.Principal // second device, see EventKind
	Until     uint64              // see EventKind

	// Routine overrides Kind.Security: it is set where an entry of a kind that is kept apart takes away only
	// what the same entries brought, so that repeating them cannot push out others. It is not stored.
	Routine bool
}

// Security reports whether the entry concerns protection, removal or release. Those are kept apart from
// the routine ones, so that routine calls cannot push them out.
func (k EventKind) Security() bool {
	switch k {
	case EventRegistered, EventAdded, EventUpdated, EventAttested, EventRegistrationOpened, EventRegistrationClosed:
		return false
	}
	return true
}
