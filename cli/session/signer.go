package session

import (
	"errors"
	"fmt"
	"strings"

	"kedge/cli/ui"
	"kedge/device"
)

// Signer is the device that signs for a command.
type Signer struct {
	Name   string // in the key store, or device.ReservedName
	Key    device.Key
	Stored device.StoredPasskey // unless the phrase signs
	Phrase device.Phrase        // if the phrase signs
}

// IsPhrase reports whether the recovery phrase signs.
func (s Signer) IsPhrase() bool { return s.Name == device.ReservedName }

// String names the signer in messages.
func (s Signer) String() string {
	if s.IsPhrase() {
		return "the recovery phrase"
	}
	return fmt.Sprintf("device %q", s.Name)
}

// ChooseSigner returns the device that --as names, or else the first in the key store that is known to
// belong to the anchor at hand. It says which one that is if there are others, and does not choose
// between anchors.
func (a *App) ChooseSigner(where string) (Signer, error) {
	if a.PhraseFile == "" {
		a.As = a.Setting(a.As, "KEDGE_AS", "")
	}
	if a.As == device.ReservedName || a.As == "" && a.PhraseFile != "" {
		phrase, err := a.ReadPhrase()
		if err != nil {
			return Signer{}, err
		}
		return Signer{Name: device.ReservedName, Key: phrase.Key(), Phrase: phrase}, nil
	}
	if a.PhraseFile != "" {
		return Signer{}, ui.Usagef("--phrase-file goes with --as phrase, not with --as %q", a.As)
	}
	keys, err := a.LoadKeys()
	if err != nil {
		return Signer{}, err
	}
	if a.As != "" {
		stored, err := a.signerNamed(keys, where)
		if err != nil {
			return Signer{}, err
		}
		return Signer{Name: stored.Name, Key: stored.Passkey, Stored: stored}, nil
	}
	var candidates []device.StoredPasskey
	for _, stored := range keys.All() {
		if len(a.anchorsOf(stored, where)) > 0 {
			candidates = append(candidates, stored)
		}
	}
	switch len(candidates) {
	case 0:
		return Signer{}, ui.Hinted(fmt.Errorf("no device in the key store is known to belong to %s", a.AnyAnchor()),
			"kedge anchor create makes an anchor; --as DEVICE or --as phrase says who signs")
	case 1:
		return Signer{Name: candidates[0].Name, Key: candidates[0].Passkey, Stored: candidates[0]}, nil
	}
	anchors := map[uint64]bool{}
	var names []string
	for _, c := range candidates {
		own := a.anchorsOf(c, where)
		names = append(names, fmt.Sprintf("%q of %s", c.Name, ui.Numbers(own)))
		for _, n := range own {
			anchors[n] = true
		}
	}
	if len(anchors) > 1 {
		return Signer{}, ui.Hinted(fmt.Errorf("the devices in the key store belong to several anchors: %s", strings.Join(names, ", ")),
			"--anchor or --as says which one, or KEDGE_AS for all commands")
	}
	a.Note("device %q signs; --as names another", candidates[0].Name)
	return Signer{Name: candidates[0].Name, Key: candidates[0].Passkey, Stored: candidates[0]}, nil
}

// signerNamed returns the passkey that --as names. The name of a security key with several credentials means
// the only one of them that belongs to the anchor at hand, or to any anchor here.
func (a *App) signerNamed(keys *device.Keys, where string) (device.StoredPasskey, error) {
	stored, err := keys.Get(a.As)
	var several *device.AmbiguousError
	if !errors.As(err, &several) {
		return stored, err
	}
	var here []device.StoredPasskey
	for _, s := range keys.All() {
		if s.Key == a.As && len(a.anchorsOf(s, where)) > 0 {
			here = append(here, s)
		}
	}
	if len(here) == 1 {
		return here[0], nil
	}
	return device.StoredPasskey{}, ui.Hinted(err, "--as says which one, or --anchor does if each belongs to another anchor")
}

// AnyAnchor names the anchor that was given, or any, in a sentence that denies.
func (a *App) AnyAnchor() string {
	if a.AnchorGiven {
		return fmt.Sprintf("anchor %d here", a.AnchorNumber)
	}
	return "any anchor here"
}

// anchorsOf returns the anchors that the store remembers for a device, or --anchor if it is among
// them.
func (a *App) anchorsOf(stored device.StoredPasskey, where string) []uint64 {
	var anchors []uint64
	for _, use := range stored.Uses {
		if use.Where == where && (!a.AnchorGiven || use.Anchor == a.AnchorNumber) {
			anchors = append(anchors, use.Anchor)
		}
	}
	return anchors
}
