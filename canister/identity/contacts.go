package identity

import (
	"bytes"
	"slices"

	"kedge/ic/principal"
)

// MaxContacts is the most recovery contacts of an anchor.
const MaxContacts = 7

// Limits of the delay of a recovery by contacts, in ns of service time. The delay is never shorter than the
// anchor's longest session either.
const (
	MinContactDelay = 7 * day
	MaxContactDelay = 365 * day
)

// A mark that was granted to a device of a thief's and never proven lapses before any recovery completes.
const _ = uint64(MinContactDelay - LapseAfter)

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

// StoredContacts are recovery contacts that have been read but not taken apart.
type StoredContacts interface {
	// Contacts takes them apart.
	Contacts() *Contacts
	// Idle reports whether the sign of life of a protected device changes nothing of them: no contact has
	// approved a key or is noted in the history.
	Idle() bool
	// AppendTo appends what was read.
	AppendTo(b []byte) []byte
}

// HasContacts reports whether the anchor has recovery contacts.
func (a *Anchor) HasContacts() bool { return a.Contacts != nil || a.Stored != nil }

// RecoveryContacts returns the recovery contacts of the anchor, nil for none. They may be changed.
func (a *Anchor) RecoveryContacts() *Contacts {
	if a.Stored != nil {
		a.Contacts, a.Stored = a.Stored.Contacts(), nil
	}
	return a.Contacts
}

// SetContacts names the recovery contacts of the anchor: their numbers, how many of them must approve, and the
// delay in seconds of service time. It records the caller's agreement, and ends the agreements of all others,
// all acceptances and all approvals. exists says which numbers are given out.
func (c *Actor) SetContacts(threshold uint8, delay uint64, anchors []uint64, exists func(uint64) bool) error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if n := len(anchors); n == 0 || n > MaxContacts {
		return &Error{Code: ErrBadContacts, Field: "anchors", Length: uint64(n), Limit: MaxContacts,
			Message: "name 1 to " + decimal(MaxContacts) + " anchors as recovery contacts, got " + decimal(uint64(n))}
	}
	contacts := &Contacts{Threshold: threshold, Delay: delay * second}
	for i, number := range anchors {
		problem := ""
		switch {
		case number == c.anchor.Number:
			problem = " is this anchor itself; name others"
		case slices.Contains(anchors[:i], number):
			problem = " is named twice; name each contact once"
		case !exists(number):
			problem = " does not exist; check the number"
		}
		if problem != "" {
			return &Error{Code: ErrBadContacts, Field: "anchors", Message: "anchor " + decimal(number) + problem}
		}
		contacts.List = append(contacts.List, Contact{Anchor: number})
	}
	if n := uint64(len(anchors)); threshold == 0 || uint64(threshold) > n {
		return &Error{Code: ErrBadContacts, Field: "threshold", Length: uint64(threshold), Limit: clamp(uint64(threshold), 1, n),
			Message: "a threshold of " + decimal(uint64(threshold)) + " is out of range: name 1 to " + decimal(n) + ", the number of contacts"}
	}
	least := max(MinContactDelay, c.anchor.LongestSession())
	if delay < least/second || delay > MaxContactDelay/second {
		return &Error{Code: ErrBadDelay, Length: delay, Limit: clamp(delay, least/second, MaxContactDelay/second),
			Message: "a delay of " + decimal(delay) + " s is out of range: name " + decimal(least/second) + " to " + decimal(MaxContactDelay/second) +
				" s (7 days, and the anchor's longest session, to a year)"}
	}
	c.anchor.Contacts, c.anchor.Stored = contacts, nil
	for i := range c.anchor.Devices {
		d := &c.anchor.Devices[i]
		d.AgreesToContacts = d.ID == c.id
	}
	c.event(Event{Kind: EventContactsSet, Until: contacts.Delay})
	return nil
}

// EndContacts ends the recovery contacts; without any it changes nothing.
func (c *Actor) EndContacts() error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if c.anchor.HasContacts() {
		c.anchor.dropContacts()
		c.event(Event{Kind: EventContactsEnded})
	}
	return nil
}

// AgreeToContacts records whether the caller agrees to be released by the anchor's contacts.
func (c *Actor) AgreeToContacts(agree bool) error {
	if err := c.needsProtected(); err != nil {
		return err
	}
	if !c.anchor.HasContacts() {
		return &Error{Code: ErrNoContacts, Message: "the anchor has no recovery contacts; name some first"}
	}
	if d := c.device(); d.AgreesToContacts != agree {
		d.AgreesToContacts = agree
		kind := EventContactsAgreed
		if !agree {
			kind = EventContactsDisagreed
		}
		c.event(Event{Kind: kind, Device: d.Principal})
		c.anchor.settleContacts(c.Now)
	}
	return nil
}

