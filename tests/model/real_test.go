package model

import (
	"fmt"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// The clocks of every explored state. Times in a record are compared with them, so that a state says
// how long something still runs, not when it began.
const (
	dayNS    = uint64(24 * 3600 * 1e9)
	now      = 1000 * dayNS
	service  = 500 * dayNS
	delay    = 30 * dayNS
	delaySec = delay / 1e9
)

var (
	publicKeys [keys][]byte
	principals [keys]principal.Principal
	temporals  [keys]principal.Principal
	outsider   = must(principal.FromBytes([]byte("a stranger")))
	canister   = must(principal.FromBytes([]byte{0, 0, 0, 0, 0, 0, 0, 1, 1, 1}))
)

func init() {
	for i := range publicKeys {
		publicKeys[i] = []byte{'k', 'e', 'y', byte('0' + i)}
		principals[i] = principal.SelfAuthenticating(publicKeys[i])
		temporals[i] = must(principal.FromBytes([]byte{'t', 'e', 'm', 'p', byte('0' + i)}))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

var credentialX = []byte("credential x")

func dataOf(key int8, k kind, mark bool) identity.Data {
	d := identity.Data{PublicKey: publicKeys[key], Alias: "alias", Protected: mark, KeyType: identity.Unknown}
	if k >= phrase {
		d.KeyType = identity.SeedPhrase
	}
	if k == credential || k == phraseCredential {
		d.CredentialID = credentialX
	}
	return d
}

// arena holds a real anchor and the memory for it, to be built again for each message without
// allocating.
type arena struct {
	anchor       identity.Anchor
	devices      [keys + 1]identity.Device
	consents     [keys]identity.Consent
	askers       [keys][keys]identity.Asker
	registration identity.Registration
	tentative    identity.Data
	events       [8]identity.Event
	contacts     identity.Contacts
	list         [contacts]identity.Contact
}

// build makes the real anchor of a state. Where its devices stand and what their numbers are says
// nothing to any rule; turn varies both, so that the exploration would notice if it did.
func (r *arena) build(s *state, turn int) *identity.Anchor {
	r.anchor = identity.Anchor{Number: 10000, Devices: r.devices[:0], Guard: s.guard, DeviceBound: s.demand, Events: r.events[:0]}
	for n := range keys {
		i := (n + turn) % keys
		d := &s.dev[i]
		if !d.on {
			continue
		}
		k := passkey
		if d.phrase {
			k = phrase
		}
		data := dataOf(int8(i), k, d.marked)
		if d.credential {
			data.CredentialID = credentialX
		}
		real := identity.Device{Data: data, ID: idOf(i, turn), Principal: principals[i], Proven: d.proven}
		if d.marked && !d.proven {
			real.LapsesAt = service + identity.LapseAfter
		}
		if d.temporary {
			real.Temporary = identity.TemporaryKey{Principal: temporals[i], ExpiresAt: now + identity.TemporaryKeyLife}
		}
		if d.bound {
			real.Attestation = identity.Attestation{At: 1, UserPresent: true}
		}
		if d.ask != ([keys]ask{}) {
			r.consents[i] = identity.Consent{Delay: delay, Askers: r.askers[i][:0]}
			for j, a := range d.ask {
				if a != unnamed {
					r.consents[i].Askers = append(r.consents[i].Askers, identity.Asker{ID: idOf(j, turn), CompletesAt: completesAt[a]})
				}
			}
			real.Consent = &r.consents[i]
		}
		real.AgreesToContacts = d.agrees
		r.anchor.Devices = append(r.anchor.Devices, real)
	}
	if s.open {
		r.registration = identity.Registration{Opener: idOf(int(s.opener), turn), ExpiresAt: now + identity.RegistrationWindow, Attempts: uint8(s.wrong)}
		if s.offered {
			r.tentative = dataOf(s.offer, s.offerKind, false)
			r.registration.Tentative, r.registration.Code = &r.tentative, 123456
		}
		r.anchor.Registration = &r.registration
	}
	if s.named {
		r.contacts = identity.Contacts{Threshold: threshold, Delay: delay, List: r.list[:0]}
		for i, c := range s.contacts {
			if !c.listed {
				continue
			}
			real := identity.Contact{Anchor: contactAnchor(i), Accepted: c.accepted, ByProtected: c.protected}
			if c.approves != 0 {
				real.Key, real.ApprovedAt = principals[c.approves-1], service
				if c.ripe {
					real.ApprovedAt -= delay
				}
			}
			r.contacts.List = append(r.contacts.List, real)
		}
		r.anchor.Contacts = &r.contacts
	}
	return &r.anchor
}

func contactAnchor(i int) uint64 { return 10001 + uint64(i) }

// helpers are the contacts' anchors as they act by an unprotected device and by a protected one.
var helpers = func() (out [contacts][2]identity.Helper) {
	for i := range out {
		for protected := range 2 {
			d := identity.Device{Data: identity.Data{PublicKey: []byte("friend"), Protected: protected == 1}, Principal: principal.SelfAuthenticating([]byte("friend"))}
			a := &identity.Anchor{Number: contactAnchor(i), Devices: []identity.Device{d}}
			actor := must(a.Authenticate(identity.Call{Caller: d.Principal, Now: now, Service: service}))
			out[i][protected] = must(actor.AsContact())
		}
	}
	return out
}()

var completesAt = [...]uint64{named: 0, asked: service + delay, ripe: service}

func keyIndex(publicKey []byte) int8 { return int8(publicKey[3] - '0') }

func idOf(key, turn int) identity.DeviceID { return identity.DeviceID((key*3 + turn) % 4) }

// view is the state that a real anchor is in at these clocks. It panics on what no state has: that
// would be a part of the record that the model does not know.
func view(a *identity.Anchor, at identity.Call) (s state) {
	s.guard, s.demand = a.Guard, a.DeviceBound
	keyOf := [2 * keys]int8{-1, -1, -1, -1, -1, -1, -1, -1}
	for i := range a.Devices {
		at := &keyOf[a.Devices[i].ID]
		if *at != -1 {
			panic(fmt.Sprintf("two devices with one number: %+v", a))
		}
		*at = keyIndex(a.Devices[i].PublicKey)
	}
	for i := range a.Devices {
		real := &a.Devices[i]
		d := &s.dev[keyOf[real.ID]]
		if d.on || real.Principal != principals[keyOf[real.ID]] {
			panic(fmt.Sprintf("impossible device: %+v", real))
		}
		*d = device{on: true, phrase: real.KeyType == identity.SeedPhrase, credential: real.CredentialID != nil,
			marked: real.Protected, proven: real.Proven, temporary: real.Temporary.ExpiresAt > at.Now,
			bound: real.Attestation.At != 0 && !real.Attestation.BackupEligible, agrees: real.AgreesToContacts}
		if lapses := real.Protected && !real.Proven; lapses != (real.LapsesAt != 0) || lapses && real.LapsesAt != at.Service+identity.LapseAfter {
			panic(fmt.Sprintf("impossible lapse: %+v", real))
		}
		if real.Consent == nil {
			continue
		}
		if len(real.Consent.Askers) == 0 || real.Consent.Delay != delay || !real.Protected || !real.Proven {
			panic(fmt.Sprintf("impossible consent: %+v", real))
		}
		for _, asker := range real.Consent.Askers {
			j := keyOf[asker.ID]
			switch {
			case j == -1 || d.ask[j] != unnamed:
				panic(fmt.Sprintf("impossible asker: %+v", real))
			case asker.CompletesAt == 0:
				d.ask[j] = named
			case asker.CompletesAt <= at.Service:
				d.ask[j] = ripe
			case asker.CompletesAt == at.Service+delay:
				d.ask[j] = asked
			default:
				panic(fmt.Sprintf("impossible request: %+v", real))
			}
		}
	}
	viewContacts(a, at, &s)
	if r := a.Registration; r != nil && r.ExpiresAt > at.Now {
		opener := keyOf[r.Opener]
		if opener == -1 {
			panic(fmt.Sprintf("registration mode without its opener: %+v", r))
		}
		s.open, s.opener, s.wrong = true, opener, int8(r.Attempts)
		if t := r.Tentative; t != nil {
			if t.Protected {
				panic("a tentative device is marked")
			}
			s.offered, s.offer = true, keyIndex(t.PublicKey)
			switch {
			case t.KeyType == identity.SeedPhrase:
				s.offerKind = phrase
			case t.CredentialID != nil:
				s.offerKind = credential
			}
		}
	}
	return s
}

func viewContacts(a *identity.Anchor, at identity.Call, s *state) {
	agreed := false
	for i := range s.dev {
		if s.dev[i].agrees && (!s.protected(int8(i)) || a.Contacts == nil) {
			panic(fmt.Sprintf("impossible agreement: %+v", a))
		}
		agreed = agreed || s.dev[i].agrees
	}
	if a.Contacts == nil {
		return
	}
	if !agreed || a.Contacts.Threshold != threshold || a.Contacts.Delay != delay || len(a.Contacts.List) < threshold {
		panic(fmt.Sprintf("impossible contacts: %+v", a.Contacts))
	}
	s.named = true
	for _, real := range a.Contacts.List {
		c := &s.contacts[real.Anchor-contactAnchor(0)]
		*c = contact{listed: true, accepted: real.Accepted, protected: real.ByProtected, ripe: real.ApprovedAt != 0 && at.Service-real.ApprovedAt >= delay}
		for i := range principals {
			if real.ApprovedAt != 0 && real.Key == principals[i] {
				c.approves = int8(i) + 1
			}
		}
		if real.ApprovedAt != 0 && (c.approves == 0 || !c.ripe && real.ApprovedAt != at.Service) || real.ApprovedAt == 0 && real.ByProtected {
			panic(fmt.Sprintf("impossible approval: %+v", real))
		}
	}
}

// callOf is the call that carries a message.
func callOf(m message) identity.Call {
	call := identity.Call{Canister: canister, Now: now, Service: service, Caller: outsider}
	switch {
	case m.action == tick:
		call.Now, call.Service = now+delay, service+delay
	case m.action == pause:
		call.Now = now + identity.RegistrationWindow
	case m.action == recover:
		call.Caller = principals[m.key]
	case m.who != stranger && m.temporary:
		call.Caller = temporals[m.who]
	case m.who != stranger:
		call.Caller = principals[m.who]
	}
	return call
}

func helperOf(m message) identity.Helper {
	if m.protected {
		return helpers[m.contact][1]
	}
	return helpers[m.contact][0]
}

// drive sends a message to the real rules, as the canister does: classic methods that refuse trap, so
// the caller of drive forgets the anchor; the others reply.
func drive(a *identity.Anchor, m message) error {
	call := callOf(m)
	switch m.action {
	case tick, pause:
		a.Refresh(call)
		return nil
	case accept:
		return a.AcceptContact(call, helperOf(m))
	case approve:
		return a.ApproveKey(call, helperOf(m), principals[m.key])
	case withdrawApproval:
		return a.WithdrawApproval(call, helperOf(m))
	case resign:
		return a.ResignContact(call, helperOf(m))
	case recover:
		return a.CompleteContacts(call, dataOf(m.key, m.kind, false), false)
	case offer:
		_, err := a.OfferDevice(call, dataOf(m.key, m.kind, m.mark), 123456)
		return err
	}
	actor, err := a.Authenticate(call)
	if err != nil {
		return err
	}
	var target []byte
	data := identity.Data{}
	if m.target != stranger {
		target = publicKeys[m.target]
		data.PublicKey = target
		for i := range a.Devices {
			if keyIndex(a.Devices[i].PublicKey) == m.target {
				data = a.Devices[i].Data
			}
		}
	}
	switch m.action {
	case read:
		actor.PrepareSession(nil)
	case add:
		return actor.Add(dataOf(m.key, m.kind, m.mark))
	case updateAlias:
		data.Alias = "another"
		return actor.Update(target, data)
	case updateOrigin:
		data.HasOrigin, data.Origin = true, "https://example.org"
		return actor.Update(target, data)
	case updateMark, updateUnmark:
		data.Protected = m.action == updateMark
		return actor.Update(target, data)
	case updateCredential:
		if data.CredentialID == nil {
			data.CredentialID = credentialX
		} else {
			data.CredentialID = nil
		}
		return actor.Update(target, data)
	case updateKeyType:
		if data.KeyType == identity.SeedPhrase {
			data.KeyType = identity.Unknown
		} else {
			data.KeyType = identity.SeedPhrase
		}
		return actor.Update(target, data)
	case updateKey:
		data.PublicKey = []byte("key9")
		return actor.Update(target, data)
	case replace:
		return actor.Replace(target, dataOf(m.key, m.kind, m.mark))
	case remove:
		_, err = actor.Remove(target)
	case enter:
		_, err = actor.EnterRegistration()
	case exit:
		err = actor.ExitRegistration()
	case verify:
		_, _, err = actor.VerifyDevice(123456)
	case verifyWrong:
		_, _, err = actor.VerifyDevice(654321)
	case protect:
		err = actor.Protect(target)
	case unprotect:
		err = actor.Unprotect(target)
	case guardOn, guardOff:
		err = actor.SetGuard(m.action == guardOn)
	case demandOn, demandOff:
		err = actor.SetDeviceBound(m.action == demandOn)
	case limit:
		hour := uint64(3600)
		err = actor.SetSessionLimit(&hour)
	case consent:
		var askers [][]byte
		for j := range publicKeys {
			if m.askers>>j&1 == 1 {
				askers = append(askers, publicKeys[j])
			}
		}
		err = actor.SetConsent(delaySec, askers)
	case withdraw:
		err = actor.WithdrawConsent()
	case request:
		_, err = actor.RequestRelease(target)
	case cancel:
		err = actor.CancelRelease(target)
	case complete:
		err = actor.CompleteRelease(target)
	case nameContacts:
		err = actor.SetContacts(threshold, delaySec, []uint64{contactAnchor(0), contactAnchor(1), contactAnchor(2)}, func(uint64) bool { return true })
	case endContacts:
		err = actor.EndContacts()
	case agreeContacts, disagreeContacts:
		err = actor.AgreeToContacts(m.action == agreeContacts)
	case attest:
		err = actor.RecordAttestation(identity.Assertion{UserPresent: true})
	default:
		panic("unknown action")
	}
	return err
}
