// Package ring keeps bounded histories: for each owner two rings of chunks, so that what is put into one cannot
// push out what is in the other. It knows nothing of what an event is.
//
// A ring grows chunk by chunk to eight (4 KiB); then the oldest chunk is overwritten, its events counted as
// lost. The owner's head names the newest chunk of each ring; each chunk names the next newer one, and the
// newest the oldest.
//
//	off  len
//	  0    8  XXH64 of bytes 8 … up to the end of what is used
//	  8    4  owner
//	 12    4  next chunk of the ring
//	 16    1  version, 1
//	 17    1  ring, 0 or 1
//	 18    2  bytes used, these 24 included
//	 20    2  number of events
//	 22    2  zero
//	 24  ≤488 events
package ring

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/storage/alloc"
	"kedge/canister/storage/stable"
)

const (
	// ChunkSize is the size of a unit of the rings' region in bytes.
	ChunkSize = 512
	// Chunks is how many chunks a ring has at most.
	Chunks = 8
	// Count is how many rings an owner has.
	Count = 2

	chunkHead    = 24
	chunkVersion = 1
)

var le = binary.LittleEndian

// Head is what the owner keeps of its rings.
type Head struct {
	Newest [Count]uint32 // newest chunk + 1 of each ring, 0 for none
	Chunks [Count]uint8
	Next   uint32 // number of the next event
	Lost   [Count]uint32
}

// Rings are the rings of all owners.
type Rings struct {
	alloc  *alloc.Allocator
	region alloc.Region
	name   func(owner uint32) string
	chunk  [ChunkSize]byte
	held   uint32 // chunk + 1 that chunk is, as it is in memory, for the next event of the same call; 0 for none
}

// Init makes rings ready, with the region of their chunks; name names an owner in errors.
func (r *Rings) Init(a *alloc.Allocator, region alloc.Region, name func(owner uint32) string) {
	r.alloc, r.region, r.name = a, region, name
}

// Release has the next Add read memory anew. Until then events that come one after the other read a chunk once.
func (r *Rings) Release() { r.held = 0 }

// Add appends an event of at most 488 bytes to a ring and updates the head, which the caller writes. After a
// [stable.CorruptedError] the ring cannot be walked; the caller may begin a new one with Forget.
func (r *Rings) Add(owner uint32, head *Head, ring int, event []byte) error {
	c := r.chunk[:]
	if head.Newest[ring] == 0 {
		number, err := r.alloc.Take(r.region)
		if err != nil {
			return err
		}
		r.begin(owner, ring, number)
		head.Newest[ring], head.Chunks[ring] = number+1, 1
		return r.append(number, event)
	}
	newest := head.Newest[ring] - 1
	if !r.holds(newest, owner, ring) {
		if err := r.read(newest, owner, ring); err != nil {
			return err
		}
	}
	if int(le.Uint16(c[18:]))+len(event) <= ChunkSize {
		return r.append(newest, event)
	}
	oldest := le.Uint32(c[12:])
	if head.Chunks[ring] < Chunks {
		number, err := r.alloc.Take(r.region)
		if err != nil {
			return err
		}
		le.PutUint32(c[12:], number)
		if err := r.write(newest); err != nil {
			return err
		}
		r.begin(owner, ring, oldest)
		head.Newest[ring] = number + 1
		head.Chunks[ring]++
		return r.append(number, event)
	}
	if err := r.read(oldest, owner, ring); err != nil {
		return err
	}
	head.Lost[ring] += uint32(le.Uint16(c[20:]))
	r.begin(owner, ring, le.Uint32(c[12:]))
	head.Newest[ring] = oldest + 1
	return r.append(oldest, event)
}

// Forget gives a ring up. What it had is left where it is.
func (h *Head) Forget(ring int) { h.Newest[ring], h.Chunks[ring] = 0, 0 }

// Each shows the chunks of a ring, newest first: how many events each has, and their bytes, which are valid
// until it returns. It ends when show returns false: the events do not fill the bytes.
func (r *Rings) Each(owner uint32, head *Head, ring int, show func(events int, b []byte) bool) error {
	if head.Newest[ring] == 0 {
		return nil
	}
	newest := head.Newest[ring] - 1
	chunk := newest
	for range Chunks {
		if err := r.read(chunk, owner, ring); err != nil {
			return err
		}
		if !show(int(le.Uint16(r.chunk[20:])), r.chunk[chunkHead:le.Uint16(r.chunk[18:])]) {
			return r.corrupted(owner, "the events of chunk %d do not fill it", chunk)
		}
		if chunk = le.Uint32(r.chunk[12:]); chunk == newest {
			break
		}
	}
	return nil
}

func (r *Rings) corrupted(owner uint32, format string, args ...any) error {
	return stable.Corrupted("history of "+r.name(owner), format, args...)
}

// holds reports whether r.chunk is a chunk of a ring.
func (r *Rings) holds(number, owner uint32, ring int) bool {
	return r.held == number+1 && le.Uint32(r.chunk[8:]) == owner && int(r.chunk[17]) == ring
}

// begin makes r.chunk an empty chunk.
func (r *Rings) begin(owner uint32, ring int, next uint32) {
	r.held = 0
	c := r.chunk[:]
	clear(c)
	le.PutUint32(c[8:], owner)
	le.PutUint32(c[12:], next)
	c[16], c[17] = chunkVersion, byte(ring)
	le.PutUint16(c[18:], chunkHead)
}

func (r *Rings) append(number uint32, event []byte) error {
	c := r.chunk[:]
	used := int(le.Uint16(c[18:]))
	copy(c[used:], event)
	le.PutUint16(c[18:], uint16(used+len(event)))
	le.PutUint16(c[20:], le.Uint16(c[20:])+1)
	if err := r.write(number); err != nil {
		return err
	}
	r.held = number + 1
	return nil
}

func (r *Rings) write(number uint32) error {
	c := r.chunk[:]
	at, err := r.alloc.Address(r.region, number)
	if err != nil {
		return err
	}
	le.PutUint64(c, xxhash.Sum64(c[8:le.Uint16(c[18:])]))
	if err := r.alloc.Memory.WriteAt(c, at); err != nil {
		return fmt.Errorf("write history chunk %d: %w", number, err)
	}
	return nil
}

func (r *Rings) read(number, owner uint32, ring int) error {
	if have := r.alloc.Regions[r.region].Units; number >= have {
		return r.corrupted(owner, "it names chunk %d of %d", number, have)
	}
	at, err := r.alloc.Address(r.region, number)
	if err != nil {
		return err
	}
	c := r.chunk[:]
	r.held = 0
	if err := r.alloc.Memory.ReadAt(c, at); err != nil {
		return fmt.Errorf("read history chunk %d: %w", number, err)
	}
	used := int(le.Uint16(c[18:]))
	if used < chunkHead || used > ChunkSize {
		return r.corrupted(owner, "chunk %d would have %d bytes", number, used)
	}
	if want, got := le.Uint64(c), xxhash.Sum64(c[8:used]); want != got {
		return r.corrupted(owner, "chunk %d has checksum %016x, computed %016x", number, want, got)
	}
	if le.Uint32(c[8:]) != owner || int(c[17]) != ring || c[16] != chunkVersion {
		return r.corrupted(owner, "chunk %d is of version %d, ring %d of %s", number, c[16], c[17], r.name(le.Uint32(c[8:])))
	}
	return nil
}
