// Package model is the reference model of the rules and the proof of the theorems T1 to T7 (docs/design.md).
// The model, in this file and contacts.go, was written from the wording of the rules, with a small state of its own; it shares no code with canister/identity. The test explores every anchor that any
// sequence of messages by anyone can reach, to the depth where no new one appears, drives the real
// rules with every message in each, compares, and checks the theorems on every step.
package model

// keys is the most devices that an exploration has.
const keys = 4

// device is a key's place on the anchor. ask[j] is what key j may do about this device's release.
type device struct {
	on, phrase, credential, marked, proven, temporary, bound bool
	agrees                                                   bool // to the recovery contacts
	ask                                                      [keys]ask
}

type ask uint8

const (
	unnamed ask = iota
	named
	asked // the delay is running
	ripe  // the delay has passed
)

// state is an anchor. The offered device waits for its verification while open.
type state struct {
	dev           [keys]device
	guard, demand bool
	open, offered bool
	opener, wrong int8
	offer         int8
	offerKind     kind
	named         bool // there are recovery contacts; two of them must approve
	contacts      [contacts]contact
}

type kind uint8

const (
	passkey    kind = iota
	credential      // a passkey with the credential id
	phrase
	phraseCredential // never legal
)

type action uint8

const (
	tick  action = iota // thirty days of service: marks lapse, requests ripen, short-lived things end
	pause               // a quarter of an hour: temporary keys and registration mode end
	read                // any update call without effect: a session, get_anchor_info, a session limit that is refused
	add
	updateAlias
	updateOrigin
	updateMark
	updateUnmark
	updateCredential // toggles the credential id
	updateKeyType
	updateKey
	replace
	remove
	enter
	exit
	offer
	verify
	verifyWrong
	protect
	unprotect
	guardOn
	guardOff
	demandOn
	demandOff
	limit
	consent
	withdraw
	request
	cancel
	complete
	attest

	nameContacts // all of them, with the threshold of two
	endContacts
	agreeContacts
	disagreeContacts

	// What a contact does, and the new key: who is no key on the anchor then.
	accept
	approve
	withdrawApproval
	resign
	recover
)

// lastClassic: the actions up to here trap when refused; those after it reply.
const lastClassic = verifyWrong

// message is one call, or the passing of time. who is a key; in person or through its temporary key.
type message struct {
	action    action
	who       int8 // a key that is on the anchor, or stranger
	temporary bool
	target    int8
	kind      kind
	mark      bool
	key       int8 // the new key of add, replace, offer, approve and recover
	askers    uint8
	contact   int8 // who accepts, approves, withdraws or resigns
	protected bool // by a protected device of the contact
}

const stranger = -1

// step is what the rules say of a message: the anchor after it, and whether it was granted.
func (s state) step(m message) (after state, ok bool) {
	s.normalise()
	switch m.action {
	case tick:
		for i := range s.dev {
			d := &s.dev[i]
			d.marked = d.marked && d.proven
			for j := range d.ask {
				if d.ask[j] == asked {
					d.ask[j] = ripe
				}
			}
		}
		for i := range s.contacts {
			s.contacts[i].ripe = s.contacts[i].approves != 0
		}
		fallthrough
	case pause:
		for i := range s.dev {
			s.dev[i].temporary = false
		}
		s.closeMode()
		return s, true
	}
	if m.action >= accept {
		ok = s.stepContact(m)
		return s, ok
	}
	before := s
	if m.who == stranger || !s.dev[m.who].on || m.temporary && !s.dev[m.who].temporary {
		if m.action != offer {
			return s, false
		}
		if ok = s.takeOffer(m); !ok {
			return before, false
		}
		return s, true
	}
	vetoed := false
	if !m.temporary {
		vetoed = s.live(m.who)
	}
	lived := s
	if s.decide(m, vetoed) {
		s.tidy()
		return s, true
	}
	if m.action <= lastClassic {
		return before, false
	}
	return lived, false
}

