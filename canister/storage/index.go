package storage

import (
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/identity"
	"kedge/canister/storage/record"
	"kedge/canister/storage/stable"
	"kedge/canister/storage/tree"
	"kedge/ic/principal"
)

// The index is one tree (package tree) for both look-ups. An entry is 16 bytes, ordered as two integers:
//
//	off  len
//	  0    8  key:   bit 63 is 0 for a device's principal, 1 for a credential id; bits 0–62 of its XXH64
//	  8    8  order: bit 63 is 0 if the device is proven, bits 28–62 its time of adding in s, bits 0–27 its slot
//
// So the entries of a key come in the order in which look-ups answer: proven first, then longest on its
// anchor. An entry only points; a look-up reads the anchor and compares, so that equal hashes do no harm. It
// answers in pages of a bounded number of entries, so that strangers who list someone's credential id on many
// anchors neither make a query too long nor hide anything.

const (
	credentialBit = 1 << 63
	unprovenBit   = 1 << 63
	slotBits      = 28
	sinceMask     = 1<<35 - 1

	// scanFactor times its limit is the number of entries of one key that a page of a look-up reads at most:
	// some may be of another key with the same hash.
	scanFactor = 4
)

func callerKey(p []byte) uint64      { return xxhash.Sum64(p) &^ credentialBit }
func credentialKey(id []byte) uint64 { return xxhash.Sum64(id) | credentialBit }

func slotOfOrder(order uint64) uint32 { return uint32(order & (1<<slotBits - 1)) }

func orderOf(proven bool, since uint64, slot uint32) uint64 {
	o := min(since/1e9, sinceMask)<<slotBits | uint64(slot)
	if !proven {
		o |= unprovenBit
	}
	return o
}

// recordKeys appends the entries of a record, sorted and each once. It reads the record itself, not a decoded
// anchor, because both the old and the new one are at hand in that form.
func recordKeys(keys []tree.Entry, payload []byte, version byte, slot uint32) ([]tree.Entry, error) {
	for c := record.Devices(payload, version); c.Left() > 0; {
		d, err := c.Next()
		if err != nil {
			return nil, err
		}
		keys = appendKeys(keys, d, slot)
	}
	return sortKeys(keys), nil
}

func sortKeys(keys []tree.Entry) []tree.Entry {
	slices.SortFunc(keys, tree.Entry.Compare)
	return slices.Compact(keys)
}

// appendKeys appends the entries of one device.
func appendKeys(keys []tree.Entry, d record.Stored, slot uint32) []tree.Entry {
	order := orderOf(d.Proven(), d.AddedAt(), slot)
	if p := d.Principal(); p != nil {
		keys = append(keys, tree.Entry{Key: callerKey(p), Order: order})
	}
	if id := d.CredentialID(); len(id) > 0 {
		keys = append(keys, tree.Entry{Key: credentialKey(id), Order: order})
	}
	return keys
}

// changedKeys puts into s.keys the entries that a write takes away and brings, as far as was and is say that
// the old and the new record are to be indexed. Most writes change one device or none: what is the same at
// the beginning of both records is passed over, and hashing and sorting are left for the rest.
func (s *Store) changedKeys(old *rawRecord, payload []byte, version byte, slot uint32, was, is bool) error {
	s.keys[0], s.keys[1] = s.keys[0][:0], s.keys[1][:0]
	var a, b record.Cursor
	if was {
		a = record.Devices(old.payload, old.head.version)
	}
	if is {
		b = record.Devices(payload, version)
	}
	passed, err := record.PassSame(&a, &b, s.buffers.passed[:0])
	if err != nil {
		return err
	}
	for i, c := range [...]*record.Cursor{&a, &b} {
		for c.Left() > 0 {
			d, err := c.Next()
			if err != nil {
				return err
			}
			s.keys[i] = appendKeys(s.keys[i], d, slot)
			if i == 0 {
				s.keepShared(d.CredentialID(), passed, slot)
			}
		}
	}
	for i := range s.keys {
		if len(s.keys[i]) > 1 {
			s.keys[i] = sortKeys(s.keys[i])
		}
	}
	return nil
}

