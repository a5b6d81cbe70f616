package ii

import (
	"fmt"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations"
)

// Builds from July 2025 to January 2026 keep every anchor twice: in memory 0, from which they read devices, and in
// a map in virtual memory 16, which has names and OpenID credentials besides. Later builds read and write the
// map alone. Kedge reads and writes memory 0, so a memory with such a map is imported only where memory 0 has
// every anchor of the map, with the same devices. The map stays as it is, for the way back.
//
// On trial Kedge's own writes make memory 0 differ from the map. The tag of a record says that it is our
// writing, so that this is no contradiction; anything else is one, at every return.

// mostChecked bounds how many anchors are compared before an import begins, and at each return: about a
// tenth of what a message may take. The rest is compared as it is imported.
const mostChecked = 200_000

// openMap opens the map of virtual memory 16, and refuses one that says by itself that memory 0 lacks anchors.
func (m *Image) openMap(manager *manager) error {
	var err error
	if m.mapped, err = openMap(manager, mapMemory); err != nil {
		return &RefusedError{m.Layout, err.Error()}
	}
	if m.mapped != nil && m.mapped.Len > uint64(m.Anchors) {
		return &RefusedError{m.Layout, fmt.Sprintf("its map in virtual memory 16 has %d anchors, and memory 0, from which devices are read, only %d: a build from January 2026 on registered anchors in the map alone", m.mapped.Len, m.Anchors)}
	}
	return nil
}

// checkMapped compares memory 0 with the map, the first most anchors of it. ours tells whether the record of
// an anchor in memory 0 is our own writing; it may be nil.
func (m *Image) checkMapped(most int, ours func(i uint32, raw []byte) (bool, error)) error {
	if m.mapped == nil {
		return nil
	}
	var err, walk error
	seen := 0
	for number, value := range m.mapped.all(&walk) {
		if seen++; uint64(seen) > m.mapped.Len {
			return m.errMapCount("more than that")
		}
		if seen > most {
			return nil
		}
		if number < m.Lo || number-m.Lo >= uint64(m.Anchors) {
			err = &RefusedError{m.Layout, fmt.Sprintf("anchor %d stands in virtual memory 16 alone: memory 0, from which devices are read, has the anchors %d to %d", number, m.Lo, m.Lo+uint64(m.Anchors)-1)}
			break
		}
		if err = m.checkOne(uint32(number-m.Lo), value, ours); err != nil {
			break
		}
	}
	if walk != nil {
		return &RefusedError{m.Layout, walk.Error()}
	}
	if err == nil && uint64(seen) < m.mapped.Len {
		return m.errMapCount(fmt.Sprint(seen))
	}
	return err
}

func (m *Image) errMapCount(have string) error {
	return &RefusedError{m.Layout, fmt.Sprintf("its map in virtual memory 16 counts %d anchors and has %s: it is damaged", m.mapped.Len, have)}
}

// checkOne compares one anchor with its value in the map.
func (m *Image) checkOne(i uint32, value []byte, ours func(i uint32, raw []byte) (bool, error)) error {
	old, raw, err := m.Decode(i)
	if err != nil { // reported as such
		return nil //nolint:nilerr // the report and the import name it
	}
	difference, _, err := differs(old, value)
	if err != nil {
		return &RefusedError{m.Layout, fmt.Sprintf("anchor %d: %v", m.Lo+uint64(i), err)}
	}
	if difference == "" {
		return nil
	}
	if ours != nil {
		if own, err := ours(i, raw); own || err != nil {
			return err
		}
	}
	return &RefusedError{m.Layout, fmt.Sprintf("anchor %d: memory 0 and virtual memory 16 contradict each other: %s; let a build that writes both run until they agree, or report it", m.Lo+uint64(i), difference)}
}

// differs says in which way the devices of a record and of a value of the map differ, "" if they do not, and
// whether the value has a name or OpenID credentials.
func differs(old *Record, value []byte) (difference string, named bool, err error) {
	m, err := decodeMapped(value)
	if err != nil {
		return "", false, err
	}
	in := map[string]bool{}
	for _, key := range m.keys {
		in[string(key)] = true
	}
	for i := range old.Anchor.Devices {
		d := &old.Anchor.Devices[i]
		if !in[string(d.Pubkey)] {
			return fmt.Sprintf("the device with key %s is in memory 0 alone", abbreviated(d.Pubkey)), m.named, nil
		}
		locked, recovery := m.locks[string(d.Pubkey)]
		data, _ := importData(d)
		if recovery && data.KeyType == identity.SeedPhrase && data.Protected != locked {
			return fmt.Sprintf("the recovery phrase with key %s is protected in one of them alone", abbreviated(d.Pubkey)), m.named, nil
		}
	}
	for _, d := range old.Anchor.Devices {
		delete(in, string(d.Pubkey))
	}
	for _, key := range m.keys {
		if in[string(key)] {
			return fmt.Sprintf("the device with key %s is in virtual memory 16 alone", abbreviated(key)), m.named, nil
		}
	}
	return "", m.named, nil
}

// abbreviated is the end of a key, where keys of one kind differ.
func abbreviated(key []byte) string {
	const most = 8
	if len(key) <= most {
		return fmt.Sprintf("%x", key)
	}
	return fmt.Sprintf("…%x", key[len(key)-most:])
}

// namedAlone tells whether an anchor has a name or OpenID credentials in the map, and no device.
func (m *Image) namedAlone(old *Record) (bool, error) {
	if m.mapped == nil || len(old.Anchor.Devices) > 0 {
		return false, nil
	}
	value, err := m.mapped.get(old.Number)
	if err != nil || value == nil {
		return false, err
	}
	v, err := decodeMapped(value)
	return v.named, err
}

// checkReturn compares memory 0 with the map on coming back to a store on trial.
func checkReturn(s *storage.Store, img *Image) error {
	return img.checkMapped(mostChecked, func(i uint32, raw []byte) (bool, error) {
		if int(i) >= s.Count() {
			return false, nil
		}
		own, tag, err := s.ReadOwn(img.Lo + uint64(i))
		if err != nil || own == nil {
			return false, nil //nolint:nilerr // a damaged copy is imported anew
		}
		return sameRecord(raw, tag) && tag&tagOurs != 0, nil
	})
}

// Outdated lists the anchors, from one on, of which the map in virtual memory 16 is out of date: Kedge has
// changed their devices in memory 0 alone. A build that reads the map would bring removed devices back, and
// not know those that were added. It looks at anchors while there is budget and returns the anchor to go on
// from, 0 at the end.
func Outdated(s *storage.Store, from uint64, limit int, budget migrations.Budget) (found []uint64, next uint64, err error) {
	if !s.HasLegacy() {
		return nil, 0, nil
	}
	e, err := attached(s)
	if err != nil || e.img.mapped == nil {
		return nil, 0, err
	}
	lo, _ := s.Range()
	end := lo + uint64(s.Count())
	for number := max(from, lo); number < end; number++ {
		if len(found) == limit || !budget() {
			return found, number, nil
		}
		old, _, err := e.img.Decode(uint32(number - lo))
		if err != nil {
			continue
		}
		value, err := e.img.mapped.get(number)
		if err != nil {
			return nil, 0, err
		}
		difference := "the map has no such anchor"
		if value != nil {
			if difference, _, err = differs(old, value); err != nil {
				return nil, 0, err
			}
		}
		if difference != "" {
			found = append(found, number)
		}
	}
	return found, 0, nil
}