func (s *state) decide(m message, vetoed bool) bool {
	me, my := m.who, &s.dev[m.who]
	inPerson := !m.temporary
	admin := inPerson && s.protected(me)
	free := admin || !s.guard
	var t *device
	if m.target != stranger {
		t = &s.dev[m.target]
	}
	own := m.target == me
	// May the caller change the target at all? (rules 1, 2, 3, 7)
	may := t != nil && t.on
	switch {
	case !may:
	case own:
		may = inPerson
	case t.marked:
		may = admin && !t.proven
	default:
		may = free
	}
	grants := inPerson && (admin || own && !s.marked()) && (!s.demand || t != nil && (t.phrase || t.bound))
	switch m.action {
	case read:
		return true
	case add:
		grants = admin && (!s.demand || m.kind >= phrase)
		return free && s.put(m, stranger, grants, false)
	case updateAlias:
		return may
	case updateOrigin:
		return may && free
	case updateMark:
		if !may || !(t.marked || free && grants) {
			return false
		}
		s.mark(m.target)
		return true
	case updateUnmark:
		return may && (free || !t.marked) && s.unmark(m.target)
	case updateCredential:
		if !may || !free || !t.credential && (t.phrase || s.credentialBeside(m.target)) {
			return false
		}
		t.credential = !t.credential
		return true
	case updateKeyType, updateKey:
		return false
	case replace:
		again := own && m.key == me // with its own key: proven by this call
		grants = inPerson && (admin || again && !s.marked()) && (!s.demand || m.kind >= phrase)
		return may && free && s.put(m, m.target, grants, again)
	case remove:
		if !may || s.count() == 1 || s.guard && s.lastProtected(m.target) {
			return false
		}
		s.drop(m.target)
		return true
	case enter:
		if !inPerson || !free {
			return false
		}
		if !s.open {
			s.open, s.opener = true, me
		}
		return true
	case exit:
		if !s.mayFinish(me, inPerson, admin, free) {
			return false
		}
		s.closeMode()
		return true
	case offer:
		return s.takeOffer(m)
	case verify:
		if !s.mayFinish(me, inPerson, admin, free) || !s.open || !s.offered {
			return s.mayFinish(me, inPerson, admin, free) // answered, with no effect
		}
		offered := message{key: s.offer, kind: s.offerKind}
		s.closeMode()
		return s.put(offered, stranger, false, false)
	case verifyWrong:
		if !s.mayFinish(me, inPerson, admin, free) {
			return false
		}
		if s.open && s.offered {
			if s.wrong++; s.wrong == 3 {
				s.closeMode()
			}
		}
		return true
	case protect:
		if !inPerson || !t.on || !(t.marked && (own || admin)) && !grants {
			return false
		}
		s.mark(m.target)
		return true
	case unprotect:
		return inPerson && t.on && (!t.marked || may && s.unmark(m.target))
	case guardOn, guardOff:
		if admin {
			s.guard = m.action == guardOn
		}
		return admin
	case demandOn, demandOff:
		if admin {
			s.demand = m.action == demandOn
		}
		return admin
	case limit:
		return admin
	case consent:
		if !admin || m.askers == 0 || m.askers>>me&1 == 1 {
			return false
		}
		fresh := [keys]ask{}
		for j := range fresh {
			if m.askers>>j&1 == 1 {
				if !s.dev[j].on {
					return false
				}
				fresh[j] = named
			}
		}
		my.ask = fresh
		return true
	case withdraw:
		if admin {
			my.ask = [keys]ask{}
		}
		return admin
	case request:
		if !inPerson || !t.on || t.ask[me] != named {
			return false
		}
		t.ask[me] = asked
		return true
	case cancel:
		return inPerson && t.on && (own && vetoed || admin && s.veto(m.target))
	case complete:
		if !inPerson || !t.on || t.ask[me] != ripe {
			return false
		}
		t.marked, t.ask = false, [keys]ask{}
		if !s.anyProtected() {
			s.mark(me)
		}
		return true
	case attest:
		if inPerson {
			my.bound = true
		}
		return inPerson
	case nameContacts:
		if admin {
			s.name(me)
		}
		return admin
	case endContacts:
		if admin {
			s.dropContacts()
		}
		return admin
	case agreeContacts, disagreeContacts:
		if !admin || !s.named {
			return false
		}
		my.agrees = m.action == agreeContacts
		return true
	}
	panic("unknown action")
}