// keepShared takes from s.keys[0] the entry of a credential id that one of the devices passed over has, too: imported
// devices of an anchor may share an id. Ids are compared, because hashing those of all devices would cost more than
// the rest of a change.
func (s *Store) keepShared(id []byte, passed []record.Stored, slot uint32) {
	if len(id) == 0 {
		return
	}
	for i := range passed {
		if d := &passed[i]; string(d.CredentialID()) == string(id) {
			shared := tree.Entry{Key: credentialKey(id), Order: orderOf(d.Proven(), d.AddedAt(), slot)}
			s.keys[0] = slices.DeleteFunc(s.keys[0], func(e tree.Entry) bool { return e == shared })
		}
	}
}

// reindex turns the entries of an anchor before a write into those after it; both are sorted. A damaged index is not a
// reason to refuse a person's call: it is put aside, look-ups say so, and fsck rebuilds it.
func (s *Store) reindex(before, after []tree.Entry) error {
	err := s.tree.Change(before, after)
	if err == nil || !stable.IsCorrupted(err) {
		return err
	}
	return s.setAside()
}

// A look-up answers in pages. It begins at a place in the order of the entries, 0 for the first, and returns the
// place where the next page begins, 0 if there is none. A page may be short, or empty, and not the last:
// entries of another key with the same hash count, too. Entries that come or go meanwhile move no others.

// LookupCaller returns the anchors that have a device with this principal, the ones where it is proven
// first, then by age: the page of at most limit that begins at the place from. Duplicates do not count. The error
// is a [CorruptedError] if the index is.
func (s *Store) LookupCaller(p principal.Principal, from uint64, limit int) (found []uint64, next uint64, err error) {
	var buf [principal.MaxLen]byte
	next, err = s.lookup(callerKey(p.AppendTo(buf[:0])), from, limit, func(a *identity.Anchor, at shown) bool {
		for i := range a.Devices {
			if d := &a.Devices[i]; d.Principal == p && at.has(d.Proven, d.AddedAt) {
				found = append(found, a.Number)
				return true
			}
		}
		return false
	})
	return found, next, err
}

// Match is an answer of LookupCredential.
type Match struct {
	Anchor    uint64
	PublicKey []byte
	Proven    bool
}

// LookupCredential returns the devices with this credential id, proven ones first, then longest on their
// anchor: the page of about limit that begins at the place from. The error is a [CorruptedError] if the index
// is. A page from 0 belongs to the store: nothing of it may be kept beyond the next of those, or the next Borrow.
func (s *Store) LookupCredential(id []byte, from uint64, limit int) (found []Match, next uint64, err error) {
	if len(id) == 0 {
		return nil, 0, nil
	}
	if from == 0 {
		found = s.buffers.matches[:0]
	}
	next, err = s.lookup(credentialKey(id), from, limit, func(a *identity.Anchor, at shown) bool {
		had := len(found)
		for i := range a.Devices {
			if d := &a.Devices[i]; string(d.CredentialID) == string(id) && at.has(d.Proven, d.AddedAt) {
				found = append(found, Match{a.Number, d.PublicKey, d.Proven})
			}
		}
		for i := range a.Copies {
			if d := &a.Copies[i]; string(d.CredentialID) == string(id) && at.has(false, 0) {
				found = append(found, Match{a.Number, d.PublicKey, false})
			}
		}
		return len(found) > had
	})
	return found, next, err
}

// shown is an anchor as a look-up shows it: at one of its entries.
type shown struct {
	order uint64 // of the entry
	slot  uint32
	whole bool // each of its devices is shown
}

// has tells whether a device is shown: the one whose entry it is.
func (s shown) has(proven bool, since uint64) bool {
	return s.whole || orderOf(proven, since, s.slot) == s.order
}

