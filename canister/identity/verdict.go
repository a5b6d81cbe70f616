package identity

import "math/bits"

// set is a set of facts by index. An imported anchor with more devices than it holds is judged by its
// first 64.
type set = uint64

// fact is what the report knows of a device.
type fact struct {
	phrase, recovery, browser, roams bool
	backedUp, bound                  bool // as attested
	protected, unproven              bool // marked and proven; marked and not
	model                            [AAGUIDSize]byte
	askers                           set  // who may ask for its release
	agrees                           bool // to the recovery contacts
	contacts                         contactFacts
}

// contactFacts say how far the recovery contacts are; every fact has the anchor's.
type contactFacts struct{ named, accepted bool }

type facts []fact

// verdict on one scenario.
type verdict struct {
	applies bool
	outcome Outcome
	devices set
	subject set // the one device that it is about, or none
}

func (a *Anchor) facts() facts {
	devices := a.Devices[:min(len(a.Devices), 64)]
	out := make(facts, len(devices), len(devices)+1)
	for i := range devices {
		d := &devices[i]
		attested := d.Attestation.At != 0
		f := &out[i]
		f.phrase, f.browser = d.KeyType == SeedPhrase, d.KeyType == BrowserStorageKey
		f.recovery, f.roams = d.Purpose == Recovery, d.KeyType == CrossPlatform
		f.backedUp, f.bound = d.Attestation.BackedUp, attested && !d.Attestation.BackupEligible
		f.protected, f.unproven = d.protected(), d.Protected && !d.Proven
		copy(f.model[:], d.AAGUID)
		f.agrees, f.contacts = d.AgreesToContacts, a.contactFacts()
		if d.Consent == nil {
			continue
		}
		for j := range devices {
			if d.Consent.asker(devices[j].ID) != nil {
				f.askers |= 1 << j
			}
		}
	}
	return out
}

// contactFacts counts as accepted what enough contacts have accepted.
func (a *Anchor) contactFacts() (out contactFacts) {
	if contacts := a.RecoveryContacts(); contacts != nil {
		out = contactFacts{true, contacts.accepted() >= int(contacts.Threshold)}
	}
	return out
}

// where collects the facts of which the predicate holds.
func (f facts) where(holds func(*fact) bool) (out set) {
	for i := range f {
		if holds(&f[i]) {
			out |= 1 << i
		}
	}
	return out
}

func (f facts) judgeAll() (out [Scenarios]verdict) {
	phrases := f.where(func(d *fact) bool { return d.phrase })
	passkeys := f.where(func(d *fact) bool { return !d.phrase })
	everyday := passkeys &^ f.where(func(d *fact) bool { return d.recovery })
	backedUp := passkeys & f.where(func(d *fact) bool { return d.backedUp })
	bound := passkeys & f.where(func(d *fact) bool { return d.bound })
	browsers := passkeys & f.where(func(d *fact) bool { return d.browser })
	roaming := bound & f.where(func(d *fact) bool { return d.roams })

	out[LoseOneDevice] = f.worst(passkeys, func(i int) verdict { return f.loss(1 << i &^ backedUp) })
	out[LoseAllDevices] = f.lossOf(passkeys, everyday&^backedUp)
	out[ForgottenPasscode] = f.lossOf(passkeys, passkeys&^(bound&^everyday))
	out[CloudAccountClosed] = f.lossOf(passkeys&^bound&^browsers, passkeys&^bound&^browsers)
	out[EcosystemSwitched] = f.lossOf(passkeys, passkeys&^roaming)
	out[DomainGone] = f.lossOf(passkeys, passkeys)
	out[PhraseCopied] = f.worst(phrases, func(i int) verdict { return f.theft(1 << i) })
	out[LaptopStolen] = f.worst(everyday, func(i int) verdict { return f.theft(1 << i) })
	out[PhraseLost] = f.lossOf(phrases, phrases)
	out[ModelBroken] = f.worst(passkeys&^browsers, func(i int) verdict {
		return f.loss(passkeys &^ browsers & f.where(func(d *fact) bool { return d.model == f[i].model }))
	})
	if protected := f.where(func(d *fact) bool { return d.protected }); f.where(func(d *fact) bool { return d.contacts.named }) != 0 {
		out[ContactsDeceived] = verdict{true, Survives, protected, 0} // while one of them signs within the delay
	}
	return out
}

