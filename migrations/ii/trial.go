package ii

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/migrations"
	"kedge/migrations/ii/wire"
)

// The import has two phases. On trial the old bytes stay valid and every write goes to both stores, so
// that upgrading the canister back to the old module works. Finalised, the old bytes are given up.
//
//	Internet Identity ──Begin──▶ trial ──Run … Run──▶ trial, all imported ──Finalize──▶ Kedge
//	        ▲                      │ ▲
//	        └─ upgrade to old ─────┘ └─ Return, on coming back
//
// An anchor is imported once its old record has been compared with our copy of it. Anchors that are not yet
// imported are compared whenever they are read; Run imports them all, a batch at a time.

// legacy is an image as the store on trial sees it. It implements [storage.Legacy].
type legacy struct {
	img   *Image
	store *storage.Store
	knows bool       // a record met since the store was attached says that the old module knows protection
	met   generation // newest generation of such records
}

func (e *legacy) trial() Trial { return TrialOf(e.store) }

func (e *legacy) knowsProtection() bool { return e.knows || e.trial().KnowsProtection }

// newest is the newest generation of the records that the old module wrote.
func (e *legacy) newest() generation {
	if stored := generation(e.trial().Generation); stored.newer(e.met) {
		return stored
	}
	return e.met
}

// The tag of an old record is its XXH64, of which the last byte gives way to what we know of it. Bit 0 says
// whether the protections in it are such that the old module enforces them: we wrote it with the field and
// knew that the old module knows it, or the old module itself wrote it with the field. Bits 1 to 6 are the
// number of returns when our copy was written. Bit 7 says that we wrote it.
const (
	tagEnforced = 1 << 0
	tagReturns  = 0x3f // shifted by 1
	tagOurs     = 1 << 7
)

func tagOf(raw []byte, enforced, ours bool, returns uint8) uint64 {
	tag := xxhash.Sum64(raw)&^0xff | uint64(returns&tagReturns)<<1
	if enforced {
		tag |= tagEnforced
	}
	if ours {
		tag |= tagOurs
	}
	return tag
}

func sameRecord(raw []byte, tag uint64) bool { return xxhash.Sum64(raw)&^0xff == tag&^0xff }

// sinceReturn tells whether our copy of an anchor was written after the last return. What is pending in one
// that was not has been pending while the old module ran.
func (e *legacy) sinceReturn(tag uint64) bool {
	return uint8(tag>>1)&tagReturns == e.trial().Returns&tagReturns
}

func (e *legacy) importedTag(old *Record, raw []byte) uint64 {
	return tagOf(raw, e.img.Layout >= 3 || old.Protection(), false, e.trial().Returns)
}

// Begin puts Kedge's store beside the old one and attaches both. It is a small amount of work, whatever
// the number of anchors; [Run] does the rest. The errors are those of [Open].
func Begin(mem storage.Memory) (*storage.Store, error) {
	img, err := Open(mem)
	if err != nil {
		return nil, err
	}
	if err := img.checkMapped(mostChecked, nil); err != nil {
		return nil, err
	}
	place, err := makePlace(mem, img.Layout)
	if err != nil {
		return nil, fmt.Errorf("import layout %d: %w", img.Layout, err)
	}
	s, err := storage.CreateBeside(mem, place, img.Lo, img.limit())
	if err != nil {
		return nil, fmt.Errorf("import layout %d: %w", img.Layout, err)
	}
	if img.Salt != [32]byte{} {
		if err := s.SetSalt(img.Salt); err != nil {
			return nil, err
		}
	}
	if err := s.SetCount(img.Anchors, img.limit()); err != nil {
		return nil, fmt.Errorf("import layout %d: %w", img.Layout, err)
	}
	if err := setTrial(s, Trial{Layout: img.Layout, KnowsProtection: img.Layout >= 3}); err != nil {
		return nil, err
	}
	attach(s, img)
	return s, nil
}

// attach attaches an image to a store. It looks at the last records, which tell most of the old module, so
// that an anchor registered before the others are imported is written with a table of its time.
func attach(s *storage.Store, img *Image) {
	e := &legacy{img: img, store: s}
	for i := range min(img.Anchors, 4) {
		if _, raw, err := img.Decode(img.Anchors - 1 - i); err == nil {
			e.meet(raw)
		}
	}
	s.SetLegacy(e)
}

