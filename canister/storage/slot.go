package storage

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/storage/record"
	"kedge/canister/storage/ring"
	"kedge/canister/storage/stable"
)

// A slot holds the record of one anchor, or its beginning. Slot i is anchor lo+i. The rest of the slot is
// zero, so what a device had is gone once it is removed.
//
//	off  len
//	  0    8  XXH64 of bytes 8 … up to the end of the record in this slot
//	  8    1  version: 1, 2 or 3; 0 in a slot that was never written
//	  9    3  zero
//	 12    4  length of the record
//	 16    4  first overflow block + 1, 0 for none
//	 20    4  number of this slot
//	          version 1: the record from here
//	 24    4  newest chunk of the routine history + 1, 0 for none
//	 28    4  newest chunk of the security history + 1, 0 for none
//	 32    1  chunks of the routine history
//	 33    1  chunks of the security history
//	 34    2  zero
//	 36    4  number of the next event of this anchor; the first is 0
//	 40    4  routine events that were overwritten
//	 44    4  security events that were overwritten
//	 48       versions 2 and 3: the record from here
//
// An overflow block continues the record; one serves every legal anchor without contacts, two every one with
// them, a giant chains more.
//
//	off  len
//	  0    8  XXH64 of bytes 8 … up to the end of the record in this block
//	  8    4  number of the slot that it continues
//	 12    4  next overflow block + 1, 0 for none
//	 16 4080  record
const (
	// SlotSize is the size of a slot in bytes.
	SlotSize = 1024

	blockSize    = 4096
	blockHead    = 16
	blockPayload = blockSize - blockHead

	slotHead1 = 24
	slotHead2 = 48
)

// slotHead is what a slot says before its record.
type slotHead struct {
	version byte
	history ring.Head
}

// rawRecord is a record as it is stored. payload is never written to once it is read.
type rawRecord struct {
	valid   bool
	slot    uint32
	head    slotHead
	payload []byte
	chain   []uint32 // overflow blocks
}

func headSize(version byte) int {
	if version == record.Version1 {
		return slotHead1
	}
	return slotHead2
}

func (s *Store) anchorName(slot uint32) string { return fmt.Sprintf("anchor %d", s.sb.lo+uint64(slot)) }

// readRaw reads the record of a slot and leaves it in s.last. A slot that was never written reads as a
// record of version 0 without payload.
func (s *Store) readRaw(slot uint32) (*rawRecord, error) { return s.readRawInto(nil, slot) }

// readRawInto is readRaw into the given room, nil or of a slot's size at least. A record that fits there is read in its
// place, and copied nowhere.
func (s *Store) readRawInto(room []byte, slot uint32) (*rawRecord, error) {
	s.last.valid = false
	raw := &s.last
	at, err := s.alloc.Address(slots, slot)
	if err != nil {
		return nil, err
	}
	b := s.unit[:SlotSize]
	if room != nil {
		b = room[:SlotSize]
	}
	if err := s.alloc.Memory.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("read slot %d: %w", slot, err)
	}
	*raw = rawRecord{slot: slot, chain: raw.chain[:0]}
	length, first := int(le.Uint32(b[12:])), le.Uint32(b[16:])
	raw.head.version = b[8]
	switch b[8] {
	case record.Version1, record.Version2, record.Version3:
	case 0:
		if *(*[SlotSize]byte)(b) != ([SlotSize]byte{}) {
			return nil, stable.Corrupted(s.anchorName(slot), "its slot has version 0 but is not empty")
		}
		raw.valid = true
		return raw, nil
	default:
		// Both a newer build's record and damage look like this; the checksum tells them apart only when
		// the length is where we think it is.
		return nil, stable.Corrupted(s.anchorName(slot), "its slot has version %d", b[8])
	}
	size := headSize(b[8])
	if length > record.Max {
		return nil, stable.Corrupted(s.anchorName(slot), "its record would have %d bytes", length)
	}
	here := min(length, SlotSize-size)
	if want, got := le.Uint64(b), xxhash.Sum64(b[8:size+here]); want != got {
		return nil, stable.Corrupted(s.anchorName(slot), "checksum %016x, computed %016x", want, got)
	}
	if own := le.Uint32(b[20:]); own != slot {
		return nil, stable.Corrupted(s.anchorName(slot), "it is the slot of anchor %d", s.sb.lo+uint64(own))
	}
	if b[8] >= record.Version2 {
		raw.head.history = ring.Head{
			Newest: [2]uint32{le.Uint32(b[24:]), le.Uint32(b[28:])}, Chunks: [2]uint8{b[32], b[33]},
			Next: le.Uint32(b[36:]), Lost: [2]uint32{le.Uint32(b[40:]), le.Uint32(b[44:])},
		}
	}
	if len(room) >= size+length {
		raw.payload = room[size : size+here : size+length]
	} else {
		raw.payload = append(make([]byte, 0, length), b[size:size+here]...)
	}
	if len(raw.payload) < length {
		if err := s.readChain(first, length); err != nil {
			return nil, err
		}
	}
	raw.valid = true
	return raw, nil
}

