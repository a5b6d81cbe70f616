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
	contacts   bool // rule 11
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
		approved := slices.ContainsFunc(s.contacts[:], func(c contact) bool { return c.approves == i+1 })
		if s.dev[i].on || approved || !absent {
			named = append(named, i)
			absent = absent || !s.dev[i].on && !approved
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
	if w.contacts {
		out = w.fromContacts(s, named, kinds, out)
	}
	return out
}

// fromContacts lists what contacts and new keys can send. Contacts that have done the same are interchangeable,
// so one stands for all.
func (w world) fromContacts(s *state, named []int8, kinds []kind, out []message) []message {
	for _, key := range named {
		for _, k := range kinds {
			out = append(out, message{action: recover, who: stranger, target: stranger, key: key, kind: k})
		}
	}
	for c := range int8(contacts) {
		if slices.Contains(s.contacts[:c], s.contacts[c]) {
			continue
		}
		for _, protected := range []bool{false, true} {
			m := message{who: stranger, target: stranger, contact: c, protected: protected}
			for _, m.action = range []action{accept, withdrawApproval, resign} {
				out = append(out, m)
			}
			m.action = approve
			for _, m.key = range named {
				out = append(out, m)
			}
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
	if w.contacts {
		for _, a := range []action{nameContacts, endContacts, agreeContacts, disagreeContacts} {
			send(a, stranger)
		}
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

// packed is a state in few bits: the devices and registration mode, and the contacts.
type packed struct {
	devices  uint64
	contacts uint32
}

func (p packed) less(q packed) bool {
	return p.devices < q.devices || p.devices == q.devices && p.contacts < q.contacts
}

// pack writes a state into few bits; unpack reads it.
func pack(s *state) packed { return packed{packDevices(s), packContacts(s)} }

func unpack(p packed) state {
	s := unpackDevices(p.devices)
	unpackContacts(p.contacts, &s)
	return s
}

// packContacts sorts the contacts: they are interchangeable.
func packContacts(s *state) (p uint32) {
	if !s.named {
		return 0
	}
	var codes [contacts]uint32
	for i, c := range s.contacts {
		for _, b := range []bool{c.listed, c.accepted, c.protected, c.ripe} {
			codes[i] <<= 1
			if b {
				codes[i] |= 1
			}
		}
		codes[i] = codes[i]<<3 | uint32(c.approves)
	}
	slices.Sort(codes[:])
	p = 1
	for i := range s.dev {
		p <<= 1
		if s.dev[i].agrees {
			p |= 1
		}
	}
	for _, code := range codes {
		p = p<<7 | code
	}
	return p
}

func unpackContacts(p uint32, s *state) {
	if p == 0 {
		return
	}
	s.named = true
	for i := range s.contacts {
		code := p >> (7 * (contacts - 1 - i)) & 127
		s.contacts[i] = contact{listed: code>>6&1 == 1, accepted: code>>5&1 == 1, protected: code>>4&1 == 1, ripe: code>>3&1 == 1, approves: int8(code & 7)}
	}
	for i := range s.dev {
		s.dev[i].agrees = p>>(7*contacts+keys-1-i)&1 == 1
	}
}

func packDevices(s *state) (p uint64) {
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

func unpackDevices(p uint64) (s state) {
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
	for i, c := range s.contacts {
		if c.approves != 0 {
			t.contacts[i].approves = p[c.approves-1] + 1
		}
	}
	return t
}

// canonical is the least of the packed states that differ in the names of the keys alone. No rule
// knows a key by name, so one of them stands for all.
func canonical(s *state, all [][keys]int8) packed {
	least := packed{devices: ^uint64(0)}
	for i := range all {
		t := permute(s, &all[i])
		if p := pack(&t); p.less(least) {
			least = p
		}
	}
	return least
}