// meet learns the generation of a record. One that was never written teaches nothing.
func (e *legacy) meet(raw []byte) {
	if g := generationOf(raw); g.newer(e.met) && g.possible(e.img.Layout) {
		e.met = g
	}
}

// limit is the end of the range as far as the old layout can hold it. Some headers say far more.
func (m *Image) limit() uint64 { return min(m.Hi, m.Lo+min(m.MaxAnchors(), storage.MaxAnchors)) }

// Upgrade opens a memory after an upgrade, whatever module had it before: it begins a trial, goes on with
// one, or begins the migration step that leads to the newest layout. It is a small amount of work; [Run]
// and [migrations.Run] do the rest. When it fails the canister traps, so that the old module stays.
func Upgrade(mem storage.Memory) (*storage.Store, error) {
	s, err := OpenStore(mem)
	if errors.Is(err, storage.ErrNotKedge) {
		return Begin(mem)
	}
	if err != nil {
		return nil, err
	}
	if err := Return(s); err != nil {
		return nil, err
	}
	return s, migrations.Start(s)
}

// Return begins to import every anchor anew. A canister on trial calls it after every upgrade, as the
// module before may have been the old one. It cannot tell, so pending requests for release are cancelled
// after every upgrade on trial, when their anchor is next read or imported. It does nothing to a store that is not on
// trial. The errors are those of [Open], and texts that name what the old module has done that an import cannot follow:
// fewer anchors than before, or another salt.
func Return(s *storage.Store) error {
	if !s.HasLegacy() {
		return nil
	}
	img, err := Open(s.Memory())
	if err != nil {
		return err
	}
	if err := checkReturn(s, img); err != nil {
		return err
	}
	if img.Salt != [32]byte{} {
		if salt, set := s.Salt(); !set {
			err = s.SetSalt(img.Salt)
		} else if salt != img.Salt {
			err = errors.New("the old module has another salt than our copy of it: every user would be another; nothing was changed")
		}
	}
	if err != nil {
		return err
	}
	if err := s.SetCount(img.Anchors, img.limit()); err != nil {
		return err
	}
	t := TrialOf(s)
	t.Layout = img.Layout
	t.Imported, t.WithoutKey, t.Unreadable, t.Named = 0, 0, 0, 0
	t.Returns = (t.Returns + 1) & tagReturns
	if err := setTrial(s, t); err != nil {
		return err
	}
	attach(s, img)
	return nil
}

// SetSalt stores the salt in the store and, on trial, in the old module's header. It fails if the store has one
// already.
func SetSalt(s *storage.Store, salt [32]byte) error {
	if err := s.SetSalt(salt); err != nil {
		return err
	}
	if !s.HasLegacy() {
		return nil
	}
	if err := s.Memory().WriteAt(salt[:], 26); err != nil {
		return fmt.Errorf("write salt for the old module: %w", err)
	}
	return nil
}

// Run imports anchors while there is budget, and reports whether all are; it does nothing to a store that is not on
// trial. Anchors whose old record cannot be read are counted and left. After an error the caller traps.
func Run(s *storage.Store, budget migrations.Budget) (done bool, err error) {
	if !s.HasLegacy() {
		return true, nil
	}
	err = s.Batch(func() error {
		done, err = run(s, budget)
		return err
	})
	return done, err
}

func run(s *storage.Store, budget migrations.Budget) (done bool, err error) {
	t := TrialOf(s)
	lo, _ := s.Range()
	for t.Imported < uint32(s.Count()) {
		if !budget() {
			return false, setTrial(s, t)
		}
		if err := importOne(s, lo+uint64(t.Imported), &t); err != nil {
			return false, fmt.Errorf("import anchor %d: %w", lo+uint64(t.Imported), err)
		}
		t.Imported++
	}
	return true, setTrial(s, t)
}

