package model

import "slices"

// world says how much of the rules an exploration covers.
type world struct {
	name       string
	keys       int8
	release    bool // rule 6
	demand     bool // rule 9
	credential bool // credential ids of rule 4
	wrong      bool // wrong verification codes
	imported   bool // starts from imports too, with what rule 4 forbids
}

// messages lists every message that the devices of s, their temporary keys, a stranger and time can
// send. Keys that are not on the anchor are interchangeable, so the first stands for all of them.
func (w world) messages(s *state, out []message) []message {
	out = append(out[:0], message{action: tick, who: stranger}, message{action: pause, who: stranger})
	kinds := []kind{passkey, phrase}
	if w.credential {
		kinds = []kind{passkey, credential, phrase, phraseCredential}
	}
	var named []int8 // keys on the anchor, and the first that is not
	for i, absent := int8(0), false; i < w.keys; i++ {
		if s.dev[i].on || !absent {
			named = append(named, i)
			absent = absent || !s.dev[i].on
		}
	}
	// A stranger is refused before anything is judged, unless he offers a device.
	out = append(out, message{action: read, who: stranger, target: stranger})
	for _, key := range named {
		for _, k := range kinds {
			out = append(out, message{action: offer, who: stranger, target: stranger, key: key, kind: k})
			out = append(out, message{action: offer, who: stranger, target: stranger, key: key, kind: k, mark: true})
		}
	}
	for who := range w.keys {
		if !s.dev[who].on {
			continue
		}
		for _, temporary := range []bool{false, true} {
			if temporary && !s.dev[who].temporary {
				continue
			}
			out = w.from(message{who: who, temporary: temporary}, named, kinds, out)
		}
	}
	return out
}

func (w world) from(m message, named []int8, kinds []kind, out []message) []message {
	send := func(a action, target int8) {
		m := m
		m.action, m.target = a, target
		out = append(out, m)
	}
	for _, a := range []action{read, enter, exit, verify, guardOn, guardOff, limit} {
		send(a, stranger)
	}
	for _, target := range named {
		for _, a := range []action{updateAlias, updateOrigin, updateMark, updateUnmark, updateKeyType, updateKey, remove, protect, unprotect} {
			send(a, target)
		}
		if w.credential {
			send(updateCredential, target)
		}
		if w.release {
			send(request, target)
			send(cancel, target)
			send(complete, target)
		}
	}
	if w.wrong {
		send(verifyWrong, stranger)
	}
	if w.demand {
		send(demandOn, stranger)
		send(demandOff, stranger)
		send(attest, stranger)
	}
	if w.release {
		send(withdraw, stranger)
		for m.askers = range uint8(1) << w.keys {
			send(consent, stranger)
		}
		m.askers = 0
	}
	for _, m.key = range named {
		send(offer, stranger) // a passkey: who offers matters only as a sign of life
		for _, m.kind = range kinds {
			for _, m.mark = range []bool{false, true} {
				send(add, stranger)
				for _, target := range named {
					send(replace, target)
				}
			}
		}
		m.kind, m.mark = passkey, false
	}
	return out
}

// pack writes a state into 64 bits; unpack reads it.
func pack(s *state) (p uint64) {
	bit := func(b bool) {
		p <<= 1
		if b {
			p |= 1
		}
	}
	for i := range s.dev {
		d := &s.dev[i]
		bit(d.on)
		bit(d.phrase)
		bit(d.credential)
		bit(d.marked)
		bit(d.proven)
		bit(d.temporary)
		bit(d.bound)
		for j := range d.ask {
			if j != i {
				p = p<<2 | uint64(d.ask[j])
			}
		}
	}
	bit(s.guard)
	bit(s.demand)
	bit(s.open)
	bit(s.offered)
	return p<<8 | uint64(s.opener)<<6 | uint64(s.wrong)<<4 | uint64(s.offer)<<2 | uint64(s.offerKind)
}

func unpack(p uint64) (s state) {
	s.opener, s.wrong, s.offer, s.offerKind = int8(p>>6&3), int8(p>>4&3), int8(p>>2&3), kind(p&3)
	p >>= 8
	bit := func() bool {
		b := p&1 == 1
		p >>= 1
		return b
	}
	s.offered, s.open, s.demand, s.guard = bit(), bit(), bit(), bit()
	for i := keys - 1; i >= 0; i-- {
		d := &s.dev[i]
		for j := keys - 1; j >= 0; j-- {
			if j != i {
				d.ask[j] = ask(p & 3)
				p >>= 2
			}
		}
		d.bound, d.temporary, d.proven, d.marked, d.credential, d.phrase, d.on = bit(), bit(), bit(), bit(), bit(), bit(), bit()
	}
	return s
}

// permutations of the first n keys.
func permutations(n int) (all [][keys]int8) {
	var extend func(p []int8)
	extend = func(p []int8) {
		if len(p) == n {
			full := [keys]int8{0, 1, 2, 3}
			copy(full[:], p)
			all = append(all, full)
			return
		}
		for i := range int8(n) {
			if !slices.Contains(p, i) {
				extend(append(slices.Clone(p), i))
			}
		}
	}
	extend(nil)
	return all
}

func permute(s *state, p *[keys]int8) (t state) {
	t = *s
	for i := range s.dev {
		d := &t.dev[p[i]]
		*d = s.dev[i]
		for j := range d.ask {
			d.ask[p[j]] = s.dev[i].ask[j]
		}
	}
	if s.open {
		t.opener = p[s.opener]
	}
	if s.offered {
		t.offer = p[s.offer]
	}
	return t
}

// canonical is the least of the packed states that differ in the names of the keys alone. No rule
// knows a key by name, so one of them stands for all.
func canonical(s *state, all [][keys]int8) uint64 {
	least := ^uint64(0)
	for i := range all {
		t := permute(s, &all[i])
		least = min(least, pack(&t))
	}
	return least
}
