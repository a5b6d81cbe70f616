package storage

import (
	"fmt"
	"slices"

	"kedge/canister/identity"
	"kedge/ic/principal"

	"github.com/cespare/xxhash/v2"
)

// The history of an anchor is two rings of chunks, one of routine events and one of weighty ones (those
// that concern protection, removal and release), so that routine calls cannot push the others out. A ring
// grows chunk by chunk to eight (4 KiB); then the oldest chunk is overwritten, its events counted as lost.
// The slot names the newest chunk of each ring; each chunk names the next newer one, and the newest the oldest.
//
//	off  len
//	  0    8  XXH64 of bytes 8 … up to the end of what is used
//	  8    4  slot of the anchor
//	 12    4  next chunk of the ring
//	 16    1  version, 1
//	 17    1  ring: 0 routine, 1 weighty
//	 18    2  bytes used, these 24 included
//	 20    2  number of events
//	 22    2  zero
//	 24  ≤488 events
//
// An event:
//
//	 0    4  its number within the anchor, over both rings
//	 4    8  time, ns since the epoch
//	12    1  kind
//	13    1  bit 0 temporary key, 1 has by, 2 has device, 3 has other, 4 has until
//	14    8  until, if any
//	         by, device, other, each if any: u8 length, principal
const (
	chunkSize    = 512
	chunkHead    = 24
	chunkVersion = 1
	ringChunks   = 8

	routine = 0
	weighty = 1
)

func ringOf(e *identity.Event) int {
	if e.Kind.Weighty() && !e.Routine {
		return weighty
	}
	return routine
}

// addEvents appends events to the rings of a slot and updates its head, which the caller writes.
// When there is no memory left for a chunk the event is counted as lost: history never fails a call.
func (s *Store) addEvents(slot uint32, head *slotHead, events []identity.Event) error {
	for i := range events {
		ring := ringOf(&events[i])
		var buf [160]byte
		text := appendEvent(buf[:0], head.next, &events[i])
		head.next++
		if err := s.addEvent(slot, head, ring, text); err != nil {
			if !isCorrupted(err) && !isFull(err) {
				return err
			}
			head.lost[ring]++
			if isCorrupted(err) { // the ring cannot be walked: begin a new one, fsck names what is left behind
				head.newest[ring], head.chunks[ring] = 0, 0
			}
		}
	}
	return nil
}

func (s *Store) addEvent(slot uint32, head *slotHead, ring int, text []byte) error {
	c := s.chunk[:]
	if head.newest[ring] == 0 {
		number, err := s.take(history)
		if err != nil {
			return err
		}
		s.beginChunk(slot, ring, number)
		head.newest[ring], head.chunks[ring] = number+1, 1
		return s.appendToChunk(number, text)
	}
	newest := head.newest[ring] - 1
	if err := s.readChunk(newest, slot, ring); err != nil {
		return err
	}
	if int(le.Uint16(c[18:]))+len(text) <= chunkSize {
		return s.appendToChunk(newest, text)
	}
	oldest := le.Uint32(c[12:])
	if head.chunks[ring] < ringChunks {
		number, err := s.take(history)
		if err != nil {
			return err
		}
		le.PutUint32(c[12:], number)
		if err := s.writeChunk(newest); err != nil {
			return err
		}
		s.beginChunk(slot, ring, oldest)
		head.newest[ring] = number + 1
		head.chunks[ring]++
		return s.appendToChunk(number, text)
	}
	if err := s.readChunk(oldest, slot, ring); err != nil {
		return err
	}
	head.lost[ring] += uint32(le.Uint16(c[20:]))
	s.beginChunk(slot, ring, le.Uint32(c[12:]))
	head.newest[ring] = oldest + 1
	return s.appendToChunk(oldest, text)
}

// beginChunk makes s.chunk an empty chunk.
func (s *Store) beginChunk(slot uint32, ring int, next uint32) {
	c := s.chunk[:]
	clear(c)
	le.PutUint32(c[8:], slot)
	le.PutUint32(c[12:], next)
	c[16], c[17] = chunkVersion, byte(ring)
	le.PutUint16(c[18:], chunkHead)
}

func (s *Store) appendToChunk(number uint32, text []byte) error {
	c := s.chunk[:]
	used := int(le.Uint16(c[18:]))
	copy(c[used:], text)
	le.PutUint16(c[18:], uint16(used+len(text)))
	le.PutUint16(c[20:], le.Uint16(c[20:])+1)
	return s.writeChunk(number)
}

func (s *Store) writeChunk(number uint32) error {
	c := s.chunk[:]
	at, err := s.address(history, number)
	if err != nil {
		return err
	}
	le.PutUint64(c, xxhash.Sum64(c[8:le.Uint16(c[18:])]))
	if err := s.mem.WriteAt(c, at); err != nil {
		return fmt.Errorf("write history chunk %d: %w", number, err)
	}
	return nil
}

