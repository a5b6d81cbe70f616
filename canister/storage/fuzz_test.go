package storage

import (
	"testing"
)

func FuzzSuperblock(f *testing.F) {
	s := superblock{layout: Layout2, lo: 1, hi: 10}
	var b [superblockSize]byte
	s.encode(&b)
	f.Add(b[:])
	f.Add([]byte("KDG"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b, again [superblockSize]byte
		copy(b[:], raw)
		var sb superblock
		if sb.decode(&b) != nil {
			return
		}
		sb.encode(&again)
		var twice superblock
		if err := twice.decode(&again); err != nil || twice != sb {
			t.Fatalf("a superblock changes when it is read and written: %v", err)
		}
	})
}
