package storage

import (
	"errors"
	"slices"

	"kedge/canister/identity"
	"kedge/canister/storage/record"
	"kedge/canister/storage/stable"
)

// The history of an anchor is two rings (package ring): one of routine events, and one of those that concern
// protection, removal and release, so that routine calls cannot push the others out.
const (
	routine  = 0
	security = 1
)

func ringOf(e *identity.Event) int {
	if e.Kind.Security() && !e.Routine {
		return security
	}
	return routine
}

// addEvents appends events to the rings of a slot and updates its head, which the caller writes.
// When there is no memory left for a chunk the event is counted as lost: history never fails a call.
func (s *Store) addEvents(slot uint32, head *slotHead, events []identity.Event) error {
	s.rings.Release()
	for i := range events {
		ring := ringOf(&events[i])
		var buf [record.MaxEvent]byte
		text := record.AppendEvent(buf[:0], head.history.Next, &events[i])
		head.history.Next++
		if err := s.rings.Add(slot, &head.history, ring, text); err != nil {
			damaged := stable.IsCorrupted(err)
			if !damaged && !errors.Is(err, ErrFull) {
				return err
			}
			head.history.Lost[ring]++
			if damaged { // begin a new ring, fsck names what is left behind
				head.history.Forget(ring)
			}
		}
	}
	return nil
}

// NumberedEvent is an event with its number within the anchor, from 0.
type NumberedEvent = record.NumberedEvent

// History is what is kept of an anchor's history.
type History struct {
	Events       []NumberedEvent // by number
	Next         uint64          // number that the next event will have
	LostRoutine  uint64          // events that were overwritten
	LostSecurity uint64
}

// History returns the events of an anchor numbered from and above, the first limit of them. Errors: [NotFoundError],
// [OutOfRangeError], [CorruptedError].
func (s *Store) History(number, from uint64, limit int) (*History, error) {
	slot, err := s.slotOf(number)
	if err != nil {
		return nil, err
	}
	raw, err := s.readRaw(slot)
	if err != nil {
		return nil, err
	}
	head := raw.head.history
	h := &History{Next: uint64(head.Next), LostRoutine: uint64(head.Lost[routine]), LostSecurity: uint64(head.Lost[security])}
	for _, ring := range [...]int{routine, security} {
		err := s.rings.Each(slot, &head, ring, func(events int, b []byte) (ok bool) {
			h.Events, ok = record.Events(h.Events, b, events, from)
			return ok
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(h.Events, func(a, b NumberedEvent) int { return int(int64(a.Number) - int64(b.Number)) })
	if len(h.Events) > limit {
		h.Events = h.Events[:max(limit, 0)]
	}
	return h, nil
}
