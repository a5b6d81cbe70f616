package ii

import (
	"errors"
	"fmt"

	"kedge/canister/storage"
	"kedge/canister/storage/stable"
	"kedge/migrations/ii/wire"
)

// Settings are those of an old module that Kedge has, too: what guards registration. A nil pointer is a
// setting that the old module did not keep.
type Settings struct {
	RateLimit *wire.RateLimit
	Captcha   *Captcha
}

// Captcha is the old module's setting for captchas.
type Captcha struct {
	Unsolved uint64 // how many may be unsolved at a time
	On       bool   // Dynamic, by which they are asked for while many register, counts as on
}

// SettingsOf reads the settings of the old module whose memory the store is on trial with; none if there is no
// trial. The error says why the module's persistent state could not be read: an import does without.
func SettingsOf(s *storage.Store) (Settings, error) {
	if TrialOf(s).Layout == 0 {
		return Settings{}, nil
	}
	img, err := Open(s.Memory())
	if err != nil {
		return Settings{}, err
	}
	return img.Settings()
}

// Settings reads the settings in the persistent state; none if there is no such state. It fails for a state that is
// longer than 2 MiB, ends behind the memory, or is not Candid.
func (m *Image) Settings() (Settings, error) {
	raw, err := m.persistentState()
	if err != nil || raw == nil {
		return Settings{}, err
	}
	kept, err := wire.DecodePersistentStateArgs(raw)
	if err != nil {
		return Settings{}, fmt.Errorf("read persistent state: %w", err)
	}
	s := Settings{RateLimit: kept.RegistrationRateLimit}
	switch c := kept.CaptchaConfig; {
	case c != nil:
		s.Captcha = &Captcha{Unsolved: c.MaxUnsolvedCaptchas, On: c.CaptchaTrigger.Tag == wire.CaptchaConfigCaptchaTriggerTagDynamic ||
			c.CaptchaTrigger.Static == wire.CaptchaConfigCaptchaTriggerStaticCaptchaEnabled}
	case kept.MaxInflightCaptchas != nil: // before 2024-10: every registration took a captcha
		s.Captcha = &Captcha{Unsolved: *kept.MaxInflightCaptchas, On: true}
	}
	return s, nil
}

// Layout 9 keeps its persistent state in a cell (ic-stable-structures, cell.rs): "SCL", version 1, u32 length,
// content.
const (
	stateMemory = 2
	cellMagic   = "SCL\x01"
	cellHead    = 8
)

// persistentState is the Candid of the old module's persistent state; nil if there is none.
func (m *Image) persistentState() ([]byte, error) {
	if m.Layout != 9 {
		b, err := m.State()
		if b == nil {
			return nil, err
		}
		return b[stateHead:], nil
	}
	cell, err := m.manager.virtual(stateMemory)
	if err != nil {
		return nil, fmt.Errorf("read persistent state: %w", err)
	}
	var head [cellHead]byte
	if err := cell.readAt(head[:], 0); err != nil {
		if errors.Is(err, stable.ErrOutOfBounds) {
			return nil, nil // the memory has no bucket
		}
		return nil, fmt.Errorf("read persistent state: %w", err)
	}
	n := le.Uint32(head[4:])
	if string(head[:4]) != cellMagic {
		return nil, nil
	}
	if n > maxState {
		return nil, fmt.Errorf("persistent state would have %d bytes, at most %d", n, maxState)
	}
	b := make([]byte, n)
	if err := cell.readAt(b, cellHead); err != nil {
		return nil, fmt.Errorf("read persistent state of %d bytes: %w", n, err)
	}
	return b, nil
}