func (s *Store) readChunk(number, slot uint32, ring int) error {
	name := fmt.Sprintf // formatted only when something is wrong
	if number >= s.sb.regions[history].units {
		return corrupted(name("history of %s", s.anchorName(slot)), "it names chunk %d of %d", number, s.sb.regions[history].units)
	}
	at, err := s.address(history, number)
	if err != nil {
		return err
	}
	c := s.chunk[:]
	if err := s.mem.ReadAt(c, at); err != nil {
		return fmt.Errorf("read history chunk %d: %w", number, err)
	}
	used := int(le.Uint16(c[18:]))
	if used < chunkHead || used > chunkSize {
		return corrupted(name("history of %s", s.anchorName(slot)), "chunk %d would have %d bytes", number, used)
	}
	if want, got := le.Uint64(c), xxhash.Sum64(c[8:used]); want != got {
		return corrupted(name("history of %s", s.anchorName(slot)), "chunk %d has checksum %016x, computed %016x", number, want, got)
	}
	if le.Uint32(c[8:]) != slot || int(c[17]) != ring || c[16] != chunkVersion {
		return corrupted(name("history of %s", s.anchorName(slot)), "chunk %d is of version %d, ring %d of anchor %d", number, c[16], c[17], s.sb.lo+uint64(le.Uint32(c[8:])))
	}
	return nil
}

// NumberedEvent is an event with its number within the anchor, from 0.
type NumberedEvent struct {
	Number uint64
	identity.Event
}

// History is what is kept of an anchor's history.
type History struct {
	Events      []NumberedEvent // by number
	Next        uint64          // number that the next event will have
	LostRoutine uint64          // events that were overwritten
	LostWeighty uint64
}

// History returns the events of an anchor numbered from and above, the first limit of them.
func (s *Store) History(number, from uint64, limit int) (*History, error) {
	slot, err := s.slotOf(number)
	if err != nil {
		return nil, err
	}
	raw, err := s.readRaw(slot)
	if err != nil {
		return nil, err
	}
	head := raw.head
	h := &History{Next: uint64(head.next), LostRoutine: uint64(head.lost[routine]), LostWeighty: uint64(head.lost[weighty])}
	for ring, newest := range head.newest {
		if newest == 0 {
			continue
		}
		if h.Events, err = s.readRing(h.Events, newest-1, slot, ring, from); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(h.Events, func(a, b NumberedEvent) int { return int(int64(a.Number) - int64(b.Number)) })
	if len(h.Events) > limit {
		h.Events = h.Events[:max(limit, 0)]
	}
	return h, nil
}

func (s *Store) readRing(events []NumberedEvent, newest, slot uint32, ring int, from uint64) ([]NumberedEvent, error) {
	chunk := newest
	for range ringChunks {
		if err := s.readChunk(chunk, slot, ring); err != nil {
			return nil, err
		}
		r := reader{b: s.chunk[chunkHead:le.Uint16(s.chunk[18:])]}
		for range le.Uint16(s.chunk[20:]) {
			if e := r.event(); e.Number >= from {
				events = append(events, e)
			}
		}
		if r.failed || len(r.b) != 0 {
			return nil, corrupted(fmt.Sprintf("history of %s", s.anchorName(slot)), "the events of chunk %d do not fill it", chunk)
		}
		if chunk = le.Uint32(s.chunk[12:]); chunk == newest {
			break
		}
	}
	return events, nil
}

func appendEvent(b []byte, number uint32, e *identity.Event) []byte {
	b = le.AppendUint32(b, number)
	b = le.AppendUint64(b, e.At)
	none := principal.Principal{}
	b = append(b, byte(e.Kind), bit(e.Temporary, 1)|bit(e.By != none, 2)|bit(e.Device != none, 4)|bit(e.Other != none, 8)|bit(e.Until != 0, 16))
	if e.Until != 0 {
		b = le.AppendUint64(b, e.Until)
	}
	for _, p := range [...]*principal.Principal{&e.By, &e.Device, &e.Other} {
		if *p != none {
			b = append(b, byte(p.Len()))
			b = p.AppendTo(b)
		}
	}
	return b
}

func (r *reader) event() NumberedEvent {
	var e NumberedEvent
	e.Number = uint64(r.u32())
	e.At = r.u64()
	e.Kind = identity.EventKind(r.u8())
	flags := r.u8()
	e.Temporary = flags&1 != 0
	if flags&16 != 0 {
		e.Until = r.u64()
	}
	for i, p := range [...]*principal.Principal{&e.By, &e.Device, &e.Other} {
		if flags&(2<<i) != 0 {
			n := int(r.u8())
			if n > principalSize {
				r.failed = true
				return e
			}
			*p = principalOf(r.take(n), n)
		}
	}
	return e
}
