package model

import (
	"fmt"

	"kedge/canister/identity"
)

// checkContacts establishes T6 and the inductive half of T7 on one step.
func checkContacts(sb, sa *state, m message, ok, recovered bool) error {
	settled := *sb
	settled.normalise()
	// A sign of life by a protected device: its call replied, and proves its mark if need be.
	person := m.who != stranger && !m.temporary && sb.dev[m.who].on && sb.dev[m.who].marked && (ok || m.action > lastClassic)
	alive := person || m.action == recover && !recovered && sb.dev[m.key].on && sb.dev[m.key].marked

	if recovered {
		count := 0
		for _, c := range sb.contacts {
			if c.listed && c.approves == m.key+1 && c.ripe {
				count++
			}
		}
		agreed := sb.any(func(i int8) bool { return sb.dev[i].agrees })
		switch {
		case !sb.named || !agreed || count < threshold:
			return fmt.Errorf("T6: a recovery completed that enough contacts had not approved for the whole delay")
		case !sa.protected(m.key):
			return fmt.Errorf("T6: the new key is not protected")
		case sa.named:
			return fmt.Errorf("T6: contacts outlived the recovery")
		}
	}
	for i := range sa.contacts {
		was, is := sb.contacts[i], sa.contacts[i]
		if is.approves == 0 {
			continue
		}
		switch {
		case alive:
			return fmt.Errorf("T6: an approval outlived a sign of life")
		case is.approves == was.approves && (is.ripe == was.ripe || is.ripe && m.action == tick):
		case m.action == approve && ok && int(m.contact) == i && is.approves == m.key+1 && !is.ripe && was.accepted:
		default:
			return fmt.Errorf("T6: the approval of contact %d came from nowhere", i)
		}
		if !is.listed || !is.accepted {
			return fmt.Errorf("T6: contact %d approves, but is not one", i)
		}
	}

	// T7: none of the others' messages takes anything from what a start of it needs.
	for _, start := range startsOfT7(&settled) {
		owner := m.action == recover && m.key == start.key
		friend := m.action >= accept && m.action <= resign && (m.contact == start.contacts[0] || m.contact == start.contacts[1])
		agreeing := ok && m.action == complete && sb.dev[m.target].agrees
		if owner || friend || agreeing || alive {
			continue
		}
		for _, c := range start.contacts {
			was, is := sb.contacts[c], sa.contacts[c]
			if !is.listed || !is.accepted || is.approves != start.key+1 || was.ripe && !is.ripe || m.action == tick && !is.ripe {
				return fmt.Errorf("T7: others ended the approval of key %d by contact %d", start.key, c)
			}
		}
		if !sa.named || !sa.any(func(i int8) bool { return sa.dev[i].agrees }) || sa.protected(start.key) {
			return fmt.Errorf("T7: others ended the contacts")
		}
		if len(startsOfT7(sa)) == 0 {
			return fmt.Errorf("T7: others marked a device")
		}
	}
	return nil
}

// startOfT7 is a key that two contacts approve.
type start struct {
	key      int8
	contacts [threshold]int8
}

// startsOfT7 lists them where some protected device has agreed, nothing else is marked, and the key is no
// protected device.
func startsOfT7(s *state) (out []start) {
	if !s.named || s.any(func(i int8) bool { return s.dev[i].marked && !s.dev[i].proven }) {
		return nil
	}
	for key := range int8(keys) {
		if s.protected(key) {
			continue
		}
		for a := range int8(contacts) {
			for b := range a {
				if s.contacts[a].approves == key+1 && s.contacts[b].approves == key+1 {
					out = append(out, start{key, [threshold]int8{b, a}})
				}
			}
		}
	}
	return out
}

// completable is the other half of T7: once the delay has passed the key completes, with the fields that it
// states, whatever the anchor has become.
func completable(s *state, r *arena) error {
	for _, start := range startsOfT7(s) {
		for _, c := range start.contacts {
			if !s.contacts[c].ripe {
				return nil
			}
		}
		kept := s.any(func(i int8) bool { return i != start.key && s.protected(i) && !s.dev[i].agrees && s.dev[i].credential })
		for _, k := range []kind{passkey, credential} {
			if k == credential && kept {
				continue // a protected device that has not agreed keeps its credential id
			}
			a := r.build(s, 1)
			m := message{action: recover, who: stranger, key: start.key, kind: k}
			if err := drive(a, m); err != nil {
				return fmt.Errorf("T7: key %d cannot complete: %w", start.key, err)
			}
			d := find(a, start.key)
			stated := identity.Device{Data: dataOf(start.key, k, true)}
			if d == nil || !d.Protected || !d.Proven || classic(d) != classic(&stated) {
				return fmt.Errorf("T7: key %d completed as something else: %+v", start.key, d)
			}
			if a.Guard != s.guard {
				return fmt.Errorf("T7: the recovery by key %d changed the guard", start.key)
			}
		}
	}
	return nil
}
