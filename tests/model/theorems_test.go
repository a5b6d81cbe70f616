package model

import (
	"fmt"

	"kedge/canister/identity"
)

// changed reports whether a device that was on the anchor is gone, or differs in the classic fields, its
// mark or whether it is proven.
func changed(before, after *identity.Anchor, key int8) bool {
	b, a := find(before, key), find(after, key)
	return b != nil && (a == nil || a.Protected != b.Protected || a.Proven != b.Proven || classic(a) != classic(b))
}

type classicFields struct {
	alias, origin, credential string
	hasCredential             bool
	kind                      identity.KeyType
	purpose                   identity.Purpose
}

func classic(d *identity.Device) classicFields {
	return classicFields{d.Alias, d.Origin, string(d.CredentialID), d.CredentialID != nil, d.KeyType, d.Purpose}
}

func find(a *identity.Anchor, key int8) *identity.Device {
	for i := range a.Devices {
		if keyIndex(a.Devices[i].PublicKey) == key {
			return &a.Devices[i]
		}
	}
	return nil
}

// violations of rule 4, each of which no call may add to.
func violations(s *state) (out [3]int) {
	for i := range s.dev {
		d := &s.dev[i]
		if d.phrase {
			out[0]++
		}
		if d.credential {
			out[1]++
		}
		if d.phrase && d.credential {
			out[2]++
		}
	}
	out[0], out[1] = max(out[0], 1), max(out[1], 1)
	return out
}

// check establishes T1, T3, T4, T5 and the inductive half of T2 on one step of the real anchor.
func check(before, after *identity.Anchor, sb, sa *state, m message, ok bool) error {
	settled := *sb
	settled.normalise()
	if m.action == recover && !ok && sb.dev[m.key].on {
		m.who = m.key // a refused completion is a call of its device like any other
	}
	person := m.who != stranger && !m.temporary
	replied := ok || m.action > lastClassic
	released := ok && m.action == complete
	recovered := ok && m.action == recover

	for i := range int8(keys) {
		if !sb.protected(i) || !changed(before, after, i) {
			continue
		}
		if person && m.who == i || released && m.target == i && sb.dev[i].ask[m.who] == ripe ||
			recovered && sb.dev[i].agrees || m.action == recover && m.key == i {
			continue
		}
		return fmt.Errorf("T1: protected device %d was changed or removed", i)
	}

	if sa.count() == 0 && sb.count() != 0 {
		return fmt.Errorf("T3: the anchor became empty")
	}
	vb, va := violations(sb), violations(sa)
	for i := range vb {
		if va[i] > vb[i] {
			return fmt.Errorf("T3: violation %d of rule 4 grew", i)
		}
	}

	admin := person && sb.dev[m.who].on && sb.dev[m.who].marked // its call proves it
	if settled.guard && !admin && !released && !recovered {
		for i := range int8(keys) {
			switch {
			case !sb.dev[i].on && sa.dev[i].on:
				return fmt.Errorf("T4: device %d was added to a guarded anchor", i)
			case person && m.who == i:
				if d := find(after, i); d != nil {
					c, was := classic(d), classic(find(before, i))
					c.alias = was.alias
					if c != was || sa.dev[i].marked != sb.dev[i].marked {
						return fmt.Errorf("T4: unprotected device %d changed more than its alias", i)
					}
				}
			case m.action == tick && !sb.dev[i].proven: // its mark may lapse
			case changed(before, after, i):
				return fmt.Errorf("T4: device %d was changed or removed on a guarded anchor", i)
			}
		}
		if !sa.guard {
			return fmt.Errorf("T4: the guard was switched off")
		}
	}

	for i := range int8(keys) {
		for j := range int8(keys) {
			was, is := sb.dev[i].ask[j], sa.dev[i].ask[j]
			if is < asked {
				continue
			}
			switch {
			case !sa.dev[i].on || !sa.dev[j].on || !sa.protected(i):
				return fmt.Errorf("T5: a request outlived one of its devices")
			case replied && person && m.who == i, m.action == recover && m.key == i:
				return fmt.Errorf("T5: a request outlived a sign of life")
			case was == asked && is == ripe && m.action == tick, was == is:
			case was == named && is == asked && ok && person && m.action == request && m.who == j && m.target == i:
			default:
				return fmt.Errorf("T5: a request by %d for %d came from nowhere", j, i)
			}
		}
	}
	if released && (!person || sb.dev[m.target].ask[m.who] != ripe) {
		return fmt.Errorf("T5: a release completed that was not ripe, or by another than its asker")
	}
	if err := checkContacts(sb, sa, m, ok, recovered); err != nil {
		return err
	}
	return checkOthers(&settled, sa, m, released || recovered)
}

// checkOthers is the inductive half of T2: where the marked devices are exactly the protected devices
// S, no message by others, and no time in which each of S that consented answers within its delay,
// changes which devices are marked and protected, or the guard. So however many messages the others
// send, the anchor stays in a state from which recoverable is asked.
func checkOthers(sb, sa *state, m message, released bool) error {
	if !startOfT2(sb) || m.who != stranger && sb.dev[m.who].marked && !m.temporary || m.action == recover && sb.dev[m.key].marked {
		return nil
	}
	if released { // S did not answer within the delay
		return nil
	}
	for i := range int8(keys) {
		if sa.dev[i].marked != sb.dev[i].marked || sa.protected(i) != sb.protected(i) {
			return fmt.Errorf("T2: others changed the protection of device %d", i)
		}
	}
	if sa.guard != sb.guard {
		return fmt.Errorf("T2: others switched the guard")
	}
	return nil
}

// startOfT2 reports whether some device is marked, and all that are marked are protected.
func startOfT2(s *state) bool {
	return s.anyProtected() && !s.any(func(i int8) bool { return s.dev[i].marked && !s.dev[i].proven })
}

// recoverable is the other half of T2: each device of S alone, calling the real rules, returns the
// anchor to exactly S, with the guard as it was and no request pending.
func recoverable(s *state, r *arena) error {
	for owner := range int8(keys) {
		if !s.protected(owner) {
			continue
		}
		a := r.build(s, 1)
		for i := range int8(keys) {
			switch {
			case !s.dev[i].on || i == owner:
			case !s.dev[i].marked:
				if err := drive(a, message{action: remove, who: owner, target: i}); err != nil {
					return fmt.Errorf("T2: protected device %d cannot remove %d: %w", owner, i, err)
				}
			default:
				_ = drive(a, message{action: cancel, who: owner, target: i}) // refused if nothing is pending
			}
		}
		end := view(a, callOf(message{action: read, who: owner}))
		for i := range int8(keys) {
			if end.dev[i].on != s.protected(i) || end.protected(i) != s.protected(i) {
				return fmt.Errorf("T2: device %d cannot return the anchor to its protected devices", owner)
			}
			for _, a := range end.dev[i].ask {
				if a >= asked {
					return fmt.Errorf("T2: device %d cannot end a request for %d", owner, i)
				}
			}
		}
		if end.guard != s.guard {
			return fmt.Errorf("T2: the way back by device %d changes the guard", owner)
		}
	}
	return nil
}