func importOne(s *storage.Store, number uint64, t *Trial) error {
	own, tag, err := s.ReadOwn(number)
	var damaged *storage.CorruptedError
	if errors.As(err, &damaged) {
		t.Unreadable++
		return nil
	}
	if err != nil {
		return err
	}
	e, err := attached(s)
	if err != nil {
		return err
	}
	old, raw, err := e.img.decodeNext(uint32(number - e.img.Lo))
	if err != nil {
		t.Unreadable++
		return nil
	}
	a, same := own, own != nil && sameRecord(raw, tag)
	if err := e.contradicted(old, raw, own, tag); err != nil {
		t.Unreadable++
		return nil //nolint:nilerr // it is counted, and whoever reads it is told
	}
	alone, err := e.img.namedAlone(old)
	if err != nil {
		return err
	}
	if alone {
		if int(t.Named) < len(t.FirstNamed) {
			t.FirstNamed[t.Named] = uint32(number - e.img.Lo)
		}
		t.Named++
	}
	switch {
	case !same && own == nil:
		e.notice(old)
		a = e.img.importNext(old)
	case !same:
		a = e.take(own, tag, old, raw)
	case !e.sinceReturn(tag) && cancelPending(own):
		e.date(own)
		if err := s.WriteOwn(own, tagOf(raw, tag&tagEnforced != 0, tag&tagOurs != 0, t.Returns)); err != nil {
			return err
		}
	}
	t.KnowsProtection = t.KnowsProtection || e.knows
	t.Generation = uint16(e.newest())
	if !slices.ContainsFunc(a.Devices, func(d identity.Device) bool { return len(d.PublicKey) > 0 }) {
		t.WithoutKey++
	}
	if same {
		return nil
	}
	if slices.ContainsFunc(a.Events, func(e identity.Event) bool { return e.Kind != identity.EventCancelled }) {
		if int(t.Amended) < len(t.FirstAmended) {
			t.FirstAmended[t.Amended] = uint32(number - e.img.Lo)
		}
		t.Amended++
		// The old store has to learn what was restored and dropped, too. Where it has no room for that,
		// our copy is right all the same, and a rollback would weaken this anchor.
		err := s.Write(a)
		var tight *storage.LegacyError
		if !errors.As(err, &tight) {
			return err
		}
	}
	return s.WriteOwn(a, e.importedTag(old, raw))
}

// contradicted compares an anchor that is being imported with its value in virtual memory 16.
func (e *legacy) contradicted(old *Record, raw []byte, own *identity.Anchor, tag uint64) error {
	if e.img.mapped == nil || own != nil && sameRecord(raw, tag) && tag&tagOurs != 0 {
		return nil
	}
	value, err := e.img.mapped.get(old.Number)
	if err != nil || value == nil {
		return err
	}
	difference, _, err := differs(old, value)
	if err == nil && difference != "" {
		err = fmt.Errorf("memory 0 and virtual memory 16 contradict each other: %s", difference)
	}
	return err
}

func attached(s *storage.Store) (*legacy, error) {
	e, ok := s.Legacy().(*legacy)
	if !ok {
		return nil, errors.New("the old store is not attached")
	}
	return e, nil
}

// notice learns from a record that the old module wrote itself, which alone says what it knows.
func (e *legacy) notice(old *Record) {
	if old.Protection() {
		e.knows = true
	}
	e.meet(old.raw)
}

// date gives the events of an anchor the time of the last step of the clock.
func (e *legacy) date(a *identity.Anchor) {
	_, now := e.store.ServiceTime()
	for i := range a.Events {
		a.Events[i].At = now
	}
}

// take makes an anchor of an old record that differs from what we know of it.
func (e *legacy) take(own *identity.Anchor, tag uint64, old *Record, raw []byte) *identity.Anchor {
	e.notice(old)
	if own != nil {
		a := merge(own, old, raw, tag&tagEnforced != 0)
		e.date(a)
		return a
	}
	a, _ := old.Import()
	return a
}

// Resolve implements [storage.Legacy].
func (e *legacy) Resolve(number uint64, own *identity.Anchor, tag uint64) (*identity.Anchor, error) {
	slot := uint32(number - e.img.Lo)
	if own != nil && slot < e.trial().Imported {
		return own, nil
	}
	old, raw, err := e.img.Decode(slot)
	if err != nil {
		return nil, err
	}
	if err := e.contradicted(old, raw, own, tag); err != nil {
		return nil, err
	}
	if own != nil && sameRecord(raw, tag) {
		if !e.sinceReturn(tag) && cancelPending(own) {
			e.date(own)
		}
		return own, nil
	}
	return e.take(own, tag, old, raw), nil
}