// dropContacts takes the contacts and all agreements off the anchor.
func (a *Anchor) dropContacts() {
	a.Contacts, a.Stored = nil, nil
	for i := range a.Devices {
		a.Devices[i].AgreesToContacts = false
	}
}

// settleContacts ends the agreements of devices that are no longer protected, and contacts that are fewer than
// their threshold or to which nobody agrees. Every change that may bring that about calls it.
func (a *Anchor) settleContacts(now uint64) {
	if !a.HasContacts() {
		return
	}
	contacts, agreed := a.RecoveryContacts(), false
	for i := range a.Devices {
		d := &a.Devices[i]
		d.AgreesToContacts = d.AgreesToContacts && d.protected()
		agreed = agreed || d.AgreesToContacts
	}
	if !agreed || len(contacts.List) < int(contacts.Threshold) {
		a.dropContacts()
		a.emit(Event{At: now, Kind: EventContactsEnded})
	}
}

// vetoContacts is what a sign of life of a protected device does: it ends all approvals and takes those who
// approved off the list. It reports whether there were any.
func (c *Actor) vetoContacts() bool {
	if stored := c.anchor.Stored; stored != nil && stored.Idle() {
		return false
	}
	contacts := c.anchor.RecoveryContacts()
	if contacts == nil {
		return false
	}
	vetoed := false
	for i := range contacts.List {
		contact := &contacts.List[i]
		contact.Noted = false
		if contact.ApprovedAt != 0 {
			vetoed = true
			c.event(Event{Kind: EventContactVetoed, Until: contact.Anchor, Other: contact.Key})
		}
	}
	if vetoed {
		contacts.List = slices.DeleteFunc(contacts.List, func(contact Contact) bool { return contact.ApprovedAt != 0 })
		c.anchor.settleContacts(c.Now)
	}
	return vetoed
}

// Helper is an anchor that acts as a recovery contact, by one of its devices.
type Helper struct {
	anchor    uint64
	protected bool
}

// AsContact is the caller's anchor as a recovery contact of another: any device acts for it, a protected one if
// it is guarded, never a temporary key. The call is a sign of life on this anchor like any other.
func (c *Actor) AsContact() (Helper, error) {
	if c.temporary {
		return Helper{}, errTemporaryKey("act for a recovery contact")
	}
	if err := c.guard(); err != nil {
		return Helper{}, err
	}
	return Helper{c.anchor.Number, c.protected}, nil
}

// contact finds the helper on the list of a refreshed anchor. The error is the same whether the anchor has
// contacts or not.
func (a *Anchor) contact(h Helper) (*Contact, error) {
	if contacts := a.RecoveryContacts(); contacts != nil {
		for i := range contacts.List {
			if contact := &contacts.List[i]; contact.Anchor == h.anchor {
				return contact, nil
			}
		}
	}
	return nil, &Error{Code: ErrNotAContact, Message: "anchor " + decimal(h.anchor) + " is no recovery contact of anchor " + decimal(a.Number) +
		"; its owner names contacts, and may have to name this one again"}
}

// AcceptContact records that a contact accepts. It does so once; again changes nothing.
func (a *Anchor) AcceptContact(call Call, h Helper) error {
	a.Refresh(call)
	contact, err := a.contact(h)
	if err != nil {
		return err
	}
	if !contact.Accepted {
		contact.Accepted = true
		a.note(call, contact)
	}
	return nil
}

// ApproveKey records that a contact approves a new key, by its principal, from now on. The same key again
// changes nothing; another takes its place.
func (a *Anchor) ApproveKey(call Call, h Helper, key principal.Principal) error {
	a.Refresh(call)
	contact, err := a.contact(h)
	switch {
	case err != nil:
		return err
	case !key.IsSelfAuthenticating():
		return &Error{Code: ErrBadArgument, Field: "key", Message: key.Text() + " is not the principal of a key; ask for that of the new device"}
	case !contact.Accepted:
		return &Error{Code: ErrNotAccepted, Message: "anchor " + decimal(h.anchor) + " has not accepted to be a recovery contact yet; accept first"}
	case contact.ApprovedAt != 0 && contact.Key == key:
		return nil
	}
	if err := contact.mayChange(h); err != nil {
		return err
	}
	contact.Key, contact.ApprovedAt, contact.ByProtected = key, call.Service, h.protected
	a.note(call, contact)
	return nil
}

// WithdrawApproval ends a contact's approval; without one it changes nothing.
func (a *Anchor) WithdrawApproval(call Call, h Helper) error {
	a.Refresh(call)
	contact, err := a.contact(h)
	if err != nil {
		return err
	}
	if contact.ApprovedAt == 0 {
		return nil
	}
	if err := contact.mayChange(h); err != nil {
		return err
	}
	contact.Key, contact.ApprovedAt, contact.ByProtected = principal.Principal{}, 0, false
	a.note(call, contact)
	return nil
}

