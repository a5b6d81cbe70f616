package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kedge/cli/ui"
	"kedge/internal/fileio"
)

// NetworkState is what .kedge/network.json says of the network that runs from this folder. The
// network writes it once it is healthy and removes it when it ends.
type NetworkState struct {
	Version int    `json:"version"`
	URL     string `json:"url"`
	PID     int    `json:"pid"`
	RootKey string `json:"root_key"`
}

const networkVersion = 1

// NetworkPath is where the state of the network is.
func NetworkPath() string { return filepath.Join(Folder(), "network.json") }

// ErrNoNetwork says that no network runs from this folder.
var ErrNoNetwork = ui.Hinted(errors.New("no network was started from this folder"), "kedge network start --background")

// LoadNetwork reads the state file; [ErrNoNetwork] says that there is none.
func LoadNetwork() (NetworkState, error) {
	var state NetworkState
	there, err := fileio.ReadVersioned(NetworkPath(), networkVersion, &state)
	if err == nil && !there {
		return NetworkState{}, ErrNoNetwork
	}
	if err == nil && state.PID <= 1 {
		err = &fileio.DamagedError{Path: NetworkPath(), Err: fmt.Errorf("process id %d", state.PID)}
	}
	if err != nil {
		return NetworkState{}, ui.Hinted(fmt.Errorf("reading the state of the network: %w", err), "stop the network by its process id and remove the file")
	}
	return state, nil
}

// SaveNetwork writes the state file.
func SaveNetwork(state NetworkState) error {
	state.Version = networkVersion
	if err := Make(); err != nil {
		return err
	}
	if err := fileio.WriteJSON(NetworkPath(), state, 0o644); err != nil {
		return fmt.Errorf("writing the state of the network: %w", err)
	}
	return nil
}

// DropNetwork removes the state file if it is still about the given process.
func DropNetwork(pid int) error {
	state, err := LoadNetwork()
	if err != nil || state.PID != pid {
		return nil
	}
	return os.Remove(NetworkPath())
}
