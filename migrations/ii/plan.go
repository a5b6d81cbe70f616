package ii

import (
	"fmt"
	"slices"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/canister/storage/alloc"
)

// Report says what an import would do with an image. Making it changes nothing.
type Report struct {
	Layout     uint8
	Form       string // how anchors are stored, in words
	Anchors    uint64
	Lo, Hi     uint64
	SaltSet    bool
	StateBytes int // of what the old module keeps over an upgrade, 0 for layout 9, which keeps it elsewhere

	Mapped            uint64   // anchors that are in virtual memory 16 as well
	NamedAlone        uint64   // anchors that have a name or OpenID credentials there and no device
	FirstNamedAlone   []uint64 // the first of them
	Devices           uint64
	Phrases           uint64
	Protected         uint64 // devices
	Proven            uint64 // devices
	KnowsProtection   bool   // the old module does
	WithoutDevices    uint64 // anchors
	BytesLargest      int    // of the largest record
	Oddities          []Count
	Unreadable        []Unreadable // the first ones
	UnreadableAnchors uint64
	Action            string // what an import would do, in words
}

// Count is how many anchors have an oddity, and which were the first of them.
type Count struct {
	Oddity  Oddity
	Anchors uint64
	First   []uint64
}

// Unreadable is an anchor whose record could not be read.
type Unreadable struct {
	Anchor uint64
	Error  string
}

// listed is how many anchors a report names of each kind.
const listed = 20

// Plan reads a whole image and says what an import would do. The errors are those of Open; a record that
// cannot be read is part of the report.
func Plan(mem storage.Memory) (*Report, error) {
	m, err := Open(mem)
	if err != nil {
		return nil, err
	}
	state, err := m.State()
	if err != nil {
		return nil, err
	}
	r := &Report{
		Layout: m.Layout, Form: m.form(), Anchors: uint64(m.Anchors), Lo: m.Lo, Hi: m.Hi,
		SaltSet: m.Salt != [32]byte{}, StateBytes: len(state), KnowsProtection: m.Layout >= 3,
	}
	if m.mapped != nil {
		if err := m.checkMapped(int(m.mapped.Len)+1, nil); err != nil {
			return nil, err
		}
		r.Mapped = m.mapped.Len
	}
	for i := range m.Anchors {
		old, raw, err := m.Decode(i)
		if err != nil {
			r.UnreadableAnchors++
			if len(r.Unreadable) < listed {
				r.Unreadable = append(r.Unreadable, Unreadable{m.Lo + uint64(i), err.Error()})
			}
			continue
		}
		alone, err := m.namedAlone(old)
		if err != nil {
			return nil, err
		}
		if alone {
			r.NamedAlone++
			if len(r.FirstNamedAlone) < listed {
				r.FirstNamedAlone = append(r.FirstNamedAlone, old.Number)
			}
		}
		r.add(old, raw)
	}
	r.Action = r.action(m)
	return r, nil
}

func (r *Report) add(old *Record, raw []byte) {
	r.BytesLargest = max(r.BytesLargest, len(raw))
	r.KnowsProtection = r.KnowsProtection || old.Protection()
	a, odd := old.Import()
	r.Devices += uint64(len(a.Devices))
	if len(a.Devices) == 0 || !slices.ContainsFunc(a.Devices, func(d identity.Device) bool { return len(d.PublicKey) > 0 }) {
		r.WithoutDevices++
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		r.Phrases += one(d.KeyType == identity.SeedPhrase)
		r.Protected += one(d.Protected)
		r.Proven += one(d.Proven)
	}
	for _, o := range odd {
		at := slices.IndexFunc(r.Oddities, func(c Count) bool { return c.Oddity == o })
		if at < 0 {
			at = len(r.Oddities)
			r.Oddities = append(r.Oddities, Count{Oddity: o})
		}
		c := &r.Oddities[at]
		c.Anchors++
		if len(c.First) < listed {
			c.First = append(c.First, old.Number)
		}
	}
}

func one(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (m *Image) form() string {
	switch {
	case m.Layout == 1:
		return "Candid vectors of devices in entries of 2 KiB"
	case m.Layout <= 3:
		return "Candid vectors of devices in entries of 4 KiB"
	case m.Layout <= 6:
		return "Candid anchors in entries of 4 KiB"
	}
	if m.mapped != nil {
		return "Candid anchors in entries of 4 KiB in virtual memory 0, and again in a map in virtual memory 16"
	}
	return "Candid anchors in entries of 4 KiB in virtual memory 0"
}

func (r *Report) action(m *Image) string {
	where := "in new buckets of the memory manager, as its memory 100"
	if e, ok := raisedHome(m.Layout); ok {
		where = fmt.Sprintf("above %d GiB, which this layout cannot reach", uint64(e)*alloc.ExtentSize>>30)
	}
	return fmt.Sprintf("import %d anchors on trial: their new records go %s; the old ones stay valid and are kept up to date until the migration is finalised", r.Anchors-r.UnreadableAnchors, where)
}