// put adds a device in the place of gone (stranger for none): rule 4, and rule 2 for its mark.
func (s *state) put(m message, gone int8, grants, again bool) bool {
	isPhrase, hasCredential := m.kind >= phrase, m.kind == credential || m.kind == phraseCredential
	if m.kind == phraseCredential || s.dev[m.key].on && m.key != gone || m.mark && !grants {
		return false
	}
	if isPhrase && s.phraseBeside(gone) && (gone == stranger || !s.dev[gone].phrase) {
		return false
	}
	if hasCredential && s.credentialBeside(gone) {
		return false
	}
	if gone != stranger {
		if s.guard && s.lastProtected(gone) && !(again && m.mark) {
			return false
		}
		s.drop(gone)
	}
	s.dev[m.key] = device{on: true, phrase: isPhrase, credential: hasCredential, proven: again}
	if m.mark {
		s.mark(m.key)
	}
	return true
}

func (s *state) takeOffer(m message) bool {
	if !s.open || s.offered {
		return true // answered, with no effect
	}
	trial := *s
	if m.mark || !trial.put(m, stranger, false, false) {
		return false
	}
	s.offered, s.offer, s.offerKind = true, m.key, m.kind
	return true
}

func (s *state) mayFinish(me int8, inPerson, admin, free bool) bool {
	return inPerson && free && (!s.open || s.opener == me || admin)
}

func (s *state) mark(i int8) { s.dev[i].marked, s.dev[i].temporary = true, false }

func (s *state) unmark(i int8) bool {
	if s.guard && s.lastProtected(i) {
		return false
	}
	s.dev[i].marked, s.dev[i].ask = false, [keys]ask{}
	return true
}

func (s *state) drop(i int8) {
	s.dev[i] = device{}
	for j := range s.dev {
		s.dev[j].ask[i] = unnamed
	}
	if s.open && s.opener == i {
		s.closeMode()
	}
}

func (s *state) veto(i int8) (vetoed bool) {
	for j := range s.dev[i].ask {
		if s.dev[i].ask[j] >= asked {
			s.dev[i].ask[j], vetoed = unnamed, true
		}
	}
	return vetoed
}

func (s *state) closeMode() {
	s.open, s.offered, s.opener, s.wrong, s.offer, s.offerKind = false, false, 0, 0, 0, 0
}

func (s *state) normalise() { s.guard = s.guard && s.anyProtected() }

func (s *state) protected(i int8) bool { return s.dev[i].on && s.dev[i].marked && s.dev[i].proven }

func (s *state) any(which func(int8) bool) bool {
	for i := int8(0); i < keys; i++ {
		if s.dev[i].on && which(i) {
			return true
		}
	}
	return false
}

func (s *state) anyProtected() bool { return s.any(s.protected) }

func (s *state) marked() bool { return s.any(func(i int8) bool { return s.dev[i].marked }) }

func (s *state) lastProtected(i int8) bool {
	return s.protected(i) && !s.any(func(j int8) bool { return j != i && s.protected(j) })
}

func (s *state) phraseBeside(i int8) bool {
	return s.any(func(j int8) bool { return j != i && s.dev[j].phrase })
}

func (s *state) credentialBeside(i int8) bool {
	return s.any(func(j int8) bool { return j != i && s.dev[j].credential })
}

func (s *state) count() (n int) {
	s.any(func(int8) bool { n++; return false })
	return n
}
