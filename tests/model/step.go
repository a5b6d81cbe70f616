package model

// This file lets tests elsewhere play the model beside something else than the rules: the real module, on a
// network (tests/machine). It adds nothing to the model.

// Keys is the most devices that an anchor of the model has.
const Keys = keys

// Stranger stands for a key where there is none.
const Stranger = stranger

// Kind of a device.
type Kind = kind

// The kinds. There is one credential id; a phrase never has it.
const (
	Passkey          = passkey
	Credential       = credential
	Phrase           = phrase
	PhraseCredential = phraseCredential
)

// Ask is what a key may do about a device's release.
type Ask = ask

// The stages of a release.
const (
	Unnamed = unnamed
	Named   = named
	Asked   = asked
	Ripe    = ripe
)

// actionNames are the names of the actions, for logs.
var actionNames = [...]string{
	tick: "tick", pause: "pause", read: "read", add: "add",
	updateAlias: "update alias", updateOrigin: "update origin", updateMark: "update mark", updateUnmark: "update unmark",
	updateCredential: "update credential", updateKeyType: "update key type", updateKey: "update key",
	replace: "replace", remove: "remove", enter: "enter", exit: "exit", offer: "offer", verify: "verify", verifyWrong: "verify wrong",
	protect: "protect", unprotect: "unprotect", guardOn: "guard on", guardOff: "guard off", demandOn: "demand on", demandOff: "demand off",
	limit: "limit", consent: "consent", withdraw: "withdraw", request: "request", cancel: "cancel", complete: "complete", attest: "attest",
	nameContacts: "name contacts", endContacts: "end contacts", agreeContacts: "agree", disagreeContacts: "disagree",
	accept: "accept", approve: "approve", withdrawApproval: "withdraw approval", resign: "resign", recover: "recover",
}

// Actions are the names of all that can happen: messages, and "tick" (thirty days of service pass) and "pause"
// (a quarter of an hour passes).
func Actions() []string { return actionNames[:] }

// Message is one call, or the passing of time. Who, Target and Key are keys or Stranger.
type Message struct {
	Action    string
	Who       int
	Temporary bool // through the temporary key of Who
	Target    int
	Kind      Kind // of the device that add, replace and offer bring
	Mark      bool // whether it is to be marked
	Key       int  // its key
	Askers    uint8
}

// Anchor is an anchor of the model. Only registration makes one.
type Anchor struct{ state state }

// Register makes the anchor of a device with key 0, whose own call registers it; with a temporary key or not.
func Register(kind Kind, mark, temporary bool) Anchor {
	var s state
	s.dev[0] = device{on: true, phrase: kind == phrase, credential: kind == credential, marked: mark, proven: true, temporary: temporary && !mark}
	return Anchor{s}
}

// Step says what the rules say of a message: the anchor after it, and whether it was granted.
func (p Anchor) Step(m Message) (after Anchor, granted bool) {
	for a, name := range actionNames {
		if name == m.Action {
			s, ok := p.state.step(message{action: action(a), who: int8(m.Who), temporary: m.Temporary, target: int8(m.Target),
				kind: m.Kind, mark: m.Mark, key: int8(m.Key), askers: m.Askers})
			return Anchor{s}, ok
		}
	}
	panic("unknown action " + m.Action)
}

// Device is what is known of a key's device.
type Device struct {
	On, Phrase, Credential, Marked, Proven, Temporary, Bound bool
	Ask                                                      [Keys]Ask
}

// View is an anchor with all that the rules know of it. What time has ended is not there.
type View struct {
	Devices       [Keys]Device
	Guard, Demand bool
	Open          bool
	Opener, Wrong int // while Open
	Offered       bool
	Offer         int  // while Offered
	OfferKind     Kind // while Offered
}

// View is the anchor as it is.
func (p Anchor) View() View {
	s := p.state
	s.normalise()
	v := View{Guard: s.guard, Demand: s.demand, Open: s.open, Opener: int(s.opener), Wrong: int(s.wrong),
		Offered: s.offered, Offer: int(s.offer), OfferKind: s.offerKind}
	for i, d := range s.dev {
		v.Devices[i] = Device{d.on, d.phrase, d.credential, d.marked, d.proven, d.temporary, d.bound, d.ask}
	}
	return v
}