// worst is the worst verdict over the members of a set, about the first that has it, with the devices of
// all that have it. Of no members, it does not apply.
func (f facts) worst(members set, judge func(int) verdict) (out verdict) {
	for rest := members; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		v := judge(i)
		switch {
		case !out.applies || v.outcome > out.outcome:
			out = v
			out.subject = 1 << i
		case v.outcome == out.outcome:
			out.devices |= v.devices
		}
	}
	return out
}

// lossOf is loss where the scenario applies if there is a member of some.
func (f facts) lossOf(some, lost set) (out verdict) {
	if some != 0 {
		out = f.loss(lost)
	}
	return out
}

// loss judges what the owner can do without the lost devices.
func (f facts) loss(lost set) verdict {
	left := f.where(func(*fact) bool { return true }) &^ lost
	protected := f.where(func(d *fact) bool { return d.protected })
	// Contacts release those devices that agree; what does not stays.
	brought := f.where(func(d *fact) bool { return d.protected && d.agrees && d.contacts.accepted })
	switch {
	case left == 0 && brought == 0:
		return verdict{true, LockedOut, lost, 0}
	case left == 0 && brought == protected:
		return verdict{true, Delayed, 0, 0}
	case left == 0:
		return verdict{true, Restricted, protected &^ brought, 0}
	case protected&left != 0 || protected == 0:
		return verdict{true, Survives, left, 0}
	}
	// Every protected device is lost. One device that may ask for the release of each of them gets
	// its protection in the end.
	for i := range f {
		if f[i].protected {
			left &= f[i].askers
		}
	}
	if left != 0 {
		return verdict{true, Delayed, left, 0}
	}
	if brought == protected {
		return verdict{true, Delayed, 0, 0}
	}
	return verdict{true, Restricted, protected & lost, 0}
}

// theft judges what the owner can do when a thief holds the stolen device.
func (f facts) theft(stolen set) verdict {
	protected := f.where(func(d *fact) bool { return d.protected })
	unproven := f.where(func(d *fact) bool { return d.unproven })
	switch {
	case protected&^stolen != 0 && protected&stolen == 0:
		return verdict{true, Survives, protected, 0}
	case protected&^stolen != 0:
		return verdict{true, Contested, stolen, 0}
	case protected&stolen == 0 && unproven&^stolen != 0:
		return verdict{true, Contested, stolen, 0} // who has the unproven device wins by signing a call in time
	}
	return verdict{true, TakenOver, stolen, 0}
}

// after returns the facts as the step would leave them; unchanged where it does not apply.
func (f facts) after(step Step, room bool) facts {
	out := append(make(facts, 0, len(f)+1), f...)
	phrases := f.where(func(d *fact) bool { return d.phrase })
	unproven := f.where(func(d *fact) bool { return d.unproven })
	mayGrant := unproven == 0 || f.where(func(d *fact) bool { return d.protected }) != 0
	for i := range out {
		d := &out[i]
		switch {
		case step == StepCall && d.unproven:
			d.protected, d.unproven = true, false
		case step == StepProtectPhrase && d.phrase && !d.unproven && mayGrant:
			d.protected = true
		case step == StepConsent && d.protected:
			d.askers = f.where(func(*fact) bool { return true }) &^ (1 << i)
		case step == StepNameContacts && !d.contacts.named && d.protected:
			d.agrees, d.contacts = true, contactFacts{true, true}
		case step == StepAgreeContacts && d.contacts.named && d.protected:
			d.agrees = true
		case step == StepAcceptContacts && d.contacts.named:
			d.contacts.accepted = true
		}
	}
	switch {
	case step == StepAddPhrase && phrases == 0 && room:
		out = append(out, fact{phrase: true, recovery: true, protected: mayGrant})
	case step == StepAddKey && room:
		other := [AAGUIDSize]byte{0: 0xff} // of a model that no other device has
		out = append(out, fact{recovery: true, roams: true, bound: true, protected: mayGrant, model: other})
	}
	return out
}
