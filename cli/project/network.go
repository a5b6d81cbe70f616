package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	data, err := os.ReadFile(NetworkPath())
	if errors.Is(err, fs.ErrNotExist) {
		return NetworkState{}, ErrNoNetwork
	}
	if err != nil {
		return NetworkState{}, fmt.Errorf("reading the state of the network: %w", err)
	}
	var state NetworkState
	if err := json.Unmarshal(data, &state); err != nil || state.Version != networkVersion || state.PID <= 1 {
		return NetworkState{}, ui.Hinted(fmt.Errorf("%s is damaged", NetworkPath()), "stop the network by its process id and remove the file")
	}
	return state, nil
}

// SaveNetwork writes the state file.
func SaveNetwork(state NetworkState) error {
	state.Version = networkVersion
	data, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the state of the network: %w", err)
	}
	if err := Make(); err != nil {
		return err
	}
	if err := fileio.WriteFile(NetworkPath(), append(data, '\n'), 0o644); err != nil {
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
