package record

import (
	"bytes"
	"testing"

	"kedge/canister/identity"
	"kedge/canister/storage/anchortest"
)

// A record decoder never panics, never reads a record that it would not write back byte for byte from a
// newly written anchor, and never allocates more than the record can hold.
func FuzzRecord(f *testing.F) {
	for _, a := range anchortest.Golden() {
		for version := byte(Version1); version <= Newest; version++ {
			b, err := Append(nil, a, version, nil)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(version, b)
			f.Add(version, b[:len(b)-1])
		}
	}
	f.Fuzz(func(t *testing.T, version byte, b []byte) {
		var a identity.Anchor
		if _, err := Decode(b, version, &a); err != nil {
			return
		}
		again, err := Append(nil, &a, Newest, nil)
		if err != nil {
			return // a record of more than Max, or a stored principal of another length
		}
		var c identity.Anchor
		if _, err := Decode(again, Newest, &c); err != nil {
			t.Fatalf("a record that was just written does not decode: %v", err)
		}
		twice, err := Append(nil, &c, Newest, nil)
		if err != nil || !bytes.Equal(again, twice) {
			t.Fatalf("a record changes when it is read and written: %v", err)
		}
		for c := Devices(again, Newest); c.Left() > 0; {
			if _, err := c.Next(); err != nil {
				t.Fatalf("the index cannot read a record that decodes: %v", err)
			}
		}
	})
}
