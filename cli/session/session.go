package session

import (
	"context"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/device"
)

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
