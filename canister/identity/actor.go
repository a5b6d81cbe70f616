package identity

import (
	"bytes"
	"math/bits"

	"kedge/ic/principal"
)

// Call is what the rules need to know of a call.
type Call struct {
	Caller   principal.Principal
	Canister principal.Principal // Kedge's own id
	Now      uint64              // ns since the epoch
	Service  uint64              // ns of service time
}

// Actor is a device of an anchor in one call, either itself or through its temporary key. It is good
// for one rule: after a method that changes the anchor it is spent.
type Actor struct {
	Call
	anchor    *Anchor
	id        DeviceID
	temporary bool
	protected bool // marked, proven and in person
	vetoed    bool // its sign of life in this call cancelled a request
}

// Refresh ends what time has ended: lapsed marks (rule 2), temporary keys, attestation challenges,
// registration mode, and a guard without a protected device (rule 3). Every call, queries too, begins with
// it.
func (a *Anchor) Refresh(call Call) {
	guarded := false
	for i := range a.Devices {
		d := &a.Devices[i]
		if d.LapsesAt != 0 && call.Service >= d.LapsesAt {
			d.Protected, d.LapsesAt = false, 0
			a.emit(Event{At: call.Now, Kind: EventLapsed, Device: d.Principal})
		}
		if call.Now >= d.Temporary.ExpiresAt {
			d.Temporary = TemporaryKey{}
		}
		if call.Now >= d.Challenge.ExpiresAt {
			d.Challenge = Challenge{}
		}
		guarded = guarded || d.protected()
	}
	if a.Registration != nil && call.Now >= a.Registration.ExpiresAt {
		a.Registration = nil
	}
	if a.Guard && !guarded {
		a.Guard = false
		a.emit(Event{At: call.Now, Kind: EventGuardOff})
	}
}

// Authenticate finds out for which device an update call acts, and records that it called: a device
// that calls in person is proven, and its call is its sign of life (rule 6). The only error is
// ErrNotADevice; the anchor is then refreshed and otherwise as it was.
func (a *Anchor) Authenticate(call Call) (*Actor, error) {
	actor := new(Actor) // on the caller's stack, where that can be: this is inlined
	if err := actor.Become(a, call); err != nil {
		return nil, err
	}
	return actor, nil
}

// Become is Authenticate into an actor that there is already.
func (c *Actor) Become(a *Anchor, call Call) error {
	err := c.recognise(a, call)
	if err == nil && !c.temporary {
		c.signOfLife()
	}
	return err
}

// Recognise is Authenticate for a query: it refreshes the anchor, and records nothing.
func (a *Anchor) Recognise(call Call) (*Actor, error) {
	actor := new(Actor)
	if err := actor.recognise(a, call); err != nil {
		return nil, err
	}
	return actor, nil
}

func (c *Actor) recognise(a *Anchor, call Call) error {
	a.Refresh(call)
	for i := range a.Devices {
		if d := &a.Devices[i]; d.Principal == call.Caller {
			*c = Actor{Call: call, anchor: a, id: d.ID, protected: d.protected()}
			return nil
		}
	}
	for i := range a.Devices {
		if d := &a.Devices[i]; d.Temporary.ExpiresAt != 0 && d.Temporary.Principal == call.Caller {
			*c = Actor{Call: call, anchor: a, id: d.ID, temporary: true}
			return nil
		}
	}
	return &Error{Code: ErrNotADevice, Message: call.Caller.Text() + " could not be authenticated."}
}

// Witness is for update calls that anyone may make on an anchor: if the caller is a device of it, the
// call is its sign of life like any other.
func (a *Anchor) Witness(call Call) {
	_, _ = a.Authenticate(call) // a stranger is no error here
}

func (c *Actor) signOfLife() {
	d := c.device()
	d.Proven, d.LapsesAt, d.LastUsed = true, 0, c.Now
	c.protected = d.protected()
	c.vetoed = c.veto(d)
	if c.protected {
		c.vetoContacts()
	}
}

// Role is what an actor may at most do by the table of rule 10.
func (c *Actor) Role() Role {
	switch {
	case c.temporary:
		return RoleTemporary
	case c.protected:
		return RoleProtected
	}
	return RoleUnprotected
}

// Device returns a copy of the device for which the actor acts.
func (c *Actor) Device() Device { return *c.device() }

func (c *Actor) device() *Device { return c.anchor.byID(c.id) }

// event fills in what every entry has, and appends it to the anchor's events.
func (c *Actor) event(e Event) {
	e.At, e.By, e.Temporary = c.Now, c.device().Principal, c.temporary
	c.anchor.emit(e)
}

func (a *Anchor) emit(e Event) { a.Events = append(a.Events, e) }

func (d *Device) protected() bool { return d.Protected && d.Proven }

func (a *Anchor) byID(id DeviceID) *Device {
	for i := range a.Devices {
		if a.Devices[i].ID == id {
			return &a.Devices[i]
		}
	}
	return nil
}

func (a *Anchor) byKey(key []byte) *Device {
	for i := range a.Devices {
		if bytes.Equal(a.Devices[i].PublicKey, key) {
			return &a.Devices[i]
		}
	}
	return nil
}

// marked reports whether any device has the protection mark, proven or not.
func (a *Anchor) marked() bool {
	for i := range a.Devices {
		if a.Devices[i].Protected {
			return true
		}
	}
	return false
}

// protectedBeside reports whether a device other than the one named is protected.
func (a *Anchor) protectedBeside(id DeviceID) bool {
	for i := range a.Devices {
		if d := &a.Devices[i]; d.ID != id && d.protected() {
			return true
		}
	}
	return false
}

func (a *Anchor) freeID() DeviceID {
	var taken uint64 // those below 64, a bit each; a legal anchor has no others, whose bits fall out
	for i := range a.Devices {
		taken |= 1 << a.Devices[i].ID
	}
	id := DeviceID(bits.TrailingZeros64(^taken))
	for id >= 64 && a.byID(id) != nil {
		id++
	}
	return id
}