// readChain appends to the beginning of a record, in s.last, what is in overflow blocks, up to its length. next is the
// first block + 1.
func (s *Store) readChain(next uint32, length int) error {
	for had := len(s.last.payload); had < length; had = len(s.last.payload) {
		block := next - 1
		if block >= s.alloc.Regions[overflow].Units { // none has the number that 0 makes
			return s.errNoBlock(next, length)
		}
		s.last.chain = append(s.last.chain, block)
		at, err := s.alloc.Address(overflow, block)
		if err != nil {
			return err
		}
		// The part is read behind what there is already, its head over the last bytes of that.
		end := had + min(length-had, blockPayload)
		b := s.last.payload[had-blockHead : end]
		head := (*[blockHead]byte)(b) // whose parts are taken without further checks of bounds
		kept0, kept1 := le.Uint64(head[0:8]), le.Uint64(head[8:16])
		if err := s.alloc.Memory.ReadAt(b, at); err != nil {
			return fmt.Errorf("read overflow block %d: %w", block, err)
		}
		if le.Uint64(head[0:8]) != xxhash.Sum64(b[8:]) || le.Uint32(head[8:12]) != s.last.slot {
			return s.errBlock(s.last.slot, block, b)
		}
		next = le.Uint32(head[12:16])
		le.PutUint64(head[0:8], kept0)
		le.PutUint64(head[8:16], kept1)
		s.last.payload = s.last.payload[:end]
	}
	return nil
}

// errNoBlock says that no block goes on with the record in s.last.
func (s *Store) errNoBlock(next uint32, length int) error {
	if next == 0 {
		return stable.Corrupted(s.anchorName(s.last.slot), "its record ends after %d of %d bytes", len(s.last.payload), length)
	}
	return stable.Corrupted(s.anchorName(s.last.slot), "it continues in overflow block %d of %d", next-1, s.alloc.Regions[overflow].Units)
}

// errBlock says what is wrong with an overflow block.
func (s *Store) errBlock(slot, block uint32, b []byte) error {
	if want, got := le.Uint64(b), xxhash.Sum64(b[8:]); want != got {
		return stable.Corrupted(s.anchorName(slot), "overflow block %d has checksum %016x, computed %016x", block, want, got)
	}
	return stable.Corrupted(s.anchorName(slot), "overflow block %d belongs to anchor %d", block, s.sb.lo+uint64(le.Uint32(b[8:])))
}

// writeRaw writes a record over what the slot had before. image is room for the slot's head and the record; what
// is behind it, as far as its capacity reaches, is overwritten.
func (s *Store) writeRaw(old *rawRecord, head *slotHead, image []byte) error {
	size := headSize(head.version)
	length := len(image) - size
	rest := max(0, len(image)-SlotSize)
	need := (rest + blockPayload - 1) / blockPayload
	chain := old.chain
	for len(chain) < need {
		block, err := s.alloc.Take(overflow)
		if err != nil {
			return err
		}
		chain = append(chain, block)
	}
	for _, block := range chain[need:] {
		if err := s.wipe(block); err != nil {
			return err
		}
	}
	chain = chain[:need]
	before := len(old.payload) - (SlotSize - headSize(old.head.version)) // what the old record had beyond its slot
	for i, block := range chain {
		next := uint32(0)
		if i+1 < need {
			next = chain[i+1] + 1
		}
		part := min(rest, blockPayload)
		whole := blockSize // all of a new block, whatever was in it
		if i < len(old.chain) {
			whole = blockHead + min(max(before, part), blockPayload)
		}
		if err := s.writeBlock(old.slot, block, next, image[:len(image)-rest+part], part, whole); err != nil {
			return err
		}
		rest -= part
		before -= blockPayload
	}
	at, err := s.alloc.Address(slots, old.slot)
	if err != nil {
		return err
	}
	used := min(len(image), SlotSize)
	b := image[:SlotSize]
	clear(b[used:])
	clear(b[:size])
	b[8] = head.version
	le.PutUint32(b[12:], uint32(length))
	if need > 0 {
		le.PutUint32(b[16:], chain[0]+1)
	}
	le.PutUint32(b[20:], old.slot)
	if head.version >= record.Version2 {
		h := &head.history
		le.PutUint32(b[24:], h.Newest[0])
		le.PutUint32(b[28:], h.Newest[1])
		b[32], b[33] = h.Chunks[0], h.Chunks[1]
		le.PutUint32(b[36:], h.Next)
		le.PutUint32(b[40:], h.Lost[0])
		le.PutUint32(b[44:], h.Lost[1])
	}
	le.PutUint64(b, xxhash.Sum64(b[8:used]))
	s.last.valid = false
	if err := s.alloc.Memory.WriteAt(b, at); err != nil {
		return fmt.Errorf("write slot %d: %w", old.slot, err)
	}
	return nil
}

// writeBlock writes the part of a record that is in one overflow block, the last bytes of image, and zeros so that
// whole bytes are written. The head of the block is put over what is before the part, for the time being.
func (s *Store) writeBlock(slot, block, next uint32, image []byte, part, whole int) error {
	at, err := s.alloc.Address(overflow, block)
	if err != nil {
		return err
	}
	b := image[len(image)-part-blockHead:]
	kept0, kept1 := le.Uint64(b), le.Uint64(b[8:])
	used := blockHead + part
	switch {
	case whole == used:
	case whole <= cap(b): // there is nothing behind the last part
		b = b[:whole]
		clear(b[used:])
	default:
		b = append(s.unit[:0], b...)[:whole]
		clear(b[used:])
	}
	le.PutUint32(b[8:], slot)
	le.PutUint32(b[12:], next)
	le.PutUint64(b, xxhash.Sum64(b[8:used]))
	if err := s.alloc.Memory.WriteAt(b, at); err != nil {
		return fmt.Errorf("write overflow block %d: %w", block, err)
	}
	le.PutUint64(b, kept0)
	le.PutUint64(b[8:], kept1)
	return nil
}

// wipe frees an overflow block and erases what it held.
func (s *Store) wipe(block uint32) error {
	at, err := s.alloc.Address(overflow, block)
	if err != nil {
		return err
	}
	clear(s.unit[:])
	if err := s.alloc.Memory.WriteAt(s.unit[:], at); err != nil {
		return fmt.Errorf("erase overflow block %d: %w", block, err)
	}
	return s.alloc.Release(overflow, block)
}