// ResignContact takes a contact off the list.
func (a *Anchor) ResignContact(call Call, h Helper) error {
	a.Refresh(call)
	contact, err := a.contact(h)
	if err != nil {
		return err
	}
	if err := contact.mayChange(h); err != nil {
		return err
	}
	a.note(call, contact)
	contacts := a.RecoveryContacts()
	contacts.List = slices.DeleteFunc(contacts.List, func(contact Contact) bool { return contact.Anchor == h.anchor })
	a.settleContacts(call.Now)
	return nil
}

// mayChange refuses an unprotected device to change what a protected one has approved.
func (c *Contact) mayChange(h Helper) error {
	if c.ByProtected && !h.protected {
		return &Error{Code: ErrNeedsProtected, Message: "a protected device of anchor " + decimal(h.anchor) + " has approved, so only a protected one changes that; sign with one"}
	}
	return nil
}

// note adds what a contact does to the history, once between two signs of life, so that a contact cannot push
// out other entries.
func (a *Anchor) note(call Call, contact *Contact) {
	if !contact.Noted {
		contact.Noted = true
		a.emit(Event{At: call.Now, Kind: EventContactActed, Until: contact.Anchor})
	}
}

// Approvals is how far a new key has come.
type Approvals struct {
	Key   principal.Principal
	Count int
	// CompletesAt is the service time in ns from which the key may complete; 0 while too few approve it.
	CompletesAt uint64
}

// ApprovalsOf counts the approvals of a key. The delay runs from the threshold-th oldest of them on.
func (s *Contacts) ApprovalsOf(key principal.Principal) Approvals {
	out := Approvals{Key: key}
	if s == nil {
		return out
	}
	var times [MaxContacts]uint64
	since := times[:0]
	for i := range s.List {
		if contact := &s.List[i]; contact.ApprovedAt != 0 && contact.Key == key {
			since = append(since, contact.ApprovedAt)
		}
	}
	slices.Sort(since)
	if out.Count = len(since); out.Count >= int(s.Threshold) {
		out.CompletesAt = since[s.Threshold-1] + s.Delay
	}
	return out
}

// Approvals lists the keys that contacts approve, in the order of the list.
func (s *Contacts) Approvals() (all []Approvals) {
	if s == nil {
		return nil
	}
	for i := range s.List {
		contact := &s.List[i]
		known := slices.ContainsFunc(all, func(a Approvals) bool { return a.Key == contact.Key })
		if contact.ApprovedAt != 0 && !known {
			all = append(all, s.ApprovalsOf(contact.Key))
		}
	}
	return all
}

// ContactStatus is what a contact may know of an anchor that it helps.
type ContactStatus struct {
	Contact               // zero for the approved key itself
	Approvals []Approvals // to the approved key, of itself alone
}

// StatusForContact is what a listed contact sees. It refreshes the anchor.
func (a *Anchor) StatusForContact(call Call, h Helper) (ContactStatus, error) {
	a.Refresh(call)
	contact, err := a.contact(h)
	if err != nil {
		return ContactStatus{}, err
	}
	return ContactStatus{*contact, a.RecoveryContacts().Approvals()}, nil
}

// StatusForKey is what the caller sees of itself as a new key. It refreshes the anchor.
func (a *Anchor) StatusForKey(call Call) (ContactStatus, error) {
	a.Refresh(call)
	approvals := a.RecoveryContacts().ApprovalsOf(call.Caller)
	if approvals.Count == 0 {
		return ContactStatus{}, a.errNotApproved(call.Caller, approvals)
	}
	return ContactStatus{Approvals: []Approvals{approvals}}, nil
}

// CompleteContacts makes the caller, a new key that enough contacts have approved for the whole delay, a proven
// and protected device with the fields that it states, and releases every device that has agreed. This is
// judged before the call proves anything; if it is refused, the call is a sign of life like any other.
//
// inPlace has the newcomer take the place of the first released device, which is for an anchor that cannot hold
// one more.
func (a *Anchor) CompleteContacts(call Call, data Data, inPlace bool) error {
	a.Refresh(call)
	if err := a.completeContacts(call, data, inPlace); err != nil {
		a.Witness(call)
		return err
	}
	return nil
}

