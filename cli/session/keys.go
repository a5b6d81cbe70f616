package session

import (
	"fmt"

	"kedge/cli/ui"
	"kedge/device"
)

// LoadKeys returns what the key store holds: without its secrets, signing through the agent, if one holds it and the
// store was not opened in this run; else it asks for the passphrase.
func (a *App) LoadKeys() (*device.Keys, error) {
	if a.opened == nil {
		if keys := a.agentKeys(); keys != nil {
			return keys, nil
		}
	}
	return a.OpenKeys()
}

// Store opens the key store, asking for its passphrase once a run.
func (a *App) Store() (*device.Store, error) { return a.store() }

// ChangeKeys changes the key store. An agent that held it before holds the changed one afterwards. Nobody else can
// change the store in between, nor lock or unlock it.
func (a *App) ChangeKeys(change func(*device.Keys) error) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	return store.Alone(func() error {
		before, held := a.AgentStatus()
		if err := store.Change(change); err != nil {
			return err
		}
		if held {
			a.replaceAgent(store, before)
		}
		return nil
	})
}

// Remember notes in the key store that a device belongs to the session's anchor.
func (a *App) Remember(s *Session, name string) error {
	use := device.Use{Where: s.Where(), Anchor: s.Anchor}
	if err := a.ChangeKeys(func(k *device.Keys) error { return k.Note(name, use) }); err != nil {
		return ui.Hinted(fmt.Errorf("device %q belongs to anchor %d now, but the key store could not note it: %w", name, s.Anchor, err),
			"give --anchor %d --as %s to later commands", s.Anchor, ui.Quoted(name))
	}
	return nil
}
