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
	"kedge/ic/principal"
)

// Session is a signer at work on one anchor of one provider.
type Session struct {
	*provider.Provider
	Signer Signer
	Anchor uint64
}

// OpenProvider finds the canister and calls it as nobody.
func (a *App) OpenProvider(ctx context.Context) (*provider.Provider, error) {
	canister, unknown := a.CanisterID()
	if exists, err := a.KeysExist(); unknown != nil && (!errors.Is(unknown, ErrNoCanister) || err != nil || !exists) {
		return nil, unknown
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return nil, err
	}
	if unknown != nil {
		if canister, err = a.canisterOfKeys(network, unknown); err != nil {
			return nil, err
		}
	}
	return provider.New(network, canister, client.Anonymous())
}

// canisterOfKeys returns the only canister of the network that the key store has a device at, or the only one that the
// device of --as belongs to. Outside the project's folder nothing else says which one it is.
func (a *App) canisterOfKeys(network client.Network, unknown error) (principal.Principal, error) {
	keys, err := a.LoadKeys()
	if err != nil {
		return principal.Principal{}, err
	}
	wanted := ""
	if a.PhraseFile == "" {
		wanted = a.Setting(a.As, "KEDGE_AS", "")
	}
	var all, signers []principal.Principal
	for _, stored := range keys.All() {
		for _, id := range a.canistersOf(stored, network.Fingerprint()) {
			all = append(all, id)
			if wanted == stored.Name || wanted == stored.Key {
				signers = append(signers, id)
			}
		}
	}
	found := signers
	if len(found) == 0 {
		found = all
	}
	var texts []string
	for _, id := range found {
		if text := id.Text(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	switch len(texts) {
	case 0:
		return principal.Principal{}, unknown
	case 1:
		return found[0], nil
	}
	return principal.Principal{}, ui.Hinted(fmt.Errorf("%w, and the key store has devices at several: %s", unknown, strings.Join(texts, ", ")),
		"--canister ID says which one, and so does --as with a device of one alone")
}

// canistersOf returns the canisters of a network that the store knows a device of, with --anchor those where that is its
// anchor.
func (a *App) canistersOf(stored device.StoredPasskey, fingerprint string) (ids []principal.Principal) {
	for _, use := range stored.Uses {
		text, where, _ := strings.Cut(use.Where, "@")
		id, err := principal.Parse(text)
		if err == nil && where == fingerprint && (!a.AnchorGiven || use.Anchor == a.AnchorNumber) {
			ids = append(ids, id)
		}
	}
	return ids
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
	if s.Anchor, err = a.chooseAnchor(ctx, s); err != nil {
		return s, err
	}
	a.Watch(ctx, s)
	return s, nil
}
