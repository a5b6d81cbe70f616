package storage

import (
	"bytes"
	"testing"

	"kedge/canister/identity"
)

// A record decoder never panics, never reads a record that it would not write back byte for byte from a
// newly written anchor, and never allocates more than the record can hold.
func FuzzRecord(f *testing.F) {
	for _, a := range goldenAnchors() {
		for version := byte(record1); version <= record2; version++ {
			b, err := appendRecord(nil, a, version, nil)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(version, b)
			f.Add(version, b[:len(b)-1])
		}
	}
	f.Fuzz(func(t *testing.T, version byte, b []byte) {
		var a identity.Anchor
		if _, err := decodeRecord(b, version, &a); err != nil {
			return
		}
		again, err := appendRecord(nil, &a, record2, nil)
		if err != nil {
			return // a record of more than MaxRecord, or a stored principal of another length
		}
		var c identity.Anchor
		if _, err := decodeRecord(again, record2, &c); err != nil {
			t.Fatalf("a record that was just written does not decode: %v", err)
		}
		twice, err := appendRecord(nil, &c, record2, nil)
		if err != nil || !bytes.Equal(again, twice) {
			t.Fatalf("a record changes when it is read and written: %v", err)
		}
		if _, err := recordKeys(nil, again, 0); err != nil {
			t.Fatalf("the index cannot read a record that decodes: %v", err)
		}
	})
}

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
