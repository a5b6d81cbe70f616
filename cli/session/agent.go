package session

import (
	"errors"

	"kedge/device"
	"kedge/device/keyagent"
)

// Agent returns a client for the agent that may hold the key store, and the path of its socket.
func (a *App) Agent() (*keyagent.Client, string, error) {
	path, err := a.KeysPath()
	if err != nil {
		return nil, "", err
	}
	socket, err := keyagent.SocketPath(a.Getenv("XDG_RUNTIME_DIR"), path)
	if err != nil {
		return nil, "", err
	}
	client, err := keyagent.NewClient(socket, path)
	return client, socket, err
}

// AgentStatus says what the agent of the key store holds. ok is false where there is none: the store is locked.
// Nobody is asked for anything.
func (a *App) AgentStatus() (status keyagent.Status, ok bool) {
	client, _, err := a.Agent()
	if err != nil {
		return keyagent.Status{}, false
	}
	status, err = client.Status()
	return status, err == nil
}

// UnlockedKeys returns the keys of the store if they are known without asking anybody: because it was opened
// already, or an agent holds it. It is for completion and for what only shows.
func (a *App) UnlockedKeys() (keys *device.Keys, ok bool) {
	if a.opened != nil {
		keys, err := a.opened.Load()
		return keys, err == nil
	}
	a.agentFailed = true // nothing is said of an agent that does not answer
	keys = a.agentKeys()
	return keys, keys != nil
}

// agentKeys returns the keys that an agent holds, nil if there is none. Where a file gives the passphrase, no agent
// is asked.
func (a *App) agentKeys() *device.Keys {
	if a.away != nil || a.PassphraseFile() != "" {
		return a.away
	}
	client, _, err := a.Agent()
	if err != nil {
		return nil // there cannot be one; kedge key unlock says why
	}
	if a.away, err = client.Keys(); err != nil && !errors.Is(err, keyagent.ErrLocked) && keyagent.Supported() == nil && !a.agentFailed {
		a.agentFailed = true
		a.Warn("the key store counts as locked: %v", err)
	}
	return a.away
}

// OpenKeys reads the key store itself, secrets included. It asks for the passphrase, whatever an agent holds.
func (a *App) OpenKeys() (*device.Keys, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Load()
}