// lookup shows the anchors of a key to match, from a place on, until limit of them did, and returns the next
// place. An anchor is shown at each of its entries. One that is damaged, or out of date in a damaged index, is passed over. During a trial
// the anchor may be newer than its entries; it is then shown whole, at the first of the page.
func (s *Store) lookup(key, from uint64, limit int, match func(*identity.Anchor, shown) bool) (next uint64, err error) {
	if s.sb.index != indexWhole {
		return 0, stable.Corrupted("index", "it was put aside and is not rebuilt yet: run fsck with rebuild")
	}
	hits := s.buffers.hits[:0]
	err = s.tree.Scan(tree.Entry{Key: key, Order: from}, func(e tree.Entry) bool {
		if e.Key != key {
			return false
		}
		hits = append(hits, e.Order)
		return len(hits) <= scanFactor*limit
	})
	if err != nil {
		return 0, err
	}
	most := scanFactor * limit
	for i, order := range hits {
		if limit == 0 || i == most {
			return order, nil
		}
		slot := slotOfOrder(order)
		at := shown{order: order, slot: slot}
		if s.HasLegacy() {
			if slices.ContainsFunc(hits[:i], func(earlier uint64) bool { return slotOfOrder(earlier) == slot }) {
				continue
			}
			at.whole = true
		}
		if slot >= s.sb.count {
			continue
		}
		s.lending = from == 0 && i == 0 // the first anchor of a first page is read into the store's own room: most keys have one entry
		a, err := s.readSlot(slot)
		if err != nil {
			if stable.IsCorrupted(err) {
				continue
			}
			return 0, err
		}
		if match(a, at) {
			limit--
		}
	}
	return 0, nil
}

// State of the index, byte 5 of the superblock.
const (
	indexWhole    = 0 // every anchor written in version 2 or above is in it
	indexAside    = 1 // damaged: nobody reads or keeps it
	indexBuilding = 2 // slots below the build cursor are in it
)

// indexes tells whether the entries of a slot are to be kept.
func (s *Store) indexes(slot uint32) bool {
	return s.sb.layout >= Layout2 &&
		(s.sb.index == indexWhole || s.sb.index == indexBuilding && slot < s.sb.built)
}

// setAside gives the index up. Its nodes are free again when RebuildIndex starts.
func (s *Store) setAside() error {
	s.sb.index, s.dirty = indexAside, true
	s.tree.DropCache()
	return s.flush()
}

// RebuildIndex builds the index anew from the anchors, slot by slot, while more says that there is budget
// left, and reports whether it is done. Anchors may be read and written between its calls; look-ups answer
// with an error until it is done. Damaged anchors are left out. If what was built is damaged meanwhile, the next
// call begins anew.
func (s *Store) RebuildIndex(more func() bool) (done bool, err error) {
	if s.sb.layout < Layout2 {
		return false, fmt.Errorf("layout %d has no index", s.sb.layout)
	}
	err = s.Batch(func() error { return s.rebuild(more) })
	return s.sb.index == indexWhole, err
}

func (s *Store) rebuild(more func() bool) error {
	if s.sb.index != indexBuilding {
		s.sb.index, s.sb.built = indexBuilding, 0
		s.tree.Clear()
	}
	for s.sb.built < s.sb.count {
		if !more() {
			return s.flush()
		}
		slot := s.sb.built
		s.sb.built++
		s.dirty = true
		raw, err := s.readRaw(slot)
		if stable.IsCorrupted(err) {
			continue
		}
		if err != nil {
			return err
		}
		if raw.head.version < record.Version2 {
			continue
		}
		keys, err := recordKeys(s.keys[1][:0], raw.payload, raw.head.version, slot)
		if err != nil {
			continue
		}
		s.keys[1] = keys
		if err := s.reindex(nil, keys); err != nil || s.sb.index != indexBuilding {
			return err
		}
	}
	s.sb.index, s.sb.built, s.dirty = indexWhole, 0, true
	return s.flush()
}

// Batch runs work, which reads and writes many anchors, one after the other: an anchor that it read is no
// longer valid when it reads the next. Edits of the index wait until the end and are then made in the order of
// the index, which costs a fraction of making them as they come.
func (s *Store) Batch(work func() error) error {
	s.tree.Begin()
	err := work()
	if end := s.tree.End(err != nil); end != nil {
		if !stable.IsCorrupted(end) {
			return end
		}
		err = s.setAside()
	}
	if err != nil {
		return err
	}
	return s.flush()
}