// Prepare implements [storage.Legacy].
func (e *legacy) Prepare(a *identity.Anchor) ([]byte, uint64, error) {
	out := exported(a, e.knowsProtection())
	record, g, err := e.img.encode(uint32(a.Number-e.img.Lo), &out, e.newest())
	if err != nil {
		return nil, 0, err
	}
	return record, tagOf(record, e.knowsProtection() && g&hasProtection != 0, true, e.trial().Returns), nil
}

// Commit implements [storage.Legacy].
func (e *legacy) Commit(number uint64, record []byte) error {
	return e.img.SetEntry(uint32(number-e.img.Lo), record)
}

// Register implements [storage.Legacy].
func (e *legacy) Register(number uint64) error {
	if want := e.img.Lo + uint64(e.img.Anchors); number != want {
		return fmt.Errorf("the old store would give out anchor %d, not %d", want, number)
	}
	return e.img.Append()
}

// Finalize gives the old bytes up: from now on the canister is Kedge's alone and there is no way back.
// It fails, and changes nothing, while an anchor is not imported or cannot be read, and if there are anchors without
// a device, that nobody can sign in to, unless withoutDevices accepts that. After an error of the memory the caller
// traps.
func Finalize(s *storage.Store, withoutDevices bool) error {
	t := TrialOf(s)
	switch n := uint32(s.Count()); {
	case t.Layout == 0:
		return errors.New("the memory is not on trial: there is nothing to finalise")
	case t.Imported < n:
		return fmt.Errorf("%d of %d anchors are not imported yet: let the migration finish first", n-t.Imported, n)
	case t.Unreadable > 0:
		return fmt.Errorf("%d anchors could not be read: finalising would lose them; fsck names them", t.Unreadable)
	case t.WithoutKey > 0 && !withoutDevices:
		return fmt.Errorf("%d anchors have no device, so that nobody can sign in to them: accept that explicitly to go on", t.WithoutKey)
	}
	free, total, err := leftBy(s)
	if err != nil {
		return err
	}
	return s.TakeOver(total, free)
}

// Weakness says what an anchor would lose under the old module.
type Weakness struct {
	Anchor uint64
	Loss   storage.Loss
}

// enforces tells whether the old module would enforce every protection of an anchor: whether its own record says of
// every protected device that it is. None says so for a module that does not know protection. It may lack one that our
// copy has: where the old record had no room for what was restored, or no room for a table with protection.
func (e *legacy) enforces(a *identity.Anchor) bool {
	old, _, err := e.img.Decode(uint32(a.Number - e.img.Lo))
	if err != nil {
		return false
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		if protected(*d) && !slices.ContainsFunc(old.Anchor.Devices, func(w wire.AnyDevice) bool {
			return bytes.Equal(w.Pubkey, d.PublicKey) && w.Protection != nil && *w.Protection == wire.ProtectionProtected
		}) {
			return false
		}
	}
	return true
}

// Weakened lists the anchors, from one on, that a rollback to the old module would weaken: those with a
// protection that it would not enforce, a guard, a consent, a demand or contacts. It looks at anchors while there is
// budget and returns the anchor to go on from, 0 at the end. The store must be on trial.
func Weakened(s *storage.Store, from uint64, limit int, budget migrations.Budget) (found []Weakness, next uint64, err error) {
	lo, _ := s.Range()
	end := lo + uint64(s.Count())
	e, err := attached(s)
	if err != nil {
		return nil, 0, err
	}
	for number := max(from, lo); number < end; number++ {
		if len(found) == limit || !budget() {
			return found, number, nil
		}
		a, err := s.Read(number)
		var damaged *storage.CorruptedError
		if errors.As(err, &damaged) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		loss := storage.LossOf(a, storage.Layout1)
		if slices.ContainsFunc(a.Devices, protected) && !e.enforces(a) {
			loss |= storage.LossProtections
		}
		if loss != 0 {
			found = append(found, Weakness{number, loss})
		}
	}
	return found, 0, nil
}
