package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/cli/client"
	"kedge/cli/provider"
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

// Session is a signer at work on one anchor of one provider.
type Session struct {
	*provider.Provider
	Signer Signer
	Anchor uint64
}

// OpenProvider finds the canister and calls it as nobody.
func (a *App) OpenProvider(ctx context.Context) (*provider.Provider, error) {
	canister, err := a.CanisterID()
	if err != nil {
		return nil, err
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return nil, err
	}
	return provider.New(network, canister, client.Anonymous())
}

// OpenController calls the canister as its controller.
func (a *App) OpenController(ctx context.Context) (*provider.Provider, error) {
	canister, err := a.CanisterID()
	if err != nil {
		return nil, err
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return nil, err
	}
	id, err := a.Controller(network)
	if err != nil {
		return nil, err
	}
	return provider.New(network, canister, client.Session{Identity: id})
}

// Delegated returns the same provider called by a device through a session key.
func (a *App) Delegated(p *provider.Provider, key device.Key) (*provider.Provider, error) {
	return p.Delegated(key, a.Now, a.Random)
}

// OpenSession finds out who signs and for which anchor. It never chooses between several.
func (a *App) OpenSession(ctx context.Context) (*Session, error) {
	nobody, err := a.OpenProvider(ctx)
	if err != nil {
		return nil, err
	}
	who, err := a.ChooseSigner(nobody.Where())
	if err != nil {
		return nil, err
	}
	p, err := a.Delegated(nobody, who.Key)
	if err != nil {
		return nil, err
	}
	s := &Session{Provider: p, Signer: who}
	s.Anchor, err = a.chooseAnchor(ctx, s)
	return s, err
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
		stored, err := keys.Get(a.As)
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
		return Signer{}, ui.Hinted(fmt.Errorf("no device in the key store is known to belong to %s", a.wanted()),
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

func (a *App) wanted() string {
	if a.AnchorGiven {
		return fmt.Sprintf("anchor %d here", a.AnchorNumber)
	}
	return "an anchor here"
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

// chooseAnchor returns --anchor, or the only anchor that the signer is known to belong to: by the
// number before the words of a phrase, by the key store, or by asking the canister.
func (a *App) chooseAnchor(ctx context.Context, s *Session) (uint64, error) {
	if a.AnchorGiven {
		return a.AnchorNumber, nil
	}
	if n, ok := s.Signer.Phrase.Anchor(); ok {
		return n, nil
	}
	anchors := a.anchorsOf(s.Signer.Stored, s.Where())
	if len(anchors) == 0 {
		var err error
		anchors, err = s.LookupCaller(ctx)
		var reject *client.Reject
		if errors.As(err, &reject) && reject.ErrorCode == "IC0536" {
			return 0, ui.Hinted(errors.New("the canister cannot look up the anchors of a device"), "--anchor NUMBER says which one")
		}
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(anchors)
	switch anchors = slices.Compact(anchors); len(anchors) {
	case 0:
		return 0, ui.Hinted(fmt.Errorf("%s is not a device of any anchor here", s.Signer), "kedge anchor create makes an anchor; --as names another signer")
	case 1:
		return anchors[0], nil
	}
	return 0, ui.Hinted(fmt.Errorf("%s is a device of several anchors: %s", s.Signer, ui.Numbers(anchors)), "--anchor says which one")
}

// String names the signer in messages.
func (s Signer) String() string {
	if s.IsPhrase() {
		return "the recovery phrase"
	}
	return fmt.Sprintf("device %q", s.Name)
}

// LoadKeys reads the key store.
func (a *App) LoadKeys() (*device.Keys, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Load()
}

// ChangeKeys changes the key store.
func (a *App) ChangeKeys(change func(*device.Keys) error) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	return store.Change(change)
}

// Remember notes in the key store that a device belongs to the session's anchor.
func (a *App) Remember(s *Session, name string) error {
	use := device.Use{Where: s.Where(), Anchor: s.Anchor}
	if err := a.ChangeKeys(func(k *device.Keys) error { return k.Note(name, use) }); err != nil {
		return ui.Hinted(fmt.Errorf("device %q belongs to anchor %d now, but the key store could not note it: %w", name, s.Anchor, err),
			"give --anchor %d --as %q to later commands", s.Anchor, name)
	}
	return nil
}