func (a *Anchor) completeContacts(call Call, data Data, inPlace bool) error {
	same := a.byKey(data.PublicKey)
	approvals := a.RecoveryContacts().ApprovalsOf(call.Caller)
	switch {
	case principal.SelfAuthenticating(data.PublicKey) != call.Caller:
		return &Error{Code: ErrCallerMismatch, Key: data.PublicKey, Message: "the new device's own key completes a recovery; sign with it"}
	case same != nil && same.protected():
		return &Error{Code: ErrAlreadyProtected, Key: data.PublicKey,
			Message: "this key is a protected device of the anchor already, so its call has vetoed the recovery; there is nothing to recover"}
	case approvals.CompletesAt == 0:
		return a.errNotApproved(call.Caller, approvals)
	case call.Service < approvals.CompletesAt:
		return &Error{Code: ErrTooEarly, At: approvals.CompletesAt,
			Message: "the delay has not passed: " + decimal((approvals.CompletesAt-call.Service+second-1)/second) + " s of service time are left"}
	case data.KeyType == SeedPhrase:
		return &Error{Code: ErrPhraseNewcomer, Message: "a recovery phrase cannot be the new device; recover with another key, and add a phrase afterwards"}
	case IsOwnSignature(data.PublicKey, call.Canister):
		return errOwnSignature(data.PublicKey)
	}
	if err := checkFields(&data, &Data{}); err != nil {
		return err
	}
	if n := data.VariableBytes(); n > MaxVariableBytes {
		return errTooLarge(n)
	}
	if d := a.keepsCredential(data.CredentialID, data.PublicKey); d != nil {
		return errCredentialExists(d.PublicKey)
	}

	d := Device{Data: data, Principal: call.Caller, AddedAt: call.Now} // the caller is the new key, see above
	if same != nil && bytes.Equal(same.CredentialID, data.CredentialID) {
		d.AddedAt = same.AddedAt
	}
	inPlace = inPlace || a.overfull(&data, same)
	released := a.release(call, same, inPlace)
	if same != nil {
		a.drop(same.ID)
	}
	a.leaveCredential(data.CredentialID)
	if released != nil {
		a.drop(*released)
	}
	a.dropContacts()
	d.ID, d.Protected, d.Proven, d.LastUsed = a.freeID(), true, true, call.Now
	a.Devices = append(a.Devices, d)
	a.emit(Event{At: call.Now, Kind: EventRecovered, By: d.Principal, Device: d.Principal})
	return nil
}

// release unprotects every device that has agreed, and returns the first of them if its place is wanted.
func (a *Anchor) release(call Call, newcomer *Device, wanted bool) (first *DeviceID) {
	for i := range a.Devices {
		d := &a.Devices[i]
		if !d.AgreesToContacts {
			continue
		}
		if wanted && first == nil && d != newcomer {
			id := d.ID
			first = &id
		}
		d.Protected, d.Consent, d.AgreesToContacts = false, nil, false
		a.emit(Event{At: call.Now, Kind: EventReleased, Device: d.Principal})
	}
	return first
}

// overfull reports whether the anchor exceeds the limits already and the newcomer would add to that.
func (a *Anchor) overfull(data *Data, same *Device) bool {
	devices, size := len(a.Devices), a.VariableBytes()
	if devices <= MaxDevices && size <= MaxVariableBytes {
		return false
	}
	more, bigger := devices+1, size+data.VariableBytes()
	if same != nil {
		more, bigger = devices, bigger-same.VariableBytes()-a.copiesBytes(same.PublicKey)
	}
	return more > devices || bigger > size
}

// keepsCredential returns the device that keeps a credential id although the newcomer with the key states it:
// one that is still protected after the release, or one whose copy has it.
func (a *Anchor) keepsCredential(id, key []byte) *Device {
	if len(id) == 0 {
		return nil
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		if d.protected() && !d.AgreesToContacts && !bytes.Equal(d.PublicKey, key) &&
			(bytes.Equal(d.CredentialID, id) || a.copyHas(d.PublicKey, id)) {
			return d
		}
	}
	return nil
}

// copyHas reports whether a copy of the device with the key has the credential id.
func (a *Anchor) copyHas(key, id []byte) bool {
	for i := range a.Copies {
		if d := &a.Copies[i]; bytes.Equal(d.PublicKey, key) && bytes.Equal(d.CredentialID, id) {
			return true
		}
	}
	return false
}

// leaveCredential takes a credential id from every device and copy that has it.
func (a *Anchor) leaveCredential(id []byte) {
	if len(id) == 0 {
		return
	}
	for i := range a.Devices {
		if d := &a.Devices[i]; bytes.Equal(d.CredentialID, id) {
			d.CredentialID = nil
		}
	}
	for i := range a.Copies {
		if d := &a.Copies[i]; bytes.Equal(d.CredentialID, id) {
			d.CredentialID = nil
		}
	}
}

func (a *Anchor) errNotApproved(key principal.Principal, approvals Approvals) error {
	e := &Error{Code: ErrNotApproved, Message: key.Text() + " is not approved by enough recovery contacts of anchor " + decimal(a.Number) +
		"; ask them to approve it"}
	if approvals.Count > 0 {
		e.Length, e.Limit = uint64(approvals.Count), uint64(a.RecoveryContacts().Threshold)
	}
	return e
}
