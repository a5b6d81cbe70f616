package storage

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/storage/stable"
)

// Two blobs share page 0 of home with the superblock: the configuration, which changes with upgrades, and
// the state, which changes with calls (rate limits, counters).
//
//	off          len
//	 8192          4  length of the configuration
//	 8196          4  zero
//	 8200          8  XXH64 of the configuration
//	 8208      16384  configuration
//	28672          4  length of the state
//	28676          4  zero
//	28680          8  XXH64 of the state
//	28688       8192  state
type blob struct {
	name  string
	at    uint64
	limit int
}

var (
	configBlob = blob{"configuration", 8192, MaxConfig}
	stateBlob  = blob{"state", 28672, MaxState}
)

const (
	// MaxConfig is the greatest length of the configuration in bytes.
	MaxConfig = 16 << 10
	// MaxState is the greatest length of the state in bytes.
	MaxState = 8 << 10

	blobHead = 16
)

// Config returns the configuration, empty when none was set; the error is a [CorruptedError] if it is damaged.
func (s *Store) Config() ([]byte, error) { return s.readBlob(configBlob) }

// SetConfig stores the configuration. It fails for more than MaxConfig bytes.
func (s *Store) SetConfig(b []byte) error { return s.writeBlob(configBlob, b) }

// State returns the state, empty when none was set; the error is a [CorruptedError] if it is damaged.
func (s *Store) State() ([]byte, error) { return s.readBlob(stateBlob) }

// SetState stores the state. It fails for more than MaxState bytes.
func (s *Store) SetState(b []byte) error { return s.writeBlob(stateBlob, b) }

func (s *Store) readBlob(k blob) ([]byte, error) {
	var head [blobHead]byte
	if err := s.alloc.Memory.ReadAt(head[:], s.alloc.Home+k.at); err != nil {
		return nil, fmt.Errorf("read %s: %w", k.name, err)
	}
	n := int(le.Uint32(head[:]))
	if n > k.limit {
		return nil, stable.Corrupted(k.name, "it would have %d bytes, at most %d", n, k.limit)
	}
	if n == 0 {
		return nil, nil
	}
	b := make([]byte, n)
	if err := s.alloc.Memory.ReadAt(b, s.alloc.Home+k.at+blobHead); err != nil {
		return nil, fmt.Errorf("read %s: %w", k.name, err)
	}
	if want, got := le.Uint64(head[8:]), xxhash.Sum64(b); want != got {
		return nil, stable.Corrupted(k.name, "checksum %016x, computed %016x", want, got)
	}
	return b, nil
}

func (s *Store) writeBlob(k blob, b []byte) error {
	if len(b) > k.limit {
		return fmt.Errorf("the %s has %d bytes, at most %d can be stored", k.name, len(b), k.limit)
	}
	all := make([]byte, blobHead, blobHead+len(b))
	le.PutUint32(all, uint32(len(b)))
	le.PutUint64(all[8:], xxhash.Sum64(b))
	if err := s.alloc.Memory.WriteAt(append(all, b...), s.alloc.Home+k.at); err != nil {
		return fmt.Errorf("write %s: %w", k.name, err)
	}
	return nil
}
