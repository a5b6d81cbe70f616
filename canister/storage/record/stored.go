package record

import (
	"errors"

	"kedge/canister/identity"
)

// ErrShort says that a device record is cut short.
var ErrShort = errors.New("a device record is cut short")

// Cursor goes over the device records of a record, duplicates last, without decoding them.
type Cursor struct {
	r    reader
	left int
}

// Devices returns a cursor over the devices of a record.
func Devices(payload []byte, version byte) Cursor {
	var a identity.Anchor
	r := reader{b: payload}
	devices, duplicates, _, _ := r.head(version, &a)
	return Cursor{r, devices + duplicates}
}

// Left is how many devices are to come.
func (c *Cursor) Left() int { return c.left }

// Next returns the next device; it fails with [ErrShort].
func (c *Cursor) Next() (Stored, error) {
	rec, fixed := c.r.nextRecord()
	if c.r.failed {
		return Stored{}, ErrShort
	}
	c.left--
	return Stored{rec, fixed}, nil
}

// PassSame takes both cursors over the devices of the beginning that agree in their keys, and appends those of old to
// passed. It fails with [ErrShort].
//
// It is what a write compares all devices with, one by one, so it takes them apart without the detour of Next.
func PassSame(old, new *Cursor, passed []Stored) ([]Stored, error) {
	x, y, n := old.r.b, new.r.b, min(old.left, new.left)
	i := 0
	for ; i < n; i++ {
		a, b := Stored{x, fixedPart(x)}, Stored{y, fixedPart(y)}
		if a.fixed == 0 || b.fixed == 0 {
			return passed, ErrShort
		}
		a.rec, b.rec = x[:le.Uint16(x)], y[:le.Uint16(y)]
		if !a.SameKeys(b) {
			break
		}
		passed = append(passed, a)
		x, y = x[len(a.rec):], y[len(b.rec):]
	}
	old.r.b, old.left = x, old.left-i
	new.r.b, new.left = y, new.left-i
	return passed, nil
}

// Stored is a device as it is stored.
type Stored struct {
	rec   []byte
	fixed int
}

// Proven tells whether the device is proven.
func (d Stored) Proven() bool { return d.rec[3]&flagProven != 0 }

// Principal is the principal of the device's key, nil for a duplicate.
func (d Stored) Principal() []byte {
	p := d.rec[6 : 6+principalSize]
	for _, c := range p {
		if c != 0 {
			return p
		}
	}
	return nil
}

// AddedAt is when the device was added, ns since the epoch; 0 in version 1.
func (d Stored) AddedAt() uint64 {
	if d.fixed == fixed2 {
		return le.Uint64(d.rec[64:])
	}
	return 0
}

// CredentialID is the credential id, as far as the record goes.
func (d Stored) CredentialID() []byte {
	from := min(d.fixed+int(le.Uint16(d.rec[54:])), len(d.rec))
	return d.rec[from:min(from+int(le.Uint16(d.rec[56:])), len(d.rec))]
}

// SameKeys tells whether two devices agree in all of the above.
func (d Stored) SameKeys(o Stored) bool {
	a, b := (*[fixed1]byte)(d.rec), (*[fixed1]byte)(o.rec) // whose parts are taken without further checks of bounds
	const last5 = 1<<40 - 1                                // of the principal: three words and five bytes
	return (a[3]^b[3])&flagProven == 0 &&
		le.Uint64(a[6:14]) == le.Uint64(b[6:14]) && le.Uint64(a[14:22]) == le.Uint64(b[14:22]) && le.Uint64(a[22:30]) == le.Uint64(b[22:30]) &&
		(le.Uint64(a[30:38])^le.Uint64(b[30:38]))&last5 == 0 &&
		d.AddedAt() == o.AddedAt() &&
		string(d.CredentialID()) == string(o.CredentialID())
}
