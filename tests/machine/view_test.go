package machine

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/tests/harness"
	"kedge/tests/model"
)

// memory is a copy of a canister's stable memory.
type memory []byte

func (m memory) Size() uint64      { return uint64(len(m)) / storage.PageSize }
func (m memory) Grow(uint64) error { return errors.New("a copy does not grow") }
func (m memory) ReadAt(p []byte, off uint64) error {
	if off+uint64(len(p)) > uint64(len(m)) {
		return fmt.Errorf("%d bytes at %d are beyond %d", len(p), off, len(m))
	}
	copy(p, m[off:])
	return nil
}
func (m memory) WriteAt(p []byte, off uint64) error { copy(m[off:], p); return nil }

// anchorIn reads the record of an anchor from stable memory, and settles what time has ended.
func anchorIn(h *harness.Harness, number uint64) (*identity.Anchor, identity.Call) {
	h.Helper()
	stable, err := h.Net.StableMemory(h.Canister)
	require.NoError(h, err)
	store, err := storage.Open(memory(stable))
	require.NoError(h, err)
	a, err := store.Read(number)
	require.NoError(h, err)
	var clock identity.ServiceClock
	clock.Time, clock.Last = store.ServiceTime()
	at := identity.Call{Now: h.Now(), Service: clock.At(h.Now())}
	a.Refresh(at)
	return a, at
}

// viewOf is the record as the model sees anchors.
func (w *world) viewOf(a *identity.Anchor, at identity.Call) (v model.View) {
	v.Guard, v.Demand = a.Guard, a.DeviceBound
	keyOf := map[identity.DeviceID]int{}
	for i := range a.Devices {
		keyOf[a.Devices[i].ID] = w.keyOf(a.Devices[i].PublicKey)
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		device := &v.Devices[keyOf[d.ID]]
		*device = model.Device{On: true, Phrase: d.KeyType == identity.SeedPhrase, Credential: d.CredentialID != nil, Marked: d.Protected,
			Proven: d.Proven, Temporary: d.Temporary.ExpiresAt != 0, Bound: d.Attestation.At != 0 && !d.Attestation.BackupEligible}
		if d.Consent == nil {
			continue
		}
		for _, asker := range d.Consent.Askers {
			ask := &device.Ask[keyOf[asker.ID]]
			switch {
			case asker.CompletesAt == 0:
				*ask = model.Named
			case asker.CompletesAt > at.Service:
				*ask = model.Asked
			default:
				*ask = model.Ripe
			}
		}
	}
	if r := a.Registration; r != nil {
		v.Open, v.Opener, v.Wrong = true, keyOf[r.Opener], int(r.Attempts)
		if r.Tentative != nil {
			v.Offered, v.Offer = true, w.keyOf(r.Tentative.PublicKey)
			switch {
			case r.Tentative.KeyType == identity.SeedPhrase:
				v.OfferKind = model.Phrase
			case r.Tentative.CredentialID != nil:
				v.OfferKind = model.Credential
			}
		}
	}
	return v
}

// keyOf is the key with this public key.
func (w *world) keyOf(publicKey []byte) int {
	for i := range w.devices {
		if bytes.Equal(w.devices[i].Key(), publicKey) {
			return i
		}
	}
	panic("a key that nobody has")
}
